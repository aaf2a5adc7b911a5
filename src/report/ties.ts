import type { Difference } from './statistics.ts';
import { studentT } from './student-t.ts';

/**
 * How a configuration compares with the best one.
 *
 * - `separated`: worse, beyond what seeds explain, with the error of the whole table kept below 5%.
 * - `tied`: these seeds do not separate the two, and they vary so little that this is worth saying.
 * - `unclear`: too few seeds to tell.
 */
export type Verdict = 'separated' | 'tied' | 'unclear';

/** The probability of calling any configuration of a table separated that is not. */
const familyLevel = 0.05;

/** The usual probability of finding a difference that is there (Cohen 1988). */
const power = 0.8;

/** Two seeds estimate the spread with one degree of freedom, so an interval is nearly always wider than all values. */
const fewestSeeds = 3;

/** More seeds than anybody trains. */
const mostSeeds = 10_000;

/**
 * p-values corrected for their number by the step-down method of Holm (1979), in the order given: the smallest of m is
 * multiplied by m, the next by m - 1, and none is below the one before.
 */
export const holm = (pValues: readonly number[]): number[] => {
  const order = pValues.map((_, at) => at).sort((a, b) => (pValues[a] ?? 0) - (pValues[b] ?? 0));
  const corrected: number[] = [];
  let before = 0;
  for (const [place, at] of order.entries()) {
    before = Math.min(1, Math.max(before, (pValues[at] ?? 1) * (pValues.length - place)));
    corrected[at] = before;
  }
  return corrected;
};

export interface ComparedWithBest {
  readonly verdict: Verdict;
  /** The p-value of the difference, corrected for the number of comparisons; null where there is none. */
  readonly correctedPValue: number | null;
}

/**
 * The verdicts on configurations by their differences to the best one, in the order of their ranks. `spread` is the
 * largest minus the least of all values compared.
 *
 * Two rules keep `tied` believable. An interval from two seeds, or one that reaches as far as all values are apart, proves
 * nothing: `unclear`. And no configuration ranked behind a separated one is tied: if the test does not separate it although it is worse, it only
 * varies more from seed to seed. So ties are the first ranks without a gap.
 */
export const compareWithBest = (gaps: readonly Difference[], spread: number): ComparedWithBest[] => {
  const tested = gaps.flatMap(({ pValue }, at) => (pValue === null ? [] : [{ pValue, at }]));
  const corrected = new Map(
    holm(tested.map(({ pValue }) => pValue)).map((value, index) => [tested[index]?.at, value]),
  );
  let behindSeparated = false;
  return gaps.map(({ interval, count }, at): ComparedWithBest => {
    const correctedPValue = corrected.get(at) ?? null;
    if (interval === null || correctedPValue === null) return { verdict: 'unclear', correctedPValue };
    if (correctedPValue < familyLevel) {
      behindSeparated = true;
      return { verdict: 'separated', correctedPValue };
    }
    const half = (interval[1] - interval[0]) / 2;
    const saysNothing = half > 0 && (count < fewestSeeds || half >= spread);
    return { verdict: saysNothing || behindSeparated ? 'unclear' : 'tied', correctedPValue };
  });
};

/**
 * How many seeds, each trained for both, would separate the first of these differences with a probability of 80%, if
 * mean and spread are those observed; more than 10,000 is `Infinity`. Null where the two are separated already or the
 * spread is not known. The level is the one that Holm's method asks of this difference among the others.
 */
export const seedsToSeparate = (gaps: readonly Difference[]): number | null => {
  const [first, ...others] = gaps;
  if (!first || first.pValue === null || first.standardDeviation === null) return null;
  const own = first.pValue;
  const smaller = others.filter(({ pValue }) => pValue !== null && pValue < own).length;
  const level = familyLevel / (gaps.filter(({ pValue }) => pValue !== null).length - smaller);
  if (first.standardDeviation === 0) return first.mean === 0 ? Infinity : null;
  const effect = Math.abs(first.mean) / first.standardDeviation;
  const enough = (seeds: number) =>
    powerOf(effect, seeds, { level, paired: first.kind === 'paired' }) >= power;
  if (!enough(mostSeeds)) return Infinity;
  let [below, above] = [1, mostSeeds];
  while (above - below > 1) {
    const middle = Math.floor((below + above) / 2);
    if (enough(middle)) above = middle;
    else below = middle;
  }
  return above;
};

/**
 * The power of a two-sided t-test from the noncentral t distribution, with the effect in standard deviations (Cohen
 * 1988): paired over n differences, or between two groups of n.
 */
const powerOf = (
  effect: number,
  seeds: number,
  { level, paired }: { readonly level: number; readonly paired: boolean },
): number => {
  if (seeds < 2) return 0;
  const degreesOfFreedom = paired ? seeds - 1 : 2 * seeds - 2;
  const noncentrality = effect * Math.sqrt(paired ? seeds : seeds / 2);
  const critical = studentT().studentt.inv(1 - level / 2, degreesOfFreedom);
  // Its series underflows for large noncentrality, where it is far above any critical value of five seeds or more.
  if (noncentrality > 30) return noncentrality > 4 * critical ? 1 : 0;
  const below = studentT().noncentralt.cdf(critical, degreesOfFreedom, noncentrality);
  return 1 - below + studentT().noncentralt.cdf(-critical, degreesOfFreedom, noncentrality);
};
