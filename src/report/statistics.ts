import { mean, sampleStandardDeviation, sampleVariance } from 'simple-statistics';
import { studentT } from './student-t.ts';

/** A range that contains the true mean with 95% confidence, if the values are near normal: `[low, high]`. */
export type Interval = readonly [low: number, high: number];

/** The least and the largest possible value; infinite if there is no bound. */
export type Range = readonly [least: number, largest: number];

export const unbounded: Range = [-Infinity, Infinity];

/** Replicates in a few numbers. Spread and interval need two values at least. */
export interface Summary {
  readonly count: number;
  readonly mean: number;
  /** Sample standard deviation (divided by n - 1). */
  readonly standardDeviation: number | null;
  /** Student's t interval of the mean, kept within the metric's range, see `meanInterval`. */
  readonly interval: Interval | null;
}

/** A difference of two means with its interval and the test of whether it is zero. */
export interface Difference {
  readonly mean: number;
  /**
   * Sample standard deviation of the differences by seed; unpaired: the root of the mean of the two variances. Null
   * where there are too few values.
   */
  readonly standardDeviation: number | null;
  /** 95%, for this difference alone. */
  readonly interval: Interval | null;
  /** Two-sided p-value of the paired t-test or of Welch's, not corrected for the number of comparisons. */
  readonly pValue: number | null;
  /** `paired`: over the `count` seeds that both have; `unpaired`: too few are shared. */
  readonly kind: 'paired' | 'unpaired';
  readonly count: number;
}

const confidence = 0.95;

/** Half the width of a t interval around a mean. */
const halfWidth = (standardError: number, degreesOfFreedom: number): number =>
  standardError === 0 ? 0 : studentT().studentt.inv((1 + confidence) / 2, degreesOfFreedom) * standardError;

/** Two-sided, of Student's t. Without spread every difference but zero is certain. */
const pValueOf = (center: number, standardError: number, degreesOfFreedom: number): number => {
  if (standardError === 0) return center === 0 ? 1 : 0;
  return Math.min(1, 2 * studentT().studentt.cdf(-Math.abs(center / standardError), degreesOfFreedom));
};

/**
 * An interval around a mean that stays in the range of the values. It is the t interval of g(mean), carried back, where
 * g is the logit for a range with two ends and the logarithm of the distance to the end for a range with one. The
 * standard error of g(mean) is that of the mean times g'(mean) (the delta method: Agresti, Categorical Data Analysis,
 * 3rd edition 2013, section 3.1; Meeker and Escobar, Statistical Methods for Reliability Data, 1998, section 7.3). It
 * always contains the mean. Far from the ends it is the plain interval, mean ± half. Plain, too: a mean outside or at
 * an end of the range, where all values are equal.
 */
export const meanInterval = (center: number, half: number, [least, largest]: Range): Interval => {
  if (half === 0 || center <= least || center >= largest) return [center - half, center + half];
  if (Number.isFinite(least) && Number.isFinite(largest)) {
    const share = (center - least) / (largest - least);
    const scaled = half / ((largest - least) * share * (1 - share));
    // The logistic function of logit(share) ± scaled, without a logarithm.
    const at = (shift: number) => least + (largest - least) / (1 + ((1 - share) / share) * Math.exp(-shift));
    return [at(-scaled), at(scaled)];
  }
  if (Number.isFinite(least)) {
    const distance = center - least;
    return [least + distance * Math.exp(-half / distance), least + distance * Math.exp(half / distance)];
  }
  if (Number.isFinite(largest)) {
    const distance = largest - center;
    return [largest - distance * Math.exp(half / distance), largest - distance * Math.exp(-half / distance)];
  }
  return [center - half, center + half];
};

/** Mean, spread and 95% interval of at least one value. Values that are not finite must be left out before. */
export const summarize = (values: readonly number[], range: Range = unbounded): Summary => {
  const list = [...values];
  const count = list.length;
  const center = mean(list);
  if (count < 2) return { count, mean: center, standardDeviation: null, interval: null };
  const standardDeviation = sampleStandardDeviation(list);
  const half = halfWidth(standardDeviation / Math.sqrt(count), count - 1);
  return { count, mean: center, standardDeviation, interval: meanInterval(center, half, range) };
};

/**
 * How far the mean of `one` lies above that of `other`, both by seed. With two shared seeds or more, the differences
 * seed by seed are summarized, which cancels what a seed does to both. With fewer, test and interval are Welch's
 * (1947), and absent where a side has a single value.
 */
export const difference = (
  one: ReadonlyMap<string, number>,
  other: ReadonlyMap<string, number>,
  range: Range = unbounded,
): Difference => {
  const shared: number[] = [];
  for (const [seed, value] of one) {
    const opposite = other.get(seed);
    if (opposite !== undefined) shared.push(value - opposite);
  }
  const size = largest([...one.values(), ...other.values()]);
  // Values in [0, 1] differ by a value in [-1, 1].
  const extent = range[1] - range[0];
  const gaps: Range = [-extent, extent];
  if (shared.length < 2) return welch([...one.values()], [...other.values()], { size, gaps });
  const list = shared.map((value) => withoutRounding(value, size));
  const { count, standardDeviation, mean: exact } = summarize(list);
  const center = withoutRounding(exact, size);
  const standardError = (standardDeviation ?? 0) / Math.sqrt(count);
  return {
    mean: center,
    standardDeviation,
    interval: meanInterval(center, halfWidth(standardError, count - 1), gaps),
    pValue: pValueOf(center, standardError, count - 1),
    kind: 'paired',
    count,
  };
};

const largest = (values: readonly number[]): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** A difference without what is left of the rounding of numbers of that size: 0.1 + 0.2 - 0.3 is nothing. */
const withoutRounding = (difference: number, size: number): number =>
  Math.abs(difference) <= 1e-12 * size ? 0 : difference;

const welch = (
  one: number[],
  other: number[],
  { size, gaps }: { readonly size: number; readonly gaps: Range },
): Difference => {
  const center = withoutRounding(mean(one) - mean(other), size);
  const base = { mean: center, kind: 'unpaired', count: Math.min(one.length, other.length) } as const;
  if (one.length < 2 || other.length < 2) {
    return { ...base, standardDeviation: null, interval: null, pValue: null };
  }
  const variances = [one, other].map((list) => sampleVariance(list)) as [number, number];
  const [a, b] = [variances[0] / one.length, variances[1] / other.length];
  const standardError = Math.sqrt(a + b);
  const degreesOfFreedom =
    standardError === 0
      ? one.length + other.length - 2
      : (a + b) ** 2 / (a ** 2 / (one.length - 1) + b ** 2 / (other.length - 1));
  return {
    ...base,
    standardDeviation: Math.sqrt((variances[0] + variances[1]) / 2),
    interval: meanInterval(center, halfWidth(standardError, degreesOfFreedom), gaps),
    pValue: pValueOf(center, standardError, degreesOfFreedom),
  };
};
