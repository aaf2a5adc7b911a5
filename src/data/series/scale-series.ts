import type { SeriesParameters } from './parameters.ts';
import type { SeriesPack } from './series-pack.ts';
import { rowsIn, type Span } from './split-series.ts';

/** What is taken from each column of a series, and what the rest is multiplied with, `[series * columns]`. */
export interface SeriesScaling {
  readonly mean: Float64Array;
  /** One over the standard deviation (of the population); 1 for a column that is always the same. */
  readonly factor: Float64Array;
}

/** Count, mean and sum of squared distances from it, in one pass (Welford 1962). */
interface Moments {
  count: number;
  mean: number;
  spread: number;
}

export interface FittedScaling {
  readonly scaling: SeriesScaling;
  /** `[series * columns]`, in the unit of the file. */
  readonly means: Float64Array;
  /** By column: the same of all series together. */
  readonly pooled: SeriesScaling & { readonly means: readonly number[] };
}

/** Mean and scale of each column and series, of the values that the training part has. */
export const fitSeriesScaling = (
  pack: SeriesPack,
  scale: SeriesParameters['scale'],
  train: Span,
): FittedScaling => {
  const width = pack.columns.length;
  const size = pack.series.length * width;
  const scaling = { mean: new Float64Array(size), factor: new Float64Array(size).fill(1) };
  const means = new Float64Array(size);
  const own = pack.series.map((_, series) => momentsOf(pack, [series], train));
  const all = pack.series.length === 1 ? own[0] : momentsOf(pack, [...pack.series.keys()], train);
  for (let series = 0; series < pack.series.length; series++) {
    for (let column = 0; column < width; column++) {
      const pooled = all?.[column] ?? none();
      const single = own[series]?.[column] ?? none();
      // A series that begins after the training part has nothing of its own to measure.
      const moments = scale === 'all' || single.count === 0 ? pooled : single;
      const at = series * width + column;
      means[at] = moments.mean;
      const fitted = scaleOf(moments, scale);
      scaling.mean[at] = fitted.mean;
      scaling.factor[at] = fitted.factor;
    }
  }
  const together = (all ?? []).map((moments) => scaleOf(moments, scale));
  const pooled = {
    mean: Float64Array.from(together, ({ mean }) => mean),
    factor: Float64Array.from(together, ({ factor }) => factor),
    means: (all ?? []).map(({ mean }) => mean),
  };
  return { scaling, means, pooled };
};

const scaleOf = (
  { count, mean, spread }: Moments,
  scale: SeriesParameters['scale'],
): { readonly mean: number; readonly factor: number } =>
  scale === 'none'
    ? { mean: 0, factor: 1 }
    : { mean, factor: spread > 0 ? 1 / Math.sqrt(spread / count) : 1 };

const none = (): Moments => ({ count: 0, mean: 0, spread: 0 });

const momentsOf = (pack: SeriesPack, series: readonly number[], train: Span): readonly Moments[] => {
  const width = pack.columns.length;
  const moments = pack.columns.map(none);
  for (const one of series) {
    const { first, end } = rowsIn(pack, one, train);
    for (let row = first; row < end; row++) {
      for (let column = 0; column < width; column++) {
        const value = pack.values[row * width + column] as number;
        if (Number.isNaN(value)) continue;
        const sum = moments[column] as Moments;
        sum.count++;
        const distance = value - sum.mean;
        sum.mean += distance / sum.count;
        sum.spread += distance * (value - sum.mean);
      }
    }
  }
  return moments;
};
