import { median } from 'simple-statistics';
import { dirname, resolve } from 'node:path';
import { registryOfBundle } from '../registry/own/load-plugins.ts';
import { registry } from '../registry/rows.ts';
import type { Execution } from '../language/config.ts';
import type { Plan } from '../plan/plan.ts';
import type { RunListener } from '../record/events.ts';
import { listRuns } from '../record/read-runs.ts';
import { measuredLengths } from './estimate.ts';
import type { RunStanding } from './select.ts';
import { workLeft } from './operations.ts';

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
