import { toWire, type WireMetric } from '../client/wire.ts';
import type { RunRecord } from '../journal/record.ts';

/**
 * What is known only at the end of a run and stands in no journal line, one point each, at step 0: so the server draws bars.
 * Only of a completed run, which is never gone on with: so each is sent once.
 */
export const endMetrics = ({ run, status }: RunRecord): readonly WireMetric[] => {
  const outcome = status?.outcome;
  if (outcome?.reason !== 'completed' || !status?.endedAt) return [];
  const { step, elapsedMs } = outcome;
  const values: Record<string, number> = {
    'time/trainingSeconds': elapsedMs / 1000,
    ...(step > 0 && {
      'time/millisecondsPerStep': elapsedMs / step,
      'time/examplesPerSecond': (step * run.config.train.batchSize * 1000) / Math.max(1, elapsedMs),
    }),
  };
  const timestamp = status.endedAt;
  return Object.entries(values).map(([key, value]) => ({ key, value: toWire(value), timestamp, step: 0 }));
};
