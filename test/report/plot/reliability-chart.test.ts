import { expect, test } from 'vitest';
import { reliabilityPlots } from '../../../src/report/plot/reliability-chart.ts';

const bins = (
  filled: readonly (readonly [at: number, rows: number, confidence: number, accuracy: number])[],
) =>
  Array.from({ length: 15 }, (_, at) => {
    const [, rows = 0, confidence = (at + 0.5) / 15, accuracy = 0] = filled.find(([one]) => one === at) ?? [];
    return { rows, confidence, accuracy };
  });

test('a point for each interval that has examples, the diagonal, and the share of the examples as bars', () => {
  const [plot] = reliabilityPlots(
    {
      calibration: bins([
        [7, 10, 0.5, 0.4],
        [14, 30, 0.96, 0.9],
      ]),
    },
    'a run',
  );
  const [name, picture = ''] = plot ?? [];
  expect(name).toBe('reliability');
  // 0.25 * 0.1 + 0.75 * 0.06
  expect(picture).toContain('expected calibration error 0.0700');
  // Of the network; the diagonal has none and is below them.
  expect(picture.match(/<circle/g)).toHaveLength(2);
  expect(picture.lastIndexOf('<path')).toBeLessThan(picture.indexOf('<circle'));
  const heights = [...picture.matchAll(/class="bar"[^>]*height="([\d.]+)"/g)].map(([, height]) =>
    Number(height),
  );
  expect(heights).toHaveLength(15);
  expect((heights[14] ?? 0) / (heights[7] ?? 1)).toBeCloseTo(3, 1);
  // The axes reach from 0 to 1 whatever the values are.
  expect(picture).toMatch(/>0<\/text>/);
  expect(picture).toMatch(/>1<\/text>/);
});

test('a task without classes has no reliability plot', () => {
  expect(reliabilityPlots({}, '')).toEqual([]);
  expect(reliabilityPlots({ calibration: bins([]) }, '')).toEqual([]);
});
