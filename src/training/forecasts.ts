import type { Batch, SequenceShape, Split } from '../data/dataset.ts';
import type { ForecastPart } from '../data/forecast-part.ts';
import { middleOf } from '../data/quantiles.ts';
import type { Loss } from '../losses/loss.ts';
import { createStepErrors, type StepErrors } from '../metrics/step-errors.ts';
import type { EvaluationFile, ForecastSeries } from '../record/run-files.ts';

/** How many series are recorded, from the first on, and how many forecasts of each, which do not overlap. */
const mostSeries = 4;
const mostForecasts = 40;

/** Steps before the first forecast that are drawn with it. */
const stepsBefore = 24;

/**
 * What an end evaluation records of a forecast: of the first series, forecasts that follow one another. They are taken
 * from the front of the part, so the runs of a dataset record the same ones and can be compared.
 */
export interface Forecasts {
  /** Takes the batch of the windows from `from` on, in the order of the part, with the network's outputs for it. */
  readonly add: (from: number, batch: Batch, outputs: Float32Array) => void;
  readonly evaluation: () => Pick<EvaluationFile, 'forecasts' | keyof StepErrors>;
}

interface Recorded {
  readonly first: number;
  end: number;
  readonly forecasts: { readonly origin: number; readonly values: Quantiles }[];
}

interface Quantiles {
  readonly middle: number[];
  readonly low?: number[];
  readonly high?: number[];
}

/** Collects forecasts of the first target, and the errors of all targets; nothing of another task. */
export const collectForecasts = (
  { task }: SequenceShape,
  { forecast, scaling, naiveError, weight }: Split,
  { quantiles = [0.5], predictions }: Pick<Loss, 'quantiles' | 'predictions'>,
): Forecasts => {
  const recorded = new Map<string, Recorded>();
  if (task.kind !== 'forecast' || !forecast) return { add: () => undefined, evaluation: () => ({}) };
  const { horizon, targets } = task;
  const width = horizon * targets.length * quantiles.length;
  const middle = middleOf(quantiles);
  const last = quantiles.length - 1;
  const errors = createStepErrors(horizon);

  /** One quantile of a target over the horizon, in its own unit. */
  const read = (predicted: Float32Array, row: number, index: number) => {
    const scales = scaling?.(index);
    return (quantile: number, target = 0): number[] =>
      Array.from({ length: horizon }, (_, step) => {
        const at = row * width + (step * targets.length + target) * quantiles.length + quantile;
        return (predicted[at] as number) / (scales?.factor[target] ?? 1) + (scales?.mean[target] ?? 0);
      });
  };

  const addErrors = (quantile: ReturnType<typeof read>, index: number, origin: number): void => {
    const naiveErrors = naiveError?.(index);
    for (let target = 0; target < targets.length; target++) {
      const band = last > 0 ? { low: quantile(0, target), high: quantile(last, target) } : undefined;
      quantile(middle, target).forEach((prediction, step) => {
        errors.add(step, {
          truth: forecast.truthAt(origin + step, target),
          prediction,
          ...(band && { band: { low: band.low[step] as number, high: band.high[step] as number } }),
          naiveError: naiveErrors?.[target],
          weight: weight?.(index) ?? 1,
        });
      });
    }
  };

  const add: Forecasts['add'] = (from, { size }, outputs) => {
    const predicted = predictions?.(outputs) ?? outputs;
    for (let row = 0; row < size; row++) {
      const index = from + row;
      const series = forecast.seriesOf(index);
      const origin = forecast.originOf(index);
      const quantile = read(predicted, row, index);
      addErrors(quantile, index, origin);
      const known = recorded.get(series);
      if (known ? origin < known.end || known.forecasts.length >= mostForecasts : recorded.size >= mostSeries)
        continue;
      const one = known ?? { first: origin, end: origin, forecasts: [] };
      one.forecasts.push({
        origin,
        values: {
          middle: quantile(middle),
          ...(last > 0 && { low: quantile(0), high: quantile(last) }),
        },
      });
      one.end = origin + horizon;
      recorded.set(series, one);
    }
  };
  return {
    add,
    evaluation: () => ({
      forecasts: [...recorded].map(([series, one]) =>
        seriesOf(series, one, { forecast, target: targets[0] ?? '' }),
      ),
      ...errors.values(),
    }),
  };
};

const seriesOf = (
  series: string,
  { first, end, forecasts }: Recorded,
  { forecast, target }: { readonly forecast: ForecastPart; readonly target: string },
): ForecastSeries => {
  const start = Math.max(forecast.firstRow(first), first - stepsBefore);
  const rows = Array.from({ length: end - start }, (_, at) => start + at);
  return {
    series,
    target,
    times: rows.map((row) => forecast.timeAt(row)),
    truth: rows.map((row) => {
      const value = forecast.truthAt(row, 0);
      return Number.isNaN(value) ? null : value;
    }),
    forecasts: forecasts.map(({ origin, values: { middle, low, high } }) => ({
      from: origin - start,
      values: middle,
      ...(low && { low }),
      ...(high && { high }),
    })),
  };
};
