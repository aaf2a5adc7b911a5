// Compiles the native parts for the package: `npm run prebuilds [-- FOLDER]`. Writes a library of each part and their table
// with SHA-256, `prebuilds.json`, into prebuilds/<system>/ or FOLDER. The same sources and compiler give the same bytes.
import { join } from 'node:path';
import { importSource, root } from './import-source.mjs';

const folder = process.argv[2] ?? join(root, 'prebuilds', `${process.platform}-${process.arch}`);
const { makePrebuilds } = await importSource('src/tensorflow/install/make-prebuilds.ts');
const made = await makePrebuilds(folder);
for (const { message, help } of made.errors ?? []) console.error(`${message}.\n  ${help}`);
if (made.ok) console.log(`The prebuilt libraries are in ${folder}.`);
process.exitCode = made.ok ? 0 : 1;
