import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fillMissing, isMissing, missingStrategies } from '../../../src/data/columns/missing.ts';

const no = Number.NaN;

const filled = (values: readonly number[], given: Partial<Parameters<typeof fillMissing>[2]>) => {
  const numbers = Float64Array.from(values);
  const count = fillMissing(
    numbers,
    { from: 0, stride: 1, count: values.length },
    { strategy: 'interpolate', mean: 9, ...given },
  );
  return [count, [...numbers]];
};

describe('missing values', () => {
  it('lie on a line between the values around them', () => {
    expect(filled([no, 1, no, no, 4, no], {})).toEqual([4, [1, 1, 2, 3, 4, 4]]);
    expect(filled([no, no], {})).toEqual([2, [9, 9]]);
    expect(filled([], {})).toEqual([0, []]);
  });

  it('lie on a line in time where times are known', () => {
    expect(filled([0, no, 10], { times: [0, 1, 10] })).toEqual([1, [0, 1, 10]]);
  });

  it('repeat the value before them; the first ones become the mean', () => {
    expect(filled([no, 1, no, 3, no], { strategy: 'forward' })).toEqual([3, [9, 1, 1, 3, 3]]);
  });

  it('become the mean', () => {
    expect(filled([no, 1, no], { strategy: 'mean' })).toEqual([2, [9, 1, 9]]);
    expect(filled([no, 1], { strategy: 'mask' })).toEqual([1, [9, 1]]);
    expect(filled([no, 1], { strategy: 'error' })).toEqual([0, [no, 1]]);
  });

  it('of one column leave the others as they are', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...missingStrategies),
        fc.array(fc.tuple(fc.constantFrom(no, 1, 2, 3), fc.constantFrom(no, 5))),
        (strategy, rows) => {
          const numbers = Float64Array.from(rows.flat());
          fillMissing(numbers, { from: 0, stride: 2, count: rows.length }, { strategy, mean: 9 });
          rows.forEach(([value, other], row) => {
            expect(numbers[2 * row + 1]).toBe(other);
            if (!Number.isNaN(value)) expect(numbers[2 * row]).toBe(value);
            expect(Number.isNaN(numbers[2 * row])).toBe(strategy === 'error' && Number.isNaN(value));
          });
        },
      ),
      { seed: 18 },
    );
  });
});

it('recognizes empty cells and the usual markers', () => {
  expect(['', ' ', 'NA', 'n/a', 'NaN', 'null', 'None', '?', null, undefined, no].every(isMissing)).toBe(true);
  expect(['0', 'x', '-', 0, false, 'nothing', []].some(isMissing)).toBe(false);
});
