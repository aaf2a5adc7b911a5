import type { Run } from '../plan/plan.ts';
import { changeStamp } from '../system/change-stamp.ts';
import { endlessFile, readRegularText } from '../system/files.ts';
import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Diagnostic, failure, type Result, success } from '../diagnostic/diagnostic.ts';
import { interruptionOf, named } from '../system/system-error.ts';
import { withKeptValues } from './kept-weights.ts';
import { damaged, parseRun, parseStatus } from './parse-run-files.ts';
import { fileNames, type StatusFile } from './run-files.ts';
import { openRunIndex, type IndexedRun } from './run-index.ts';
import { reasonOf, type RecordedRun, stateOf } from './run-state.ts';

/** Runs, and what could not be read: one damaged directory never hides the others. */
export interface RunList {
  readonly runs: readonly RecordedRun[];
  readonly problems: readonly Diagnostic[];
  /** The problems by the run's directory. */
  readonly damaged: ReadonlyMap<string, Diagnostic>;
}

/** Raised when the same files come to mean something else: what an index kept of them before counts for nothing. */
const readingVersion = 'v2';

/** Directories of an experiment that are not runs. */
const notRuns = new Set(['sweeps']);

/** Names of the experiments that have a directory, in alphabetic order. */
export const listExperiments = (runsDirectory: string): string[] => directoriesIn(runsDirectory).sort();

/** Ids (names of directories) of an experiment's runs, in no order of meaning. */
export const listRunIds = (runsDirectory: string, experiment: string): string[] =>
  directoriesIn(join(runsDirectory, experiment)).filter((name) => !notRuns.has(name));

/**
 * Every recorded run, or those of one experiment; the last begun first, then by id. Reads only `run.json` and
 * `status.json`, and takes both from the index where both are unchanged.
 */
export const listRuns = (
  runsDirectory: string,
  { experiment }: { readonly experiment?: string } = {},
): RunList => {
  const runs: RecordedRun[] = [];
  const damaged = new Map<string, Diagnostic>();
  for (const name of experiment === undefined ? listExperiments(runsDirectory) : [experiment]) {
    const index = openRunIndex(join(runsDirectory, name));
    const listed = unlessUnreadable(join(runsDirectory, name), () =>
      success(listRunIds(runsDirectory, name)),
    );
    if (!listed.ok) for (const error of listed.errors) damaged.set(join(runsDirectory, name), error);
    for (const id of listed.ok ? listed.value : []) {
      const directory = join(runsDirectory, name, id);
      const stamp = stampOf(directory);
      const known = stamp && index.get(id, stamp);
      const read = known ? success(known) : tryReadFiles(directory);
      if (!read.ok) for (const error of read.errors) damaged.set(directory, error);
      else if (read.value) {
        if (!known && stamp) index.set(id, stamp, read.value);
        runs.push(recorded(directory, read.value));
      }
    }
    index.save();
  }
  const begun = (one: RecordedRun) => one.status?.startedAt ?? Infinity;
  runs.sort((a, b) => begun(b) - begun(a) || (a.run.id < b.run.id ? -1 : 1));
  return { runs, problems: [...damaged.values()], damaged };
};

/** Reads the run in a directory. */
export const readRun = (directory: string): Result<RecordedRun> => {
  const read = readBegunRun(directory);
  if (!read.ok) return read;
  return read.value ? success(read.value) : failure(damaged(join(directory, fileNames.run), 'is missing'));
};

/** Reads the run in a directory; undefined if none has begun there. */
export const readBegunRun = (directory: string): Result<RecordedRun | undefined> => {
  const read = tryReadFiles(directory);
  return read.ok ? success(read.value && recorded(directory, read.value)) : read;
};

const recorded = (directory: string, { run, status }: IndexedRun): RecordedRun => ({
  directory,
  run,
  status,
  state: stateOf(status, directory),
  reason: reasonOf(status, directory),
  metrics: status?.outcome?.metrics ?? {},
});

