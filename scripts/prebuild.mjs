// Compiles the native parts for the package: `npm run prebuilds [-- [--arch arm64] [FOLDER]]`. Writes a library of each part and
// their table with SHA-256, `prebuilds.json`, into prebuilds/<system>/ or FOLDER. The same sources and compiler give the same
// bytes. `--arch` compiles for another processor family, with its compiler (Debian: g++-aarch64-linux-gnu).
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { importSource, root } from './import-source.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { arch: { type: 'string', default: process.arch } },
});
const { arch } = values;
const folder = positionals[0] ?? join(root, 'prebuilds', `${process.platform}-${arch}`);
const { makePrebuilds } = await importSource('src/tensorflow/install/make-prebuilds.ts');
const made = await makePrebuilds(folder, arch);
for (const { message, help } of made.errors ?? []) console.error(`${message}.\n  ${help}`);
if (made.ok) console.log(`The prebuilt libraries are in ${folder}.`);
process.exitCode = made.ok ? 0 : 1;
