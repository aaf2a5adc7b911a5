import type { Plan } from '../spec/plan.ts';
import type { RunOutcome } from '../tracking/events.ts';
import { formatMetric } from '../tracking/console/format.ts';

/** A finished run that does not reach what its spec expects. */
export interface MissedExpectation {
  readonly runId: string;
  readonly metric: string;
  /** What was expected and what came, in one sentence. */
  readonly message: string;
}

/** Holds every finished run of a plan against the spec's `expect`. A metric that was never recorded misses too. */
export const missedExpectations = (
  { expect, runs }: Pick<Plan, 'expect' | 'runs'>,
  outcomes: Readonly<Record<string, RunOutcome>>,
): readonly MissedExpectation[] =>
  runs.flatMap(({ id }) => {
    const outcome = outcomes[id];
    if (outcome?.reason !== 'completed') return [];
    return expect.flatMap(({ metric, gte = -Infinity, lte = Infinity }) => {
      const value = outcome.metrics[metric];
      if (value !== undefined && value >= gte && value <= lte) return [];
      const bounds = [gte > -Infinity && `at least ${gte}`, lte < Infinity && `at most ${lte}`];
      const got = value === undefined ? 'is not recorded' : `is ${formatMetric(value)}`;
      const wanted = bounds.filter(Boolean).join(' and ');
      return [{ runId: id, metric, message: `${id}: ${metric} ${got}, expected ${wanted}` }];
    });
  });
