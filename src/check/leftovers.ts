import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { holderOf, isHolding } from '../system/lock.ts';
import { unpackingPrefix } from '../record/packed-run.ts';
import { leavingPrefix } from '../record/removal.ts';
import { leftover, type Problem } from './problem.ts';

/** A process may be about to rename a younger file. */
const youngMs = 60_000;

const temporary = /\.tmp$/;
const locks = /^(lock|writer)$|\.(lock|freezing|takeover)$|^\.holder-/;

/** What killed processes have left in a folder: half-written files, locks, and folders that were being deleted. */
export const leftoversIn = (folder: string): Problem[] =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (name.startsWith(leavingPrefix) && isOld(path))
      return leftover(path, 'is a run whose deletion was interrupted');
    if (name.startsWith(unpackingPrefix) && isOld(path))
      return leftover(path, 'is a run from elsewhere whose arrival was interrupted');
    if (temporary.test(name) && isOld(path))
      return leftover(path, 'was being written by a process that died');
    if (!locks.test(name)) return [];
    const holder = holderOf(path);
    if (holder && isHolding(path, holder)) return [];
    return isOld(path)
      ? leftover(path, 'is the lock of a process that ended, or was stopped for too long')
      : [];
  });

const isOld = (path: string): boolean => {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs > youngMs;
};
