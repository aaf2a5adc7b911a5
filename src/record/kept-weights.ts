import type { EarlyStopping } from '../language/config.ts';
import type { Run } from '../plan/plan.ts';
import type { Metrics } from './events.ts';
import { type MetricSeries, readMetricSeries } from './read-metrics.ts';
import type { StatusFile } from './run-files.ts';

/** The best evaluation so far; null before any has a number. */
export type Best = { readonly value: number; readonly step: number } | null;

/** What makes an evaluation the best. */
export type Watched = Pick<EarlyStopping, 'metric' | 'goal' | 'minDelta'>;

/** Whether a value is better than the best so far; NaN never is. */
export const improves = ({ goal, minDelta }: Watched, value: number, best: Best): boolean => {
  if (Number.isNaN(value)) return false;
  if (best === null) return true;
  return goal === 'minimize' ? value < best.value - minDelta : value > best.value + minDelta;
};

/** Whether patience is over at `step`, with an evaluation each `evaluateEvery` steps. */
export const patienceIsOver = (
  { patience }: EarlyStopping,
  best: Best,
  at: { readonly step: number; readonly evaluateEvery: number },
): boolean => at.step - (best?.step ?? 0) >= patience * at.evaluateEvery;

/** The last value of each metric at or before a step. */
export const valuesAt = (series: ReadonlyMap<string, MetricSeries>, step: number): Metrics =>
  Object.fromEntries(
    [...series].flatMap(([metric, { steps, values }]) => {
      const value = values[steps.findLastIndex((one) => one <= step)];
      return value === undefined ? [] : [[metric, value]];
    }),
  );

/** Whether the status is one of an earlier version, which needs the run's own settings to be understood. */
export const mayLackKeptValues = ({ outcome }: StatusFile): boolean =>
  outcome?.reason === 'completed' && outcome.keptStep === undefined;

/**
 * The status of a run whose outcome has the values of the weights that it keeps. Runs recorded before these were part of
 * the outcome have the values of the last evaluation there; where the weights of an earlier one were restored, its values
 * are found among the recorded metrics, by the rule that chose the weights.
 */
export const withKeptValues = (status: StatusFile, run: Run, directory: string): StatusFile => {
  const { outcome } = status;
  const { earlyStopping } = run.config.train;
  if (!outcome || !mayLackKeptValues(status) || !earlyStopping?.restoreBest) return status;
  const series = readMetricSeries(directory);
  const keptStep = bestOf(earlyStopping, series.get(earlyStopping.metric))?.step;
  if (keptStep === undefined) return status;
  const ofEarlierStep = Object.entries(valuesAt(series, keptStep)).filter(([metric]) => !isOfTest(metric));
  const metrics = { ...outcome.metrics, ...Object.fromEntries(ofEarlierStep) };
  return { ...status, outcome: { ...outcome, keptStep, metrics } };
};

/** The test part is evaluated once, with the kept weights. */
export const isOfTest = (metric: string): boolean => metric.startsWith('test/');

const bestOf = (watched: Watched, series: MetricSeries | undefined): Best => {
  let best: Best = null;
  for (const [index, value] of (series?.values ?? []).entries()) {
    if (improves(watched, value, best)) best = { value, step: series?.steps[index] ?? 0 };
  }
  return best;
};
