import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../src/system/cache-folder.ts';
import type { Kept } from '../../src/runner/calibration/kept.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A cache of its own with all that the set-up made, in which nothing of the machine's speed is kept. */
export interface FreshCache {
  readonly path: string;
  readonly kept: () => Kept;
  /** Writes what an earlier measurement might have kept. */
  readonly change: (edit: (kept: Kept) => Kept) => void;
}

export const freshCache = (): FreshCache => {
  const path = temporaryDirectory('cache');
  const made = cacheFolder();
  for (const name of existsSync(made) ? readdirSync(made) : [])
    if (name !== 'calibration') symlinkSync(join(made, name), join(path, name));
  const folder = join(path, 'calibration');
  const file = () => {
    mkdirSync(folder, { recursive: true });
    return join(folder, readdirSync(folder)[0] ?? 'none.json');
  };
  const kept = () => JSON.parse(readFileSync(file(), 'utf8')) as Kept;
  return {
    path,
    kept,
    change: (edit) => writeFileSync(file(), JSON.stringify(edit(kept()))),
  };
};
