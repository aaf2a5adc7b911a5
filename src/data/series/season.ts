import type { SeriesPack } from './series-pack.ts';
import { rowsIn, type Span } from './split-series.ts';

/** As many of the last training steps are looked at. */
const mostSteps = 10_000;
const longestSeason = 2000;

/** A rise of the autocorrelation after a fall that is smaller than this is noise. */
const leastProminence = 0.1;

/** A season's multiples correlate as well as the season itself, up to noise. */
const nearlyBest = 0.9;

/**
 * The steps of a season in the training part, by the autocorrelation of its longest series without its linear trend: the
 * first peak that is nearly as high as the highest. Undefined where there is no peak.
 */
export const findSeason = (pack: SeriesPack, train: Span): number | undefined => {
  const values = longestStretch(pack, train);
  const correlations = autocorrelations(
    withoutTrend(values),
    Math.min(longestSeason, Math.floor(values.length / 3)),
  );
  const bound = 2 / Math.sqrt(Math.max(1, values.length));
  const peaks: { readonly lag: number; readonly height: number }[] = [];
  let lowest = Infinity;
  for (let lag = 1; lag + 1 < correlations.length; lag++) {
    const height = correlations[lag] as number;
    lowest = Math.min(lowest, height);
    const isPeak =
      height > (correlations[lag - 1] as number) && height >= (correlations[lag + 1] as number) && lag >= 2;
    if (isPeak && height > bound && height - lowest > leastProminence) peaks.push({ lag, height });
  }
  const highest = Math.max(...peaks.map(({ height }) => height));
  return peaks.find(({ height }) => height >= nearlyBest * highest)?.lag;
};

/** The first target of the series with the most training steps, each missing value as the one before it. */
const longestStretch = (pack: SeriesPack, train: Span): Float64Array => {
  const ranges = pack.series.map((_, series) => rowsIn(pack, series, train));
  const { first, end } = ranges.reduce((a, b) => (b.end - b.first > a.end - a.first ? b : a));
  const width = pack.columns.length;
  const values: number[] = [];
  for (let row = Math.max(first, end - mostSteps); row < end; row++) {
    const value = pack.values[row * width] as number;
    const before = values.at(-1);
    if (!Number.isNaN(value)) values.push(value);
    else if (before !== undefined) values.push(before);
  }
  return Float64Array.from(values);
};

const withoutTrend = (values: Float64Array): Float64Array => {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let [products, squares] = [0, 0];
  values.forEach((value, at) => {
    products += (at - middle) * (value - mean);
    squares += (at - middle) ** 2;
  });
  const slope = squares > 0 ? products / squares : 0;
  return values.map((value, at) => value - mean - slope * (at - middle));
};

/** By lag, from 0 up to `most`. */
const autocorrelations = (values: Float64Array, most: number): readonly number[] => {
  const variance = values.reduce((sum, value) => sum + value * value, 0);
  if (!(variance > 0)) return [];
  return Array.from({ length: most + 1 }, (_, lag) => {
    let sum = 0;
    for (let at = lag; at < values.length; at++) sum += (values[at] as number) * (values[at - lag] as number);
    return sum / variance;
  });
};
