import { expect, test } from 'vitest';
import { difference, type Difference } from '../../src/report/statistics.ts';
import { compareWithBest, holm, seedsToSeparate } from '../../src/report/ties.ts';

const bySeed = (values: readonly number[], first = 1) =>
  new Map(values.map((value, i) => [String(first + i), value]));
const gapOf = (one: readonly number[], best: readonly number[]) => difference(bySeed(one), bySeed(best));
const verdictsOf = (gaps: readonly Difference[], spread: number) =>
  compareWithBest(gaps, spread).map(({ verdict }) => verdict);

// statsmodels 0.14: multipletests([0.03, 0.001, 0.04, 0.2], method='holm')[1]
test("p-values are corrected by Holm's method as in statsmodels", () => {
  const corrected = holm([0.03, 0.001, 0.04, 0.2]);
  for (const [at, value] of [0.09, 0.004, 0.09, 0.2].entries()) expect(corrected[at]).toBeCloseTo(value, 12);
  expect(holm([0.7, 0.9])).toEqual([1, 1]);
  expect(holm([])).toEqual([]);
});

const best = [0.95, 0.96, 0.94, 0.955];

test('a difference that would be separated alone is not among many', () => {
  // stats.ttest_rel: p = 0.02296 for the first, more than 0.5 for the other.
  const close = gapOf([0.94, 0.953, 0.937, 0.944], best);
  expect(close.pValue).toBeCloseTo(0.022958230290699114, 9);
  expect(verdictsOf([close], 0.02)).toEqual(['separated']);
  const noise = gapOf([0.949, 0.961, 0.938, 0.956], best);
  expect(verdictsOf([noise, noise, close], 0.02)).toEqual(['tied', 'tied', 'tied']);
});

test('two seeds are too few to tell, and so is one', () => {
  expect(verdictsOf([gapOf([0.94, 0.952], best.slice(0, 2))], 1)).toEqual(['unclear']);
  expect(compareWithBest([gapOf([0.94], [0.95])], 0.01)).toEqual([
    { verdict: 'unclear', correctedPValue: null },
  ]);
  // Equal values are tied however few they are.
  expect(verdictsOf([gapOf([0.95, 0.96], best.slice(0, 2))], 0.01)).toEqual(['tied']);
});

test('an interval as wide as all values together says nothing', () => {
  const wild = gapOf([0.2, 0.99, 0.91, 0.95], best);
  expect(verdictsOf([wild], 0.79)).toEqual(['tied']);
  expect(verdictsOf([wild], 0.5)).toEqual(['unclear']);
});

test('no configuration is tied behind one that is separated', () => {
  const clear = gapOf(
    best.map((value) => value - 0.02),
    best,
  );
  const wild = gapOf([0.7, 0.99, 0.91, 0.95], best);
  expect(wild.pValue).toBeGreaterThan(0.05);
  expect(verdictsOf([clear, wild], 1)).toEqual(['separated', 'unclear']);
  expect(verdictsOf([wild, clear], 1)).toEqual(['tied', 'separated']);
});

/** A difference with the given effect in standard deviations that these seeds do not separate. */
const effectOf = (effect: number, kind: 'paired' | 'unpaired' = 'paired', pValue = 0.5): Difference => ({
  mean: effect,
  standardDeviation: 1,
  interval: [effect - 3, effect + 3],
  pValue,
  kind,
  count: 3,
});

// statsmodels 0.14, rounded up: TTestPower().solve_power(effect_size=e, alpha=0.05, power=0.8) and TTestIndPower()
test.each([
  [0.5, 'paired', 34],
  [1.2, 'paired', 8],
  [0.86, 'paired', 13],
  [0.1, 'paired', 787],
  [0.05, 'paired', 3142],
  [3, 'paired', 4],
  [0.5, 'unpaired', 64],
  [1.2, 'unpaired', 12],
] as const)('an effect of %d, %s, needs %d seeds', (effect, kind, seeds) => {
  expect(seedsToSeparate([effectOf(effect, kind)])).toBe(seeds);
});

test("the number of seeds is for the level that Holm's method asks for", () => {
  // TTestPower().solve_power(effect_size=1.2, alpha=0.05 / 3, power=0.8) = 10.27
  expect(seedsToSeparate([effectOf(1.2), effectOf(1, 'paired', 0.9), effectOf(1, 'paired', 0.8)])).toBe(11);
  // Those with a smaller p-value are tested before.
  expect(seedsToSeparate([effectOf(1.2), effectOf(9, 'paired', 0.001)])).toBe(8);
});

test('no number of seeds separates equal means, and nothing is said without a spread', () => {
  expect(seedsToSeparate([gapOf([0.1, 0.3, 0.2], [0.3, 0.1, 0.2])])).toBe(Infinity);
  expect(seedsToSeparate([gapOf([0.1, 0.1], [0.1, 0.1])])).toBe(Infinity);
  expect(seedsToSeparate([gapOf([0.1, 0.1], [0.2, 0.2])])).toBe(null);
  expect(seedsToSeparate([gapOf([0.1], [0.2])])).toBe(null);
  expect(seedsToSeparate([])).toBe(null);
  expect(seedsToSeparate([effectOf(40)])).toBe(2);
});

test('a large effect on two seeds is not overrated where the level is small', () => {
  const others = [0.9, 0.9, 0.9, 0.9].map((pValue) => effectOf(1, 'paired', pValue));
  // At two seeds the power is 0.47: noncentrality 40, one degree of freedom, critical value 63.7 at 0.05 / 5.
  expect(seedsToSeparate([effectOf(28.3), ...others])).toBe(3);
});
