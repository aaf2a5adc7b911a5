import { expect, test } from 'vitest';
import { difference, summarize, tied } from '../../src/report/statistics.ts';

const one = [0.971, 0.968, 0.975, 0.9702, 0.9731];
const other = [0.969, 0.969, 0.9715, 0.9695, 0.9711];
const bySeed = (values: readonly number[], first = 1) =>
  new Map(values.map((value, i) => [String(first + i), value]));

// The expected numbers come from SciPy 1.17:
//   a, b, c = np.array([...]), np.array([...]), [0.95, 0.93, 0.96]
//   np.mean(a), np.std(a, ddof=1), stats.t.interval(0.95, len(a) - 1, loc=np.mean(a), scale=stats.sem(a))
test('mean, sample standard deviation and t interval are those of SciPy', () => {
  const summary = summarize(one);
  expect(summary.count).toBe(5);
  expect(summary.mean).toBeCloseTo(0.97146, 12);
  expect(summary.standardDeviation).toBeCloseTo(0.0026922109872742177, 12);
  expect(summary.interval?.[0]).toBeCloseTo(0.9681171785415329, 10);
  expect(summary.interval?.[1]).toBeCloseTo(0.9748028214584669, 10);
});

// stats.t.interval(0.95, 1, loc=1.5, scale=stats.sem([1, 2]))
test('two values have the wide interval of one degree of freedom', () => {
  const { interval } = summarize([1, 2]);
  expect(interval?.[0]).toBeCloseTo(-4.853102368087347, 7);
  expect(interval?.[1]).toBeCloseTo(7.853102368087347, 7);
});

test('one value has neither spread nor interval; equal values have an interval of no width', () => {
  expect(summarize([0.5])).toEqual({ count: 1, mean: 0.5, standardDeviation: null, interval: null });
  expect(summarize([0.5, 0.5, 0.5])).toEqual({
    count: 3,
    mean: 0.5,
    standardDeviation: 0,
    interval: [0.5, 0.5],
  });
});

// d = a - b; np.mean(d), stats.t.interval(0.95, 4, loc=np.mean(d), scale=stats.sem(d))
test('what rounding leaves of equal means is no difference', () => {
  const equal = difference(bySeed([0.1, 0.2, 0.3]), bySeed([0.3, 0.1, 0.2]));
  expect(equal.mean).toBe(0);
  const almost = difference(bySeed([0.1 + 0.2, 0.5]), bySeed([0.3, 0.5]));
  expect(almost).toMatchObject({ mean: 0, interval: [0, 0] });
  expect(tied(almost)).toBe(true);
  expect(difference(bySeed([1e-9, 2e-9]), bySeed([2e-9, 3e-9])).mean).toBeCloseTo(-1e-9, 12);
});

test('the difference on shared seeds is paired', () => {
  const gap = difference(bySeed(one), bySeed(other));
  expect(gap).toMatchObject({ kind: 'paired', count: 5 });
  expect(gap.mean).toBeCloseTo(0.00144, 12);
  expect(gap.interval?.[0]).toBeCloseTo(-0.0006535942597002387, 10);
  expect(gap.interval?.[1]).toBeCloseTo(0.003533594259700188, 10);
  expect(tied(gap)).toBe(true);
});

test('pairing takes the shared seeds alone, whatever their order', () => {
  const shuffled = new Map([...bySeed(other)].reverse()).set('99', 0.1);
  expect(difference(bySeed(one), shuffled)).toEqual({
    ...difference(bySeed(one), bySeed(other)),
    mean: expect.closeTo(0.00144, 12) as number,
  });
});

// r = stats.ttest_ind(a, c, equal_var=False); r.confidence_interval(0.95)
test('without shared seeds the interval is that of Welch', () => {
  const gap = difference(bySeed(one), bySeed([0.95, 0.93, 0.96], 100));
  expect(gap.kind).toBe('unpaired');
  expect(gap.mean).toBeCloseTo(0.024793333333333223, 12);
  expect(gap.interval?.[0]).toBeCloseTo(-0.012209932759889623, 9);
  expect(gap.interval?.[1]).toBeCloseTo(0.06179659942655607, 9);
});

test('tied needs an interval that holds zero', () => {
  expect(tied(difference(bySeed([0.9]), bySeed([0.9])))).toBe(false);
  expect(tied(difference(bySeed([0.9, 0.91, 0.92]), bySeed([0.8, 0.81, 0.82])))).toBe(false);
  expect(tied(difference(bySeed([0.9, 0.91]), bySeed([0.9, 0.91])))).toBe(true);
  expect(tied(difference(bySeed([1, 1]), bySeed([2, 2], 9)))).toBe(false);
});
