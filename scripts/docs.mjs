// Writes the generated part of docs/ from the registries, the schema, the commands and the codes of messages.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
// The bundle lies below the package so that it finds the installed packages.
const bundle = join(root, 'node_modules', '.cache', `docs-${process.pid}.mjs`);
mkdirSync(join(root, 'node_modules', '.cache'), { recursive: true });
try {
  await build({
    entryPoints: ['src/docs/write-docs.ts'],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
  });
  await import(pathToFileURL(bundle).href);
} finally {
  rmSync(bundle, { force: true });
}
