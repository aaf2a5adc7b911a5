import { expect, test } from 'vitest';
import { curveTable } from '../../src/report/load-report.ts';

const series = (steps: number[], values: number[]) => ({ steps, values, times: steps });

test('few steps are the grid themselves; what a run does not have is null', () => {
  const table = curveTable(
    new Map([
      ['a', series([10, 20, 30], [3, 2, 1])],
      ['b', series([10, 30], [5, NaN])],
    ]),
  );
  expect(table).toEqual({ steps: [10, 20, 30], values: { a: [3, 2, 1], b: [5, null, null] } });
});

test('many steps are taken together: a point is the mean of its stretch, and the last step is there', () => {
  const steps = Array.from({ length: 1200 }, (_, i) => i + 1);
  const { steps: grid, values } = curveTable(new Map([['a', series(steps, steps)]]));
  expect(grid).toHaveLength(120);
  expect([grid[0], grid.at(-1)]).toEqual([10, 1200]);
  expect([values['a']?.[0], values['a']?.at(-1)]).toEqual([5.5, 1195.5]);
});

test('no history is an empty table', () => {
  expect(curveTable(new Map())).toEqual({ steps: [], values: {} });
});
