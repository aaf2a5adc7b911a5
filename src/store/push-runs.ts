import { join } from 'node:path';
import { asError, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import type { Plan } from '../plan/plan.ts';
import { listExperiments, listRuns, readRun } from '../record/read-runs.ts';
import { allProblems, listSweeps } from '../record/read-sweeps.ts';
import type { RecordedRun } from '../record/run-state.ts';
import { eachRun } from './each-run.ts';
import { storeFailure, type Store } from './store.ts';

/** Recorded runs to send. */
export interface RunsToPush {
  readonly runs: readonly RecordedRun[];
  /** Why others, or plans of sweeps, cannot be read. */
  readonly problems: readonly Diagnostic[];
  readonly sweeps: readonly { readonly path: string; readonly plan: Plan }[];
}

/**
 * The recorded runs that words mean, with the sweeps that they are part of: experiments, sweeps by the beginning of their
 * id, and what `findRun` finds; everything without a word.
 */
export const chooseRunsToPush = (
  runsDirectory: string,
  words: readonly string[],
  findRun: (word: string) => Result<string>,
): Result<RunsToPush> => {
  const { sweeps, problems: ofSweeps } = listSweeps(runsDirectory);
  if (words.length === 0) {
    const listed = listRuns(runsDirectory);
    return success({ runs: listed.runs, problems: allProblems(listed, ofSweeps), sweeps });
  }
  const problems: Diagnostic[] = [];
  const runs = new Map<string, RecordedRun>();
  const keep = (one: RecordedRun) => runs.set(`${one.run.experiment}/${one.run.id}`, one);
  const chosen = new Set<(typeof sweeps)[number]>();
  const experiments = listExperiments(runsDirectory);
  for (const word of words) {
    if (experiments.includes(word)) {
      const listed = listRuns(runsDirectory, { experiment: word });
      for (const one of listed.runs) keep(one);
      problems.push(...allProblems(listed, listSweeps(runsDirectory, { experiment: word }).problems));
      for (const sweep of sweeps) if (sweep.plan.experiment === word) chosen.add(sweep);
      continue;
    }
    const ofId = sweeps.filter(({ plan }) => word !== '' && plan.sweepId.startsWith(word));
    for (const sweep of ofId) {
      chosen.add(sweep);
      for (const { experiment, id } of sweep.plan.runs) {
        const read = readRun(join(runsDirectory, experiment, id));
        if (read.ok) keep(read.value);
      }
    }
    if (ofId.length > 0) continue;
    const found = findRun(word);
    const read = found.ok ? readRun(found.value) : found;
    if (!read.ok) return read;
    keep(read.value);
  }
  return success({ runs: [...runs.values()], problems, sweeps: [...chosen] });
};

export interface PushReport {
  /** `experiment/id` of the runs that were sent. */
  readonly pushed: readonly string[];
  /** How many the store had before. */
  readonly there: number;
  /** How many are not finished, and so not sent. */
  readonly notFinished: number;
  readonly errors: readonly Diagnostic[];
}

/** Runs that are sent at the same time. */
const atOnce = 4;

/** Sends the finished ones of runs, and then their sweeps. A store or a disk that cannot be used ends it. */
export const pushRuns = async (
  store: Store,
  { runs, sweeps, problems }: RunsToPush,
  {
    force,
    stop,
    onPushed,
  }: {
    readonly force: boolean;
    readonly stop: AbortSignal;
    readonly onPushed: (name: string) => void;
  },
): Promise<PushReport> => {
  const done = runs.filter(({ state }) => state === 'done');
  const pushed: string[] = [];
  const errors: Diagnostic[] = [];
  let there = 0;
  await eachRun(done, { atOnce, stop, errors }, async ({ directory, run }) => {
    const result = await store.push(directory, { force });
    if (!result.ok) errors.push(...result.errors.map(asError));
    else if (result.value === 'there') there++;
    else {
      const name = `${run.experiment}/${run.id}`;
      pushed.push(name);
      onPushed(name);
    }
  });
  try {
    if (errors.length === 0 && !stop.aborted) for (const { path } of sweeps) await store.pushSweep(path);
  } catch (error) {
    errors.push(storeFailure(error));
  }
  errors.push(...problems.map(asError));
  return { pushed, there, notFinished: runs.length - done.length, errors };
};
