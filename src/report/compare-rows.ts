import type { Json } from '../spec/plan.ts';
import type { Comparison } from './compare.ts';

/** A comparison as a flat table for other programs: a row for each run, in the order of the comparison. */
export interface ComparisonRows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Json[])[];
}

/**
 * What is said of a run first, then what is said of its cell: mean, sample standard deviation and 95% interval of the
 * objective over seeds, and the difference to the best cell with its interval.
 */
export const comparisonRows = ({ axes, cells, objective }: Comparison): ComparisonRows => ({
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
  rows: cells.flatMap((cell) =>
    cell.runs.map((run): Json[] => [
      cell.rank,
      cell.best,
      cell.tied,
      ...axes.map((path) => cell.values[path] ?? null),
      run.seed,
      run.value,
      run.state,
      run.reason,
      run.step,
      run.elapsedMs / 1000,
      run.id,
      cell.objective?.mean ?? null,
      cell.objective?.standardDeviation ?? null,
      cell.objective?.interval?.[0] ?? null,
      cell.objective?.interval?.[1] ?? null,
      cell.difference?.mean ?? null,
      cell.difference?.interval?.[0] ?? null,
      cell.difference?.interval?.[1] ?? null,
      cell.difference?.kind ?? null,
    ]),
  ),
});
