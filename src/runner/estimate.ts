import { join } from 'node:path';
import { median } from 'simple-statistics';
import type { Execution } from '../language/config.ts';
import type { Run } from '../plan/plan.ts';
import { stepsOf } from '../plan/steps.ts';
import { readJsonIfWhole } from '../system/files.ts';
import type { RecordedRun } from '../record/run-state.ts';
import { fileNames, parseEnvironment } from '../record/run-files.ts';
import { stepsDone, type RunStanding } from './select.ts';

/** How long training some runs will take, judged by earlier ones. */
export interface Estimate {
  /** Milliseconds of all runs that something is known of, with as many at once as the plan has; null for none. */
  readonly ms: number | null;
  /** Runs in the estimate. */
  readonly runs: number;
  /** Runs without a comparable run on record. */
  readonly unknown: number;
}

/** Runs whose steps take about equally long: what a step computes is the same, however long and with which seed. */
const workKey = ({ config: { dataset, model, optimizer, loss, train } }: Run): string =>
  JSON.stringify([
    dataset,
    model,
    optimizer.name,
    train.batchSize,
    ...(train.accumulate === undefined ? [] : [train.accumulate]),
    train.truncation,
    ...(loss ? [loss.name] : []),
  ]);

/** The environments that are compared for each kind of run: the last runs resemble the next one most. */
const lookedAt = 8;

/** Estimates from measured steps a second; runs on as many threads of the same machine are preferred. */
export const estimateTime = (
  toTrain: readonly RunStanding[],
  recorded: readonly RecordedRun[],
  { concurrency, threadsPerRun }: Execution,
): Estimate => {
  const lengths = measuredLengths(toTrain, recorded, threadsPerRun).filter((ms) => ms !== undefined);
  const work = lengths.reduce((sum, ms) => sum + ms, 0);
  return {
    ms: lengths.length > 0 ? Math.max(work / concurrency, ...lengths.slice(0, 10_000)) : null,
    runs: lengths.length,
    unknown: toTrain.length - lengths.length,
  };
};

/** The milliseconds that each run will take by what runs like it took; undefined where there was none. */
export const measuredLengths = (
  toTrain: readonly RunStanding[],
  recorded: readonly RecordedRun[],
  threads: number,
): readonly (number | undefined)[] => {
  // A large plan is not looked through for nothing.
  if (recorded.length === 0) return toTrain.map(() => undefined);
  const wanted = new Set(toTrain.map(({ run }) => workKey(run)));
  const alike = new Map<string, RecordedRun[]>();
  for (const one of wanted.size > 0 ? recorded : []) {
    const outcome = one.status?.outcome;
    // Of a run that was resumed only the last part was timed.
    if (outcome?.reason !== 'completed' || one.status?.attempt !== 1 || outcome.step === 0) continue;
    const key = workKey(one.run);
    if (!wanted.has(key)) continue;
    const list = alike.get(key);
    if (!list) alike.set(key, [one]);
    else if (list.length < lookedAt) list.push(one);
  }
  const rates = new Map([...alike].map(([key, runs]) => [key, rateOf(runs, threads)]));
  return toTrain.map((standing) => {
    const rate = rates.get(workKey(standing.run));
    const steps = rate && lengthOf(standing.run, rate);
    return rate && steps !== undefined
      ? Math.max(0, steps - stepsDone(standing)) * rate.msPerStep
      : undefined;
  });
};

interface Rate {
  readonly msPerStep: number;
  /** Undefined where none of the runs counted in epochs. */
  readonly stepsPerEpoch: number | undefined;
}

const rateOf = (runs: readonly RecordedRun[], threads: number): Rate => {
  const here = runs.filter(({ directory }) => {
    const environment = readJsonIfWhole(join(directory, fileNames.environment), parseEnvironment);
    return environment?.threads === threads;
  });
  const msPerStep = (here.length > 0 ? here : runs).map(({ run, status }) => {
    const { elapsedMs = 0, step = 1 } = status?.outcome ?? {};
    return elapsedMs / Math.max(1, step - (run.continues?.step ?? 0));
  });
  const stepsPerEpoch = runs.map(({ run, status }) => {
    const { epochs, earlyStopping } = run.config.train;
    return epochs === null || earlyStopping ? undefined : (status?.outcome?.step ?? 0) / epochs;
  });
  return { msPerStep: median(msPerStep), stepsPerEpoch: stepsPerEpoch.find((one) => one !== undefined) };
};

/** The steps of a run, where its spec names them or an earlier run has shown how long an epoch is. */
const lengthOf = ({ config: { train } }: Run, { stepsPerEpoch }: Rate): number | undefined =>
  train.epochs !== null && stepsPerEpoch !== undefined
    ? Math.ceil(train.epochs * stepsPerEpoch)
    : stepsOf(train);
