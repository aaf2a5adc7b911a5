import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { packageRoot } from '../../src/system/package-root.ts';

/**
 * Runs a TypeScript file in a Node process of its own, with more environment variables, and returns what it printed to
 * stdout. For what can only be set before a process starts, such as the number of threads.
 */
export const runTypeScript = async (file: string, env: Readonly<Record<string, string>>): Promise<string> => {
  // The bundle lies below the package so that it finds the installed packages.
  const parent = join(packageRoot, 'node_modules', '.cache');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'run-typescript-'));
  try {
    const bundle = join(folder, 'bundle.mjs');
    await build({
      entryPoints: [file],
      outfile: bundle,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      logLevel: 'silent',
    });
    const { stdout } = await promisify(execFile)(process.execPath, [bundle], {
      env: { ...process.env, ...env },
      // A hang, not a slow machine. The error then has what was printed to stderr.
      timeout: 240_000,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