/** What an error of the operating system makes unreadable is one run's problem, unless every run would meet it. */
export const unlessUnreadable = <T>(path: string, read: () => Result<T>): Result<T> => {
  try {
    return read();
  } catch (error) {
    const trouble = interruptionOf(error);
    if (trouble?.scope !== 'path') throw error;
    const { path: refused = path } = error as NodeJS.ErrnoException;
    return failure(damaged(refused, `cannot be read: ${trouble.what}`, trouble.advice));
  }
};

const tryReadFiles = (directory: string): Result<IndexedRun | undefined> =>
  unlessUnreadable(directory, () => readFiles(directory));

/**
 * Nothing for a directory in which no run has begun, such as an empty one. Throws if the operating system does not let it
 * be read: its run may be recorded.
 */
const readFiles = (directory: string): Result<IndexedRun | undefined> => {
  const runPath = join(directory, fileNames.run);
  const statusPath = join(directory, fileNames.status);
  for (const path of [runPath, statusPath]) {
    const kind = endlessFile(path);
    if (kind !== undefined) return failure(damaged(path, `is ${kind}, not a file`));
  }
  const runText = readText(runPath);
  if (runText === undefined) {
    // A process that dies right after making the directory leaves nothing to be lost.
    return exists(statusPath) || exists(join(directory, fileNames.metrics))
      ? failure(damaged(runPath, 'is missing'))
      : success(undefined);
  }
  const run = parseRun(runPath, runText);
  if (!run.ok) return run;
  if (run.value.id !== basename(directory)) {
    return failure(damaged(runPath, `is of another run, ${run.value.id}`));
  }
  const statusText = readText(statusPath);
  if (statusText === undefined) return success({ run: run.value, status: null });
  const status = parseStatus(statusPath, statusText);
  if (!status.ok) return status;
  return success({ run: run.value, status: withKeptValues(status.value, run.value, directory) });
};

/**
 * The status of the run in a directory; undefined if it has none, or if `run.json` or `status.json` cannot be read: a
 * record that does not name its run does not count. Throws if the operating system does not let them be read.
 */
export const readStatus = (directory: string): StatusFile | undefined => {
  const read = readFiles(directory);
  return read.ok ? (read.value?.status ?? undefined) : undefined;
};

/** The id in a directory's `run.json`; undefined if the file is missing or cannot be read as a run. Throws if the operating system does not let it be read. */
export const recordedId = (directory: string): string | undefined => namedRun(directory)?.id;

const namedRun = (directory: string): Run | undefined => {
  const path = join(directory, fileNames.run);
  const text = readText(path);
  const run = text === undefined ? undefined : parseRun(path, text);
  return run?.ok ? run.value : undefined;
};

/** Whether a directory's `run.json` has everything that decides the numbers of a run as the plan has it. Throws as `recordedId`. */
export const isNamed = (directory: string, run: Run): boolean => {
  const named = namedRun(directory);
  return named !== undefined && decisive(named) === decisive(run);
};

/** What decides a run's numbers. */
export const decisive = ({ id, seed, config, datasetDigest, versions, code, vectors }: Run): string =>
  JSON.stringify({ id, seed, config, datasetDigest, versions, code, vectors });

/** What changes whenever a run's files are written; undefined where one is missing or young. */
const stampOf = (directory: string): string | undefined => {
  const stamps = [fileNames.run, fileNames.status].map((name) => changeStamp(join(directory, name)));
  return stamps.includes(undefined) ? undefined : [...stamps, readingVersion].join('/');
};

const directoriesIn = (directory: string): string[] => {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => entry.name);
  } catch (error) {
    if (interruptionOf(error)) throw error;
    return [];
  }
};

const readText = (path: string): string | undefined => {
  try {
    return readRegularText(path);
  } catch (error) {
    if (interruptionOf(error)) throw named(error, path);
    return undefined;
  }
};

const exists = (path: string) => statSync(path, { throwIfNoEntry: false }) !== undefined;
