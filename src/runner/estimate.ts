import { join, dirname, resolve } from 'node:path';
import { median } from 'simple-statistics';
import type { Execution } from '../language/config.ts';
import type { Run, Plan } from '../plan/plan.ts';
import { stepsOf } from '../plan/steps.ts';
import { readJsonIfWhole } from '../system/files.ts';
import type { RecordedRun } from '../record/run-state.ts';
import { fileNames, parseEnvironment } from '../record/run-files.ts';
import { stepsDone, type RunStanding } from './select.ts';
import { registryOfBundle } from '../registry/own/load-plugins.ts';
import { registry } from '../registry/rows.ts';
import type { RunListener } from '../record/events.ts';
import { listRuns } from '../record/read-runs.ts';
import { workLeft } from './operations.ts';

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

/**
 * The order in which runs are begun: the longest first, so that at the end of a sweep no core waits for a long run that
 * began last. Lengths are those of earlier runs like it, otherwise the work by the plan, in their proportion; the
 * listener hears of them. Runs of equal length stay in the order of the plan, and the order changes nothing but the time.
 */
export const orderOfWork = async (
  plan: Plan,
  toTrain: readonly RunStanding[],
  {
    runsDirectory,
    bundle,
    listener,
  }: {
    readonly runsDirectory: string;
    readonly bundle: string | undefined;
    readonly listener: RunListener;
  },
): Promise<readonly RunStanding[]> => {
  // All at once take equally long in every order.
  if (toTrain.length <= plan.execution.concurrency) return toTrain;
  const work = await workLeft(toTrain, {
    registry: bundle === undefined ? registry : await registryOfBundle(bundle),
    context: { baseDirectory: dirname(resolve(plan.spec.path)) },
  });
  const { runs: recorded } = listRuns(runsDirectory, { experiment: plan.experiment });
  const measured = measuredLengths(toTrain, recorded, plan.execution.threadsPerRun);
  const lengths = lengthsOf(work, measured);
  const ofRuns = toTrain.map(({ run }, index): [string, number] => [run.id, lengths[index] ?? 0]);
  listener({ type: 'work-estimated', work: Object.fromEntries(ofRuns) });
  return orderIsFree(plan.execution) ? longestFirst(toTrain, lengths) : toTrain;
};

/**
 * Where the sweep may end before all runs are done, who wrote the plan decides which are done by then: the first. And
 * one at a time, every order takes equally long.
 */
const orderIsFree = ({ concurrency, budget, onError }: Execution): boolean =>
  concurrency > 1 && onError === 'continue' && (budget?.timeMs ?? null) === null;

/** Milliseconds where runs were measured; the other runs' work in the same scale. */
export const lengthsOf = (
  work: readonly number[],
  measured: readonly (number | undefined)[],
): readonly number[] => {
  const scales = measured.flatMap((ms, index) => {
    const own = work[index] ?? 0;
    return ms !== undefined && own > 0 ? [ms / own] : [];
  });
  const scale = scales.length > 0 ? median(scales) : 1;
  return work.map((own, index) => measured[index] ?? own * scale);
};

/** `items` by falling length; those of equal length stay in their order. */
export const longestFirst = <T>(items: readonly T[], lengths: readonly number[]): readonly T[] =>
  items
    .map((item, index) => ({ item, length: lengths[index] ?? 0 }))
    .sort((a, b) => b.length - a.length)
    .map(({ item }) => item);
