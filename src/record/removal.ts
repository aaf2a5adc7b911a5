import { lstatSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { acquireLock, type Lock } from '../system/lock.ts';
import { listExperiments } from './read-runs.ts';
import { fileNames } from './run-files.ts';
import type { RecordedRun, RunState } from './run-state.ts';

/** A run as far as deleting it goes: its record need not be readable. */
export interface RunFolder {
  readonly directory: string;
  readonly id: string;
  readonly experiment: string;
  readonly state: RunState | 'damaged';
}

export const folderOf = ({ directory, run, state }: RecordedRun): RunFolder => ({
  directory,
  id: run.id,
  experiment: run.experiment,
  state,
});

/** The folder of a run whose record cannot be read. */
export const damagedFolder = (directory: string): RunFolder => ({
  directory,
  id: basename(directory),
  experiment: basename(dirname(directory)),
  state: 'damaged',
});

/** Something on disk that may be deleted: a run's whole directory, or its checkpoints alone. */
export interface Removal {
  readonly run: RunFolder;
  readonly what: 'run' | 'checkpoints';
  readonly path: string;
  readonly bytes: number;
}

/** What would be deleted of a run; nothing where it has no such files, or an empty folder for them. */
export const removalOf = (run: RunFolder, what: Removal['what']): Removal | undefined => {
  const path = what === 'run' ? run.directory : join(run.directory, fileNames.checkpoints);
  const bytes = sizeOf(path);
  return bytes === undefined || (what === 'checkpoints' && bytes === 0)
    ? undefined
    : { run, what, path, bytes };
};

/** Bytes of a file or of everything in a folder, links not followed: they may lead anywhere. Undefined where there is none. */
export const sizeOf = (path: string): number | undefined => {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return stat?.size;
  return readdirSync(path).reduce((sum, name) => sum + (sizeOf(join(path, name)) ?? 0), 0);
};

/** Folders that are being deleted have names that no listing shows, so a half-deleted one does not appear as a damaged run. */
export const leavingPrefix = '.removed-';

/**
 * Changes a run's directory while no other process trains or writes the run: `act` is called with the run's locks held.
 * Returns false, without calling it, if a living process holds one of them.
 */
export const whileUntouched = (directory: string, act: () => void): boolean => {
  const locks: Lock[] = [];
  try {
    for (const name of [fileNames.lock, fileNames.writer]) {
      const lock = acquireLock(join(directory, name));
      if ('heldBy' in lock) return false;
      locks.push(lock);
    }
    act();
    return true;
  } finally {
    for (const lock of locks) lock.release();
  }
};

/** Deletes it, unless a living process holds the run; false then. */
export const remove = ({ run: { directory }, what, path }: Removal): boolean =>
  whileUntouched(directory, () => {
    if (what === 'checkpoints') {
      rmSync(path, { recursive: true, force: true });
      return;
    }
    const aside = join(dirname(directory), `${leavingPrefix}${basename(directory)}-${process.pid}`);
    renameSync(directory, aside);
    rmSync(aside, { recursive: true, force: true });
  });

/** Deletes what an interrupted deletion has left. */
export const finishRemovals = (runsDirectory: string): void => {
  for (const experiment of listExperiments(runsDirectory)) {
    const folder = join(runsDirectory, experiment);
    for (const name of readdirSync(folder)) {
      if (name.startsWith(leavingPrefix)) rmSync(join(folder, name), { recursive: true, force: true });
    }
  }
};

/** Deletes an experiment's folder with its plans and reports, once none of its runs is left. */
export const removeExperiment = (runsDirectory: string, experiment: string): void =>
  rmSync(join(runsDirectory, experiment), { recursive: true, force: true });
