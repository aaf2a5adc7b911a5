// Bundles src/ into dist/: few files start faster than many, and `npx unroll` needs no compiler at run time.
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Entries lie flat in dist/, so that a chunk finds `./child.js` beside itself. */
export const entries = {
  main: 'src/cli/main.ts',
  child: 'src/runner/pool/child.ts',
  setup: 'src/tensorflow/setup/main.ts',
};

await rm(new URL('../dist/', import.meta.url), { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: entries,
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  sourcemap: true,
  logLevel: 'warning',
});
