import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isHolding, readHolder } from '../system/lock.ts';
import { shellWord } from '../system/proposed-command.ts';
import { unpackingPrefix } from '../record/packed-run.ts';
import { leavingPrefix } from '../record/removal.ts';
import { systemErrorOf } from '../system/system-error.ts';
import { leftover, type Problem, reported } from './problem.ts';

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
    return lockProblem(path);
  });

/** Whose lock it is decides whether it is a leftover, so one that cannot be read is none. */
const lockProblem = (path: string): Problem[] => {
  let holder: ReturnType<typeof readHolder>;
  try {
    holder = readHolder(path);
  } catch (error) {
    const trouble = systemErrorOf(error);
    if (!trouble) throw error;
    const next = `${trouble.advice} If no process uses it, delete it: rm ${shellWord(path)}`;
    return [reported(path, `${trouble.message}.`, { next })];
  }
  if (!isOld(path) || (holder && isHolding(path, holder))) return [];
  return [leftover(path, 'is the lock of a process that ended, or was stopped for too long')];
};

const isOld = (path: string): boolean => {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs > youngMs;
};
