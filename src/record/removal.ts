import { readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { acquireLock } from '../system/lock.ts';
import { listExperiments, type RecordedRun } from './read-runs.ts';
import { fileNames } from './run-files.ts';

/** Something on disk that may be deleted: a run's whole directory, or its checkpoints alone. */
export interface Removal {
  readonly recorded: RecordedRun;
  readonly what: 'run' | 'checkpoints';
  readonly path: string;
  readonly bytes: number;
}

/** What would be deleted of a run; nothing where it has no such files, or an empty folder for them. */
export const removalOf = (recorded: RecordedRun, what: Removal['what']): Removal | undefined => {
  const path = what === 'run' ? recorded.directory : join(recorded.directory, fileNames.checkpoints);
  const bytes = sizeOf(path);
  return bytes === undefined || (what === 'checkpoints' && bytes === 0)
    ? undefined
    : { recorded, what, path, bytes };
};

/** Bytes of a file or of everything in a folder; undefined where there is none. */
const sizeOf = (path: string): number | undefined => {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return stat?.size;
  return readdirSync(path).reduce((sum, name) => sum + (sizeOf(join(path, name)) ?? 0), 0);
};

/** Folders that are being deleted have names that no listing shows: one that is half gone is no damaged run. */
const leaving = '.removed-';

/**
 * Deletes it, unless a living process holds the run; false then. Who has the run's locks is its only master, so a run that
 * begins in this moment is not touched.
 */
export const remove = ({ recorded: { directory }, what, path }: Removal): boolean => {
  const held = [fileNames.lock, fileNames.writer].map((name) => acquireLock(join(directory, name)));
  const locks = held.flatMap((lock) => ('release' in lock ? [lock] : []));
  try {
    if (locks.length < held.length) return false;
    if (what === 'checkpoints') {
      rmSync(path, { recursive: true, force: true });
      return true;
    }
    const aside = join(dirname(directory), `${leaving}${basename(directory)}-${process.pid}`);
    renameSync(directory, aside);
    rmSync(aside, { recursive: true, force: true });
    return true;
  } finally {
    for (const lock of locks) lock.release();
  }
};

/** Deletes what an interrupted deletion has left. */
export const finishRemovals = (runsDirectory: string): void => {
  for (const experiment of listExperiments(runsDirectory)) {
    const folder = join(runsDirectory, experiment);
    for (const name of readdirSync(folder)) {
      if (name.startsWith(leaving)) rmSync(join(folder, name), { recursive: true, force: true });
    }
  }
};

/** Deletes an experiment's folder with its plans and reports, once none of its runs is left. */
export const removeExperiment = (runsDirectory: string, experiment: string): void =>
  rmSync(join(runsDirectory, experiment), { recursive: true, force: true });
