// Bundles a TypeScript file of this folder and runs it: node bench/run.mjs suite.ts [arguments]
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const [file, ...rest] = process.argv.slice(2);
const here = fileURLToPath(new URL('.', import.meta.url));
// Below the package, so that the bundle finds the installed packages.
const parent = join(here, '..', 'node_modules', '.cache');
mkdirSync(parent, { recursive: true });
const folder = mkdtempSync(join(parent, 'bench-'));
const outfile = join(folder, 'bundle.mjs');
try {
  buildSync({
    entryPoints: [join(here, file)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
  });
  process.exitCode = spawnSync(process.execPath, [outfile, ...rest], { stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
