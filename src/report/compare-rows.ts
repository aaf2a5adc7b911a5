import type { Json } from '../system/json.ts';
import type { Comparison } from './compare.ts';

/** A comparison as a flat table for other programs: a row for each run, in the order of the comparison. */
export interface ComparisonRows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Json[])[];
}

/**
 * What is said of a run first, then what is said of its configuration: mean, sample standard deviation and 95% interval of the
 * objective over seeds, and the difference to the best configuration with its interval.
 */
export const comparisonRows = ({ axes, configurations, objective }: Comparison): ComparisonRows => ({
  columns: [
    ...[
      'rank',
      'best',
      'tied',
      ...axes,
      'seed',
      objective.metric,
      'state',
      'reason',
      'steps',
      'seconds',
      'run',
    ],
    ...['mean', 'standardDeviation', 'intervalLow', 'intervalHigh'],
    ...['difference', 'differenceLow', 'differenceHigh', 'differenceKind'],
  ],
  rows: configurations.flatMap((configuration) =>
    configuration.runs.map((run): Json[] => [
      configuration.rank,
      configuration.best,
      configuration.tied,
      ...axes.map((path) => configuration.values[path] ?? null),
      run.seed,
      run.value,
      run.state,
      run.reason,
      run.step,
      run.elapsedMs / 1000,
      run.id,
      configuration.objective?.mean ?? null,
      configuration.objective?.standardDeviation ?? null,
      configuration.objective?.interval?.[0] ?? null,
      configuration.objective?.interval?.[1] ?? null,
      configuration.difference?.mean ?? null,
      configuration.difference?.interval?.[0] ?? null,
      configuration.difference?.interval?.[1] ?? null,
      configuration.difference?.kind ?? null,
    ]),
  ),
});
