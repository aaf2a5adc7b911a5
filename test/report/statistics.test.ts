import { expect, test } from 'vitest';
import { difference, meanInterval, summarize } from '../../src/report/statistics.ts';

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
  expect(difference(bySeed([1e-9, 2e-9]), bySeed([2e-9, 3e-9])).mean).toBeCloseTo(-1e-9, 12);
});

test('the difference on shared seeds is paired', () => {
  const gap = difference(bySeed(one), bySeed(other));
  expect(gap).toMatchObject({ kind: 'paired', count: 5 });
  expect(gap.mean).toBeCloseTo(0.00144, 12);
  expect(gap.interval?.[0]).toBeCloseTo(-0.0006535942597002387, 10);
  expect(gap.interval?.[1]).toBeCloseTo(0.003533594259700188, 10);
  expect(gap.standardDeviation).toBeCloseTo(0.0016861198059449918, 12);
  expect(gap.pValue).toBeCloseTo(0.128794404084605, 9); // stats.ttest_rel(a, b)
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
  expect(gap.pValue).toBeCloseTo(0.1040361249815047, 9);
  expect(gap.standardDeviation).toBeCloseTo(0.010967710183382216, 12);
});

// t = stats.t.ppf(0.975, len(v) - 1) * stats.sem(v); m = np.mean(v)
// special.expit(special.logit(m) - t / (m * (1 - m))), and with + t
// low + (m - low) * np.exp(-t / (m - low)), and with + t
test('the interval of a bounded metric stays in its bounds', () => {
  const near = (ends: readonly [number, number]): unknown =>
    ends.map((end): unknown => expect.closeTo(end, 9));
  expect(summarize(one, [0, 1]).interval).toEqual(near([0.9679202548160585, 0.9746194041839018]));
  expect(summarize([0.62, 0.74], [0, 1]).interval).toEqual(near([0.06009922879745098, 0.9860375231361549]));
  expect(summarize([0.11, 0.13, 0.12], [0, Infinity]).interval).toEqual(
    near([0.09756123838134236, 0.14759960245393788]),
  );
  expect(summarize([2.5, 3.1, 2.7], [1, Infinity]).interval).toEqual(
    near([2.1497207584195444, 3.7146688343711607]),
  );
  // Scores that are negative without end, such as R², are the mirror of a loss.
  const [low = 0, high = 0] = summarize([-0.11, -0.13, -0.12], [-Infinity, 0]).interval ?? [];
  expect([-high, -low]).toEqual(near([0.09756123838134236, 0.14759960245393788]));
});

// np.tanh(np.arctanh(m) - t / (1 - m * m)): differences of values in [0, 1] lie in [-1, 1]
test('the interval of a difference of bounded metrics stays in the bounds of differences', () => {
  const gap = difference(bySeed(one), bySeed([0.95, 0.93, 0.96], 100), [0, 1]);
  expect(gap.interval?.[0]).toBeCloseTo(-0.012227001534319923, 9);
  expect(gap.interval?.[1]).toBeCloseTo(0.06174579229364558, 9);
  const wide = difference(bySeed([0.9, 0.2]), bySeed([0.1, 0.6]), [0, 1]);
  expect(wide.interval?.[0]).toBeGreaterThanOrEqual(-1);
  expect(wide.interval?.[1]).toBeLessThanOrEqual(1);
});

test('a bounded interval contains its mean and stays in its bounds, whatever the values', () => {
  const values = [1e-12, 1e-4, 0.3, 0.5, 0.9999, 1 - 1e-12, 0, 1];
  for (const a of values) {
    for (const b of values) {
      const { mean, interval } = summarize([a, b], [0, 1]);
      const [low, high] = interval ?? expect.fail();
      expect([a, b, low >= 0, low <= mean, mean <= high, high <= 1]).toEqual([a, b, true, true, true, true]);
    }
  }
  // Equal values at an end, and a value outside, have no such interval: the plain one remains.
  expect(summarize([1, 1, 1], [0, 1]).interval).toEqual([1, 1]);
  expect(meanInterval(1.5, 0.25, [0, 1])).toEqual([1.25, 1.75]);
});

test('without spread every difference is certain, and without a second value nothing is', () => {
  expect(difference(bySeed([1, 1]), bySeed([2, 2])).pValue).toBe(0);
  expect(difference(bySeed([1, 1]), bySeed([2, 2], 9))).toMatchObject({ kind: 'unpaired', pValue: 0 });
  expect(difference(bySeed([1, 2]), bySeed([1, 2])).pValue).toBe(1);
  expect(difference(bySeed([0.9]), bySeed([0.8]))).toMatchObject({
    pValue: null,
    interval: null,
    standardDeviation: null,
  });
});
