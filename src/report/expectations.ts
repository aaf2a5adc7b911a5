import type { Expectation } from '../language/config.ts';
import type { Plan, Run } from '../plan/plan.ts';
import { formatMetric } from '../terminal/format.ts';
import type { RunOutcome } from '../record/events.ts';
import { baselineKey, type Baselines } from './baseline.ts';

/** An expectation held against a finished run. */
export interface CheckedExpectation {
  readonly runId: string;
  readonly metric: string;
  /** What is expected, in a few words: `test/accuracy at least 0.97`. */
  readonly wanted: string;
  /** What was expected and what came, in one sentence. */
  readonly message: string;
  readonly met: boolean;
}

/** Holds every finished run of a plan against the spec's `expect`. A metric that was never recorded misses too. */
export const checkExpectations = (
  { expect, runs }: { readonly expect: Plan['expect']; readonly runs: readonly Run[] },
  outcomes: Readonly<Record<string, RunOutcome>>,
  baselines: Baselines = new Map(),
): readonly CheckedExpectation[] =>
  runs.flatMap(({ id }) => {
    const outcome = outcomes[id];
    if (outcome?.reason !== 'completed') return [];
    return expect.map((expectation) => check(id, expectation, { outcome, baselines }));
  });

const check = (
  id: string,
  expectation: Expectation,
  { outcome, baselines }: { readonly outcome: RunOutcome; readonly baselines: Baselines },
): CheckedExpectation => {
  const { metric, baseline, gte = -Infinity, lte = Infinity } = expectation;
  const base = baseline === undefined ? undefined : baselines.get(baselineKey(expectation));
  const value = outcome.metrics[metric];
  // A baseline that is gone is nothing to be as good as.
  const comparable = baseline === undefined || base !== undefined;
  const measured = value === undefined ? undefined : value - (base?.value ?? 0);
  const met = comparable && measured !== undefined && measured >= gte && measured <= lte;
  const wanted = `${metric} ${boundsOf(expectation)}`;
  const got = value === undefined ? 'is not recorded' : `is ${formatMetric(value)}`;
  const against = base ? ` (${base.runId} has ${formatMetric(base.value)})` : '';
  return {
    runId: id,
    metric,
    wanted,
    message: `${id}: ${metric} ${got}, expected ${boundsOf(expectation)}${against}`,
    met,
  };
};

const boundsOf = ({ baseline, gte, lte }: Expectation): string => {
  const signed = (bound: number) => (bound < 0 ? `- ${-bound}` : `+ ${bound}`);
  const bound = (value: number) =>
    baseline === undefined
      ? `${value}`
      : value === 0
        ? `that of ${baseline}`
        : `that of ${baseline} ${signed(value)}`;
  return [gte !== undefined && `at least ${bound(gte)}`, lte !== undefined && `at most ${bound(lte)}`]
    .filter(Boolean)
    .join(' and ');
};
