import { join } from 'node:path';
import { readJsonIfWhole, writeWhole } from '../system/files.ts';
import { formatMetric } from '../terminal/format.ts';
import { runName, shortNames } from '../terminal/run-name.ts';
import { type MetricSeries, readMetrics } from '../record/read-metrics.ts';
import { readRun } from '../record/read-runs.ts';
import { fileNames, parseEvaluation } from '../record/run-files.ts';
import type { Run } from '../plan/plan.ts';
import { forecastPlots } from './plot/forecast-charts.ts';
import { isRecordedSetting, isShown } from '../metrics/metrics.ts';
import { renderLineChart } from './plot/line-chart.ts';
import { reliabilityPlots } from './plot/reliability-chart.ts';

/**
 * Draws a run into `plots/` of its directory: one SVG for each quantity, as `loss.svg` with the curves `train/loss` and
 * `validation/loss`; of a forecast also `forecast.svg` and
 * `error-by-horizon.svg`, of classes `reliability.svg`. Returns the paths.
 */
export const writeRunPlots = async (directory: string): Promise<string[]> => {
  const read = readRun(directory);
  if (!read.ok) return [];
  const { run } = read.value;
  const { series } = await readMetrics(directory);
  const evaluation = readJsonIfWhole(join(directory, fileNames.evaluation), parseEvaluation);
  const plots = [
    ...[...chartsOf(series)].map(
      ([quantity, members]) => [quantity, renderRunPlot(run, quantity, members)] as const,
    ),
    ...(evaluation
      ? [...forecastPlots(evaluation, titleOf(run)), ...reliabilityPlots(evaluation, titleOf(run))]
      : []),
  ];
  return plots.map(([name, picture]) => {
    const path = join(directory, fileNames.plots, `${name.replace(/[^\w.-]+/g, '-')}.svg`);
    // They can be drawn again.
    writeWhole(path, picture, 'later');
    return path;
  });
};

const titleOf = (run: Run): string => runName(run, shortNames(Object.keys(run.varying)));

type NamedSeries = readonly (readonly [name: string, series: MetricSeries])[];

/** Metrics by what they measure; quantities that never have two points are left out. */
const chartsOf = (series: ReadonlyMap<string, MetricSeries>): Map<string, NamedSeries> => {
  const charts = new Map<string, (readonly [string, MetricSeries])[]>();
  for (const [name, one] of series) {
    if (!isShown(name) && !isRecordedSetting(name)) continue;
    const quantity = name.slice(name.indexOf('/') + 1);
    const chart = charts.get(quantity);
    if (chart) chart.push([name, one]);
    else charts.set(quantity, [[name, one]]);
  }
  return new Map([...charts].filter(([, members]) => members.some(([, one]) => one.steps.length > 1)));
};

const renderRunPlot = (run: Run, quantity: string, members: NamedSeries): string => {
  const ends = members.map(
    ([metric, { values }]) => `${metric} ends at ${formatMetric(values.at(-1) ?? NaN)}`,
  );
  return renderLineChart({
    title: titleOf(run),
    description: `${quantity} over training steps of run ${run.id}: ${ends.join(', ')}.`,
    yLabel: quantity,
    series: members.map(([metric, { steps, values }]) => ({ name: metric, steps, values })),
  });
};
