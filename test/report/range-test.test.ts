import { expect, test } from 'vitest';
import { rangeLines, rangeRate, readRangeTest, renderRangePlot } from '../../src/report/range-test.ts';

const range = { from: 1e-5, to: 10, steps: 61 };

/** The losses of a range test, by the logarithm of the learning rate. */
const lossesOf = (loss: (log: number) => number) =>
  Array.from({ length: range.steps }, (_, at) => {
    const learningRate = rangeRate(range, at + 1);
    return { learningRate, loss: loss(Math.log10(learningRate)) };
  });

test('the rate rises by one factor from the first step to the last', () => {
  expect(rangeRate(range, 1)).toBe(1e-5);
  expect(rangeRate(range, 31)).toBeCloseTo(1e-2, 10);
  expect(rangeRate(range, 61)).toBeCloseTo(10, 10);
});

test('the suggestion is a tenth of the rate with the lowest loss, before the loss diverges', () => {
  // Falls from a rate of 0.001 on, is lowest near 0.1, and explodes at 1.
  const losses = lossesOf((log) =>
    log < -3 ? 2 : log < -1 ? 2 - 0.9 * (log + 3) : 0.2 + 40 * (log + 1) ** 4,
  );
  const { points, suggestion, steepest, diverges } = readRangeTest(losses);
  // By hand: 0.9 of the mean before, corrected for its start.
  expect(points[1]?.smoothed).toBeCloseTo((0.9 * 0.1 * 2 + 0.1 * 2) / (1 - 0.81), 12);
  const lowest = points.reduce((a, b) => (b.smoothed < a.smoothed ? b : a));
  expect(suggestion).toBe(lowest.learningRate / 10);
  expect(suggestion).toBeGreaterThan(0.005);
  expect(suggestion).toBeLessThan(0.05);
  expect(steepest).toBeGreaterThan(0.001);
  expect(steepest).toBeLessThan(0.3);
  expect(diverges).toBeGreaterThan(lowest.learningRate);
  expect(points.at(-1)?.learningRate).toBeLessThan(diverges ?? NaN);
});

test('a loss that never falls has no suggestion, and one that is no number ends the test', () => {
  expect(readRangeTest(lossesOf((log) => 1 + log + 5))).toMatchObject({
    suggestion: null,
    steepest: null,
  });
  const { points, diverges } = readRangeTest(lossesOf((log) => (log > -2 ? NaN : -log)));
  expect(points.at(-1)?.learningRate).toBeLessThan(0.0101);
  expect(diverges).toBeGreaterThan(0.01);
  expect(readRangeTest([]).suggestion).toBeNull();
});

test('the plots show the curve and the suggestion', () => {
  const found = readRangeTest(lossesOf((log) => (log < -1 ? -log : 40 * (log + 1) ** 2)));
  const lines = rangeLines(found, { width: 60 });
  expect(lines).toHaveLength(12);
  expect(lines.every((line) => line.length <= 60)).toBe(true);
  expect(lines.filter((line) => line.includes('¦')).length).toBeGreaterThan(5);
  expect(lines.at(-1)).toContain('0.000010');
  const svg = renderRangePlot(found, 'a run');
  expect(svg).toContain('>learning rate</text>');
  expect(svg).toContain('>0.001</text>');
  expect(svg).toContain('stroke-dasharray');
});
