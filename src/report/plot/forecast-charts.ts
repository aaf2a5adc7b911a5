import type { EvaluationFile, ForecastSeries, PartEvaluation } from '../../record/run-files.ts';
import { renderLineChart, type Band } from './line-chart.ts';

/** Labels along the axis of times. */
const mostTicks = 6;

/** So many characters of labels fit beside each other. */
const mostCharacters = 80;

/** Numbers along the axis of steps ahead. */
const mostSteps = 12;

/** What happened, what was forecast from each cutoff, and the band between the lowest and the highest quantile. */
const renderForecastChart = (
  { series, target, times, truth, forecasts }: ForecastSeries,
  title: string,
): string => {
  const positions = times.map((_, at) => at);
  const longest = times.reduce((most, time) => Math.max(most, time.length), 1);
  const fitting = Math.max(2, Math.min(mostTicks, Math.floor(mostCharacters / longest)));
  const every = Math.max(1, Math.ceil((times.length - 1) / (fitting - 1)));
  const ticks = positions.filter((at) => at % every === 0 || at === times.length - 1);
  const stepsOf = ({ from, values }: ForecastSeries['forecasts'][number]) =>
    values.map((_, step) => from + step);
  const joined = forecasts.flatMap((one) => [
    ...stepsOf(one).map((at, step) => [at, one.values[step] ?? NaN] as const),
    // A gap between one forecast and the next.
    [one.from + one.values.length - 0.5, NaN] as const,
  ]);
  const bands = forecasts.flatMap((one): Band[] =>
    one.low && one.high ? [{ steps: stepsOf(one), low: one.low, high: one.high, series: 1 }] : [],
  );
  const of = series === '' ? target : `${target} of ${series}`;
  return renderLineChart({
    title,
    description: `${of} in the test part, and ${forecasts.length} forecasts of it, each from the dashed line before it.`,
    xLabel: 'time',
    yLabel: of,
    series: [
      { name: 'truth', steps: positions, values: truth.map((value) => value ?? NaN) },
      { name: 'forecast', steps: joined.map(([at]) => at), values: joined.map(([, value]) => value) },
    ],
    // The axis reaches to the last time, whose label may be too near to the one before it.
    xTicks: ticks.map((at) => ({ at, label: at % every === 0 ? (times[at] ?? '') : '' })),
    bands,
    cutoffs: forecasts.map(({ from }) => from - 0.5),
    plain: true,
  });
};

type ByStep = readonly (number | null)[];

/** Curves over the steps of a horizon. */
const renderHorizonChart = (
  curves: readonly { readonly name: string; readonly values: ByStep }[],
  words: { readonly title: string; readonly description: string; readonly yLabel: string },
): string => {
  const horizon = curves[0]?.values.length ?? 0;
  const every = Math.ceil(horizon / mostSteps);
  return renderLineChart({
    ...words,
    xLabel: 'steps ahead',
    xTicks: Array.from({ length: horizon }, (_, at) => ({
      at: at + 1,
      label: at % every === 0 ? String(at + 1) : '',
    })),
    series: curves.map(({ name, values }) => ({
      name,
      steps: values.map((_, at) => at + 1),
      values: values.map((value) => value ?? NaN),
    })),
    plain: true,
  });
};

/** The mean absolute error of each step ahead, of the network and of the baselines. */
const renderErrors = (
  { maeByStep = [], baselines = [] }: Pick<PartEvaluation, 'maeByStep' | 'baselines'>,
  title: string,
): string =>
  renderHorizonChart(
    [
      { name: 'network', values: maeByStep },
      ...baselines.map((baseline) => ({ name: baseline.name, values: baseline.maeByStep })),
    ],
    {
      title,
      description: 'Mean absolute error on the test part by how many steps ahead the forecast is.',
      yLabel: 'mae',
    },
  );

/** How often the truth lies in the band, for each step ahead. */
const renderCoverage = (coverageByStep: ByStep, title: string): string =>
  renderHorizonChart([{ name: 'coverage', values: coverageByStep }], {
    title,
    description:
      'The part of the targets of the test part between the lowest and the highest quantile, by how many steps ahead the forecast is.',
    yLabel: 'coverage',
  });

/** The pictures of a forecast by name; none of another task. */
export const forecastPlots = (
  evaluation: Pick<EvaluationFile, 'forecasts' | 'maeByStep' | 'coverageByStep' | 'baselines'>,
  title: string,
): readonly (readonly [name: string, picture: string])[] => {
  const { forecasts = [], maeByStep = [], coverageByStep = [] } = evaluation;
  return [
    ...forecasts.map(
      (one, at) => [at === 0 ? 'forecast' : `forecast-${at + 1}`, renderForecastChart(one, title)] as const,
    ),
    ...(maeByStep.length > 1 ? [['error-by-horizon', renderErrors(evaluation, title)] as const] : []),
    ...(coverageByStep.length > 1
      ? [['coverage-by-horizon', renderCoverage(coverageByStep, title)] as const]
      : []),
  ];
};
