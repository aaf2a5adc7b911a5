import { type Stats, statSync } from 'node:fs';
import { systemErrorOf } from './system-error.ts';

/** Longer than a tick of any file system's clock. */
const youngMs = 2000;

/**
 * Returns what changes whenever a file is written; take it before the file is read. Undefined where there is no file that
 * can be read, and while a file is so young that it could be written again within one tick of the file system's clock.
 */
export const changeStamp = (path: string): string | undefined => {
  let stat: Stats | undefined;
  try {
    stat = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // Who reads the file meets the error again.
    if (systemErrorOf(error) === undefined) throw error;
  }
  if (!stat?.isFile() || Date.now() - stat.mtimeMs < youngMs) return undefined;
  return `${stat.mtimeMs}-${stat.ctimeMs}-${stat.size}-${stat.ino}`;
};
