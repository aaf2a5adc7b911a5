import { cleanKey } from '../client/limits.ts';
import { encodeNumber } from '../../system/json.ts';
import type { WireMetric } from '../client/wire.ts';
import { isOfTest } from '../../record/kept-weights.ts';
import type { RunOutcome } from '../../record/events.ts';
import type { TrackedRun } from '../journal/record.ts';

/**
 * What is known only at the end of a run and has no line in its journal, one point each: times at step 0, so that the
 * server draws bars, and the values of restored weights one step after the last. Only of a completed run, which is never
 * resumed: so each is sent once.
 */
export const endMetrics = ({ run, status }: TrackedRun): readonly WireMetric[] => {
  const outcome = status?.outcome;
  if (outcome?.reason !== 'completed' || !status?.endedAt) return [];
  const { step, elapsedMs } = outcome;
  const values: Record<string, number> = {
    'time/trainingSeconds': elapsedMs / 1000,
    ...(step > 0 && {
      'time/millisecondsPerStep': elapsedMs / step,
      'time/examplesPerSecond': (step * examplesOf(run) * 1000) / Math.max(1, elapsedMs),
    }),
  };
  const timestamp = status.endedAt;
  const pointAt = (step: number) => (entry: readonly [string, number]) => {
    const [key, value] = entry;
    return { key: cleanKey(key), value: encodeNumber(value), timestamp, step };
  };
  return [...Object.entries(values).map(pointAt(0)), ...restoredValues(outcome).map(pointAt(step + 1))];
};

/**
 * The values of weights that were restored. The server lists and sorts runs by the last value of a metric, which is
 * otherwise that of weights thrown away. One step later, as MLflow's own integration for Keras logs them.
 */
const restoredValues = ({ keptStep, step, metrics }: RunOutcome): (readonly [string, number])[] =>
  keptStep === undefined || keptStep === step
    ? []
    : Object.entries(metrics).filter(([metric]) => !isOfTest(metric));

/** The examples of a step. */
const examplesOf = ({ config: { train } }: TrackedRun['run']): number =>
  train.batchSize * (train.accumulate ?? 1);
