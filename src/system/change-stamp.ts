import { statSync } from 'node:fs';

/** Longer than a tick of any file system's clock. */
const youngMs = 2000;

/**
 * Returns what changes whenever a file is written; take it before the file is read. Undefined where there is no file, and
 * while a file is so young that it could be written again within one tick of the file system's clock.
 */
export const changeStamp = (path: string): string | undefined => {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile() || Date.now() - stat.mtimeMs < youngMs) return undefined;
  return `${stat.mtimeMs}-${stat.ctimeMs}-${stat.size}-${stat.ino}`;
};
