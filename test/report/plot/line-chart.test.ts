import { expect, test } from 'vitest';
import { renderLineChart, niceTicks, tickLabel } from '../../../src/report/plot/line-chart.ts';
import { smooth, thinOut } from '../../../src/report/plot/thin-out.ts';

test('ticks are round numbers around the values', () => {
  expect(niceTicks(0, 781, 8)).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800]);
  expect(niceTicks(0.113, 0.29, 6)).toEqual([0.1, 0.15, 0.2, 0.25, 0.3]);
  expect(niceTicks(-3, 2, 5)).toEqual([-3, -2, -1, 0, 1, 2]);
  expect(niceTicks(1, 1, 4)).toEqual([0.5, 1, 1.5]);
  expect(niceTicks(0, 0, 4).length).toBeGreaterThan(1);
  expect([0, 0.3, 2500, 20_000, 2e-5, 3e6].map(tickLabel)).toEqual([
    '0',
    '0.3',
    '2500',
    '20k',
    '2e-5',
    '3e6',
  ]);
});

test('a thinned curve keeps its extremes, its ends and its gaps', () => {
  const steps = Array.from({ length: 10_000 }, (_, i) => i);
  const values = steps.map((step) => (step === 5_000 ? 99 : step === 7_001 ? NaN : Math.sin(step / 100)));
  const thin = thinOut({ steps, values }, 200);
  expect(thin.steps.length).toBeLessThanOrEqual(203);
  expect(thin.values).toContain(99);
  expect(thin.values.some(Number.isNaN)).toBe(true);
  expect([thin.steps[0], thin.steps.at(-1)]).toEqual([0, 9_999]);
  expect(thin.steps).toEqual([...thin.steps].sort((a, b) => a - b));
  const short = { steps: [1, 2], values: [3, 4] };
  expect(thinOut(short, 200)).toEqual(short);
});

test('smoothing is a symmetric mean that leaves the ends and straight lines alone', () => {
  expect(smooth([0, 3, 6, 9, 12], 2)).toEqual([0, 3, 6, 9, 12]);
  expect(smooth([0, 0, 9, 0, 0], 1)).toEqual([0, 3, 3, 3, 0]);
  expect(smooth([1, NaN, 3], 1)).toEqual([1, NaN, 3]);
  expect(smooth([0, 4, NaN, 2, 6], 1)).toEqual([0, 2, NaN, 4, 6]);
});

test('a chart is one SVG with curves, gaps and text that cannot break out', () => {
  const svg = renderLineChart({
    title: 'a <b> & "c"',
    description: 'loss',
    yLabel: 'loss',
    series: [{ name: 'train/loss', steps: [10, 20, 30, 40, 50], values: [2, 1, NaN, 0.5, 0.25] }],
  });
  expect(svg).toContain('<title id="title">a &lt;b&gt; &amp; "c"</title>');
  expect(svg.match(/<path [^>]*>/g)).toHaveLength(1);
  // Down from the left, a gap, then on.
  expect(/ d="(M[^"]*)"/.exec(svg)?.[1]).toMatch(
    /^M[\d.]+ [\d.]+L[\d.]+ [\d.]+M[\d.]+ [\d.]+L[\d.]+ [\d.]+$/,
  );
  expect(svg.match(/<circle /g)).toHaveLength(4);
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
});

test('a noisy curve is drawn pale under its mean; no values at all still are a chart', () => {
  const steps = Array.from({ length: 100 }, (_, i) => i);
  const noisy = renderLineChart({
    title: 't',
    description: 'd',
    yLabel: 'y',
    series: [{ name: 'n', steps, values: steps.map((step) => step % 7) }],
  });
  expect(noisy.match(/<path /g)).toHaveLength(2);
  expect(noisy).not.toContain('<circle');
  const empty = renderLineChart({
    title: 't',
    description: 'd',
    yLabel: 'y',
    series: [{ name: 'n', steps: [1], values: [NaN] }],
  });
  expect(empty).not.toMatch(/NaN|undefined|Infinity/);
});

test('a value between two gaps is a dot, and a band of one step has a width', () => {
  const svg = renderLineChart({
    title: 't',
    description: 'd',
    yLabel: 'y',
    series: [{ name: 'n', steps: [0, 1, 2, 3, 4, 5], values: [1, 2, NaN, 2, NaN, 3] }],
    bands: [{ steps: [4], low: [2], high: [4], series: 0 }],
    plain: true,
  });
  expect(svg.match(/<circle /g)).toHaveLength(2);
  const [, band = ''] = /<path d="(M[^"]*Z)"/.exec(svg) ?? [];
  expect(new Set([...band.matchAll(/[ML]([\d.]+) /g)].map(([, x]) => x)).size).toBe(2);
});

test('names that are too long are cut, and labels stay within the picture', () => {
  const name = `the ${'very '.repeat(40)}end`;
  const svg = renderLineChart({
    title: name,
    description: 'd',
    yLabel: name,
    series: Array.from({ length: 4 }, () => ({ name, steps: [0, 1], values: [1e9, 1e9 + 3] })),
    xTicks: [
      { at: 0, label: '2024-10-27 02:30 +01:00' },
      { at: 1, label: '' },
    ],
  });
  const texts = [...svg.matchAll(/<text ([^>]*)>([^<]*)</g)].map(([, place = '', text = '']) => ({
    place,
    text,
  }));
  for (const { place, text } of texts) {
    const x = Number(/\bx="([\d.]+)"/.exec(place)?.[1] ?? 360);
    const wide = text.length * (place.includes('title') ? 9 : 7);
    const from = place.includes('"end"') ? x - wide : place.includes('"middle"') ? x - wide / 2 : x;
    expect(from, text).toBeGreaterThanOrEqual(0);
    expect(from + wide, text).toBeLessThanOrEqual(720);
  }
  expect(texts.filter(({ text }) => /^the very.*….*end$/.test(text))).toHaveLength(6);
});
