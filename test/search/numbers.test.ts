import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linearValues, logValues, rangeValues } from '../../src/language/sweep/sweep.ts';

describe('logValues', () => {
  it('has round numbers where there are some', () => {
    expect(logValues(1e-4, 1e-2, 3)).toEqual([0.0001, 0.001, 0.01]);
    expect(logValues(1e-5, 1e-1, 5)).toEqual([0.00001, 0.0001, 0.001, 0.01, 0.1]);
    expect(logValues(64, 512, 4)).toEqual([64, 128, 256, 512]);
    expect(logValues(1e-2, 1e-4, 3)).toEqual([0.01, 0.001, 0.0001]);
  });

  it('includes both ends exactly, rises, and keeps the ratio', () => {
    const bound = fc.double({ min: 1e-6, max: 1e3, noNaN: true });
    fc.assert(
      fc.property(
        bound,
        fc.double({ min: 1.5, max: 1e4, noNaN: true }),
        fc.integer({ min: 2, max: 50 }),
        (low, factor, steps) => {
          const high = low * factor;
          const values = logValues(low, high, steps);
          expect(values).toHaveLength(steps);
          expect([values[0], values.at(-1)]).toEqual([low, high]);
          const ratio = factor ** (1 / (steps - 1));
          for (let index = 1; index < steps; index++) {
            expect((values[index] ?? 0) / (values[index - 1] ?? 0) / ratio).toBeCloseTo(1, 8);
          }
        },
      ),
    );
  });
});

describe('linearValues', () => {
  it('has no noise in its decimals', () => {
    expect(linearValues(0, 0.5, 6)).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5]);
    expect(linearValues(1, -1, 3)).toEqual([1, 0, -1]);
  });
});

describe('rangeValues', () => {
  it('includes the end when it is met', () => {
    expect(rangeValues(16, 64, 16)).toEqual([16, 32, 48, 64]);
    expect(rangeValues(16, 63, 16)).toEqual([16, 32, 48]);
    expect(rangeValues(0, 1, 0.1)).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
    expect(rangeValues(3, 1, -1)).toEqual([3, 2, 1]);
    expect(rangeValues(3, 3, 1)).toEqual([3]);
  });

  it('is empty when the step leads away', () => expect(rangeValues(3, 1, 1)).toEqual([]));
});
