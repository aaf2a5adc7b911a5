import { expect, test } from 'vitest';
import { importances } from '../../src/report/importance.ts';
import type { Json } from '../../src/system/json.ts';

const configuration = (values: Record<string, Json>, mean: number | null) => ({
  values,
  objective: mean === null ? null : { count: 1, mean, standardDeviation: null, interval: null },
});

// Two by two: y = 1, 2, 5, 6. Total sum of squares 17; between a: 16; between b: 1.
test('the share is that of the variance between the values of a setting', () => {
  const configurations = [
    configuration({ a: 1, b: 'x' }, 1),
    configuration({ a: 1, b: 'y' }, 2),
    configuration({ a: 2, b: 'x' }, 5),
    configuration({ a: 2, b: 'y' }, 6),
    configuration({ a: 3, b: 'y' }, null),
  ];
  expect(importances(configurations, ['b', 'a'])).toEqual([
    { path: 'a', share: expect.closeTo(16 / 17, 12) as number },
    { path: 'b', share: expect.closeTo(1 / 17, 12) as number },
  ]);
});

test('a setting whose values never repeat is taken in parts of its range', () => {
  const configurations = Array.from({ length: 50 }, (_, i) =>
    configuration({ rate: i / 50, name: `n${i}` }, i < 25 ? 0 : 1),
  );
  const [rate, ...rest] = importances(configurations, ['rate', 'name']);
  expect(rate?.path).toBe('rate');
  // Five parts of ten: two all below, two all above, one half and half.
  expect(rate?.share).toBeCloseTo(0.8, 12);
  expect(rest).toEqual([]);
});

test('nothing to explain is nothing said', () => {
  expect(importances([configuration({ a: 1 }, 1), configuration({ a: 2 }, 2)], ['a'])).toEqual([]);
  expect(
    importances([configuration({ a: 1 }, 1), configuration({ a: 2 }, 1), configuration({ a: 1 }, 1)], ['a']),
  ).toEqual([]);
});
