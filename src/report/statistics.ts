import jstat from 'jstat';
import { mean, sampleStandardDeviation, sampleVariance } from 'simple-statistics';

/** A range that holds the true mean with 95% confidence, if the values are near normal: `[low, high]`. */
type Interval = readonly [low: number, high: number];

/** Replicates in a few numbers. Spread and interval need two values at least. */
export interface Summary {
  readonly count: number;
  readonly mean: number;
  /** Sample standard deviation (divided by n - 1). */
  readonly standardDeviation: number | null;
  /** Student's t interval of the mean: mean ± t(0.975, n - 1) · s / √n. */
  readonly interval: Interval | null;
}

/** A difference of two means with its interval. */
export interface Difference {
  readonly mean: number;
  readonly interval: Interval | null;
  /** `paired`: over the `count` seeds that both have; `unpaired`: too few are shared. */
  readonly kind: 'paired' | 'unpaired';
  readonly count: number;
}

const confidence = 0.95;

/** Half the width of an interval around a mean. */
const halfWidth = (standardError: number, degreesOfFreedom: number): number =>
  standardError === 0 ? 0 : jstat.studentt.inv((1 + confidence) / 2, degreesOfFreedom) * standardError;

const around = (center: number, half: number): Interval => [center - half, center + half];

/** Mean, spread and 95% interval of at least one value. Values that are not finite must be left out before. */
export const summarize = (values: readonly number[]): Summary => {
  const list = [...values];
  const count = list.length;
  const center = mean(list);
  if (count < 2) return { count, mean: center, standardDeviation: null, interval: null };
  const standardDeviation = sampleStandardDeviation(list);
  return {
    count,
    mean: center,
    standardDeviation,
    interval: around(center, halfWidth(standardDeviation / Math.sqrt(count), count - 1)),
  };
};

/**
 * How far the mean of `one` lies above that of `other`, both by seed. With two shared seeds or more, the differences
 * seed by seed are summarized, which cancels what a seed does to both. With fewer, the interval is Welch's (1947), and
 * absent where a side has a single value.
 */
export const difference = (
  one: ReadonlyMap<string, number>,
  other: ReadonlyMap<string, number>,
): Difference => {
  const shared: number[] = [];
  for (const [seed, value] of one) {
    const opposite = other.get(seed);
    if (opposite !== undefined) shared.push(value - opposite);
  }
  const size = largest([...one.values(), ...other.values()]);
  if (shared.length >= 2) {
    const { count, mean: center, interval } = summarize(shared.map((value) => withoutRounding(value, size)));
    return { mean: withoutRounding(center, size), interval, kind: 'paired', count };
  }
  return welch([...one.values()], [...other.values()], size);
};

const largest = (values: readonly number[]): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** A difference without what is left of the rounding of numbers of that size: 0.1 + 0.2 - 0.3 is nothing. */
const withoutRounding = (difference: number, size: number): number =>
  Math.abs(difference) <= 1e-12 * size ? 0 : difference;

const welch = (one: number[], other: number[], size: number): Difference => {
  const center = withoutRounding(mean(one) - mean(other), size);
  const base = { mean: center, kind: 'unpaired', count: Math.min(one.length, other.length) } as const;
  if (one.length < 2 || other.length < 2) return { ...base, interval: null };
  const [a, b] = [one, other].map((list) => sampleVariance(list) / list.length) as [number, number];
  if (a + b === 0) return { ...base, interval: around(center, 0) };
  const degreesOfFreedom = (a + b) ** 2 / (a ** 2 / (one.length - 1) + b ** 2 / (other.length - 1));
  return { ...base, interval: around(center, halfWidth(Math.sqrt(a + b), degreesOfFreedom)) };
};

/**
 * The rule for "tied with the best": the 95% interval of the difference to the best holds zero, so these seeds do not
 * tell the two apart. It is not corrected for the number of configurations, and it never says that two configurations are equal. Without
 * an interval (a single seed) nothing is said: false.
 */
export const tied = ({ interval }: Difference): boolean =>
  interval !== null && interval[0] <= 0 && interval[1] >= 0;
