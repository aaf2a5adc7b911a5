import { join } from 'node:path';
import { formatMetric } from '../terminal/format.ts';
import { runName, shortNames } from '../terminal/run-name.ts';
import { writeWhole } from '../system/files.ts';
import { type MetricSeries, readMetrics } from '../record/read-metrics.ts';
import { readRun } from '../record/read-runs.ts';
import { fileNames } from '../record/run-files.ts';
import type { Run } from '../plan/plan.ts';
import { renderLineChart } from './plot/line-chart.ts';

/**
 * Draws a run's metrics into `plots/` of its directory: one SVG for each quantity, as `loss.svg` with the curves
 * `train/loss` and `validation/loss`. Returns the paths. A run without curves has no plots.
 */
export const writeRunPlots = async (directory: string): Promise<string[]> => {
  const read = readRun(directory);
  if (!read.ok) return [];
  const { series } = await readMetrics(directory);
  return [...chartsOf(series)].map(([quantity, members]) => {
    const path = join(directory, fileNames.plots, `${quantity.replace(/[^\w.-]+/g, '-')}.svg`);
    writeWhole(path, renderRunPlot(read.value.run, quantity, members));
    return path;
  });
};

type NamedSeries = readonly (readonly [name: string, series: MetricSeries])[];

/** Metrics by what they measure; quantities that never have two points are left out. */
const chartsOf = (series: ReadonlyMap<string, MetricSeries>): Map<string, NamedSeries> => {
  const charts = new Map<string, (readonly [string, MetricSeries])[]>();
  for (const [name, one] of series) {
    const quantity = name.slice(name.indexOf('/') + 1);
    const chart = charts.get(quantity);
    if (chart) chart.push([name, one]);
    else charts.set(quantity, [[name, one]]);
  }
  return new Map([...charts].filter(([, members]) => members.some(([, one]) => one.steps.length > 1)));
};

const renderRunPlot = (run: Run, quantity: string, members: NamedSeries): string => {
  const name = runName(run, shortNames(Object.keys(run.varying)));
  const ends = members.map(
    ([metric, { values }]) => `${metric} ends at ${formatMetric(values.at(-1) ?? NaN)}`,
  );
  return renderLineChart({
    title: name,
    description: `${quantity} over training steps of run ${run.id}: ${ends.join(', ')}.`,
    yLabel: quantity,
    series: members.map(([metric, { steps, values }]) => ({ name: metric, steps, values })),
  });
};
