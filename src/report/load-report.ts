import { encodeNumbers } from '../system/json.ts';
import { basename, isAbsolute, join, relative, resolve } from 'node:path';
import { shortNames } from '../terminal/run-name.ts';
import { readJsonIfWhole } from '../system/files.ts';
import { proposedCommand } from '../system/proposed-command.ts';
import { readMetrics, type MetricSeries } from '../record/read-metrics.ts';
import type { RecordedRun } from '../record/run-state.ts';
import {
  fileNames,
  parseData,
  parseEnvironment,
  parseEvaluation,
  type EvaluationFile,
} from '../record/run-files.ts';
import { compareSweeps, runsOfSweeps, type ChosenSweeps } from './chosen-sweeps.ts';
import type { ComparedConfiguration, Comparison } from './compare.ts';
import { importances } from './importance.ts';
import type { ReportData, ReportRun, CurveTable } from './report-data.ts';
import { dataFields } from './data-fields.ts';
import { environmentFields } from './show.ts';
import { originOf } from '../plan/origin.ts';
import { flatSettings } from '../plan/flat-settings.ts';

/** Evaluations (confusion matrix, images) of the best runs only: they are large. */
const mostEvaluations = 50;
const runsWithImages = 8;

/** Reads what a report shows of sweeps. */
export const loadReport = async (
  chosen: ChosenSweeps,
  { runsDirectory, now, reloadSeconds = null }: ReportOptions,
): Promise<ReportData> => {
  const { runs: recorded } = runsOfSweeps(chosen, runsDirectory);
  const comparison = compareSweeps(chosen, recorded);
  const folder = namedFolder(runsDirectory);

  const histories = new Map<string, Map<string, MetricSeries>>();
  for (const { run, directory } of recorded) {
    const { series } = await readMetrics(directory);
    for (const [metric, one] of series) {
      const runs = histories.get(metric);
      if (runs) runs.set(run.id, one);
      else histories.set(metric, new Map([[run.id, one]]));
    }
  }
  const curves = [...histories].filter(([, runs]) => [...runs.values()].some((one) => one.steps.length > 1));

  return {
    generatedAt: now,
    comparison: withoutPaths(comparison),
    names: Object.fromEntries(shortNames(comparison.axes)),
    curves: Object.fromEntries(curves.map(([metric, runs]) => [metric, curveTable(runs)])),
    importances: importances(
      comparison.configurations.filter(({ group }) => group === 0),
      comparison.axes,
    ),
    runs: Object.fromEntries(recorded.map((one) => [one.run.id, reportRun(one, folder.name)])),
    evaluations: evaluationsOf(comparison.configurations),
    besideFolder: folder.elsewhere ? folder.name : null,
    specs: specsOf(chosen),
    reloadSeconds,
  };
};

/** The specs of sweeps, each once. */
const specsOf = ({ sweeps }: ChosenSweeps): ReportData['specs'] => [
  ...new Map(sweeps.map(({ plan: { spec } }) => [JSON.stringify(spec), spec])).values(),
];

export interface ReportOptions {
  readonly runsDirectory: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly reloadSeconds?: number | null;
}

/** A page may be passed on: it keeps no paths of this machine. */
const withoutPaths = (comparison: Comparison): Comparison => ({
  ...comparison,
  configurations: comparison.configurations.map((configuration) => ({
    ...configuration,
    runs: configuration.runs.map((run) => ({ ...run, directory: null })),
  })),
});

/** The folder of the runs as a command names it from here, or from its parent if it is not below this folder. */
const namedFolder = (runsDirectory: string): { readonly name: string; readonly elsewhere: boolean } => {
  const fromHere = relative(process.cwd(), resolve(runsDirectory));
  const elsewhere = isAbsolute(fromHere) || fromHere.split(/[/\\]/)[0] === '..';
  return { name: elsewhere ? basename(resolve(runsDirectory)) : fromHere || '.', elsewhere };
};

const reportRun = ({ run, status, directory, metrics }: RecordedRun, folder: string): ReportRun => {
  const environment = readJsonIfWhole(join(directory, fileNames.environment), parseEnvironment);
  const data = readJsonIfWhole(join(directory, fileNames.data), parseData);
  const origin = originOf(run);
  return {
    config: {
      ...Object.fromEntries(flatSettings(run)),
      ...(origin.length > 0 && { origin: origin.join('; ') }),
    },
    startedAt: status?.startedAt ?? null,
    attempt: status?.attempt ?? 0,
    environment: environment ? environmentFields(environment) : [],
    data: data ? dataFields(data) : [],
    metrics: encodeNumbers(metrics),
    command: proposedCommand(['show', run.id], folder),
  };
};

/** What the page does not show, or only of the best runs. */
const large = new Set(['predictions', 'scores', 'validation', 'images', 'forecasts']);

const withoutLarge = (evaluation: EvaluationFile): EvaluationFile =>
  Object.fromEntries(Object.entries(evaluation).filter(([key]) => !large.has(key))) as EvaluationFile;

const evaluationsOf = (configurations: readonly ComparedConfiguration[]): Record<string, EvaluationFile> => {
  const best = configurations
    .flatMap((configuration) => configuration.runs)
    .filter((run) => run.value !== null && run.directory !== null);
  const evaluations: Record<string, EvaluationFile> = {};
  for (const [at, run] of best.slice(0, mostEvaluations).entries()) {
    const evaluation = readJsonIfWhole(join(run.directory ?? '', fileNames.evaluation), parseEvaluation);
    if (!evaluation) continue;
    const { images, forecasts } = evaluation;
    evaluations[run.id] = {
      ...withoutLarge(evaluation),
      ...(forecasts && at < runsWithImages && { forecasts }),
      ...(images && at < runsWithImages && { images }),
    };
  }
  return evaluations;
};

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
