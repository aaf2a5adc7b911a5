import type { MetricSeries } from '../record/read-metrics.ts';
import type { CurveTable } from './report-data.ts';

/** More points than this make no difference at the width of a screen. */
const mostSteps = 120;

/**
 * Histories of a metric on a common grid. Up to `mostSteps` recorded steps are the grid themselves; more are taken
 * together, and a run's value there is the mean of what it recorded in that stretch.
 */
export const curveTable = (series: ReadonlyMap<string, MetricSeries>): CurveTable => {
  const recorded = [...new Set([...series.values()].flatMap((one) => one.steps))].sort((a, b) => a - b);
  const count = Math.min(recorded.length, mostSteps);
  // Each stretch is called by its last step.
  const steps = Array.from(
    { length: count },
    (_, i) => recorded[Math.floor(((i + 1) * recorded.length) / count) - 1] ?? 0,
  );
  return {
    steps,
    values: Object.fromEntries([...series].map(([id, one]) => [id, onGrid(one, steps)])),
  };
};

const onGrid = (series: MetricSeries, grid: readonly number[]): (number | null)[] => {
  let at = 0;
  return grid.map((last) => {
    let sum = 0;
    let count = 0;
    for (; at < series.steps.length && (series.steps[at] ?? 0) <= last; at++) {
      sum += series.values[at] ?? NaN;
      count++;
    }
    const value = sum / count;
    return Number.isFinite(value) ? Number(value.toPrecision(5)) : null;
  });
};
