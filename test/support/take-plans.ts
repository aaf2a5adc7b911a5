import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Rig } from './rig.ts';

export const sweepsFolder = (rig: Rig): string => join(rig.directory, 'runs', 'trial', 'sweeps');

/** Gives a folder the frozen plans of another one, with their kernels: here they might be measured. */
export const takePlans = (to: Rig, from: Rig): void => {
  mkdirSync(sweepsFolder(to), { recursive: true });
  for (const name of readdirSync(sweepsFolder(from)))
    if (/^[0-9a-f]+\.json$/.test(name))
      copyFileSync(join(sweepsFolder(from), name), join(sweepsFolder(to), name));
};
