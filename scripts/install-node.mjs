// Other releases of Node, from the npm package `node`, kept in the cache. `node scripts/install-node.mjs 24` prints the
// path of the newest 24.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const caches = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
const cache = process.env.UNROLL_CACHE || join(caches, 'unroll');

const run = (command, args, cwd) => spawnSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });

/** The Node of a major version, installed once into the cache. */
export const installNode = (major) => {
  const folder = join(cache, 'node', major);
  const binary = join(folder, 'node_modules', 'node', 'bin', 'node');
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  run(
    'npm',
    ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', `node@${major}`],
    folder,
  );
  // The package fetches the binary in an install script, which npm can be set not to run.
  if (!existsSync(binary))
    run(process.execPath, ['installArchSpecificPackage'], join(folder, 'node_modules', 'node'));
  if (!existsSync(binary)) throw new Error(`node@${major} cannot be installed into ${folder}`);
  return binary;
};

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(installNode(process.argv[2]));
