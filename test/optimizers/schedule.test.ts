import { Value } from '@sinclair/typebox/value';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkSchedule,
  learningRateAt,
  scheduleNames,
  scheduleParameters,
  type Schedule,
} from '../../src/optimizers/common.ts';

const complete = (schedule: Partial<Schedule>): Schedule =>
  Value.Default(scheduleParameters, { ...schedule }) as Schedule;

const rates = (schedule: Partial<Schedule>, steps: readonly number[], totalSteps = 90): number[] =>
  steps.map((step) =>
    learningRateAt({ learningRate: 2, schedule: complete(schedule) }, { step, totalSteps }),
  );

const expectRates = (actual: readonly number[], expected: readonly number[]) => {
  expect(actual.length).toBe(expected.length);
  actual.forEach((rate, index) => {
    expect(rate).toBeCloseTo(expected[index] ?? NaN, 12);
  });
};

describe('learningRateAt', () => {
  it('is constant by default', () => {
    expect(rates({}, [1, 45, 90, 1000])).toEqual([2, 2, 2, 2]);
  });

  it('falls by steps: by a tenth after each third unless told otherwise', () => {
    expectRates(rates({ name: 'step' }, [1, 30, 31, 60, 61, 90]), [2, 2, 0.2, 0.2, 0.02, 0.02]);
    expectRates(rates({ name: 'step', factor: 0.5, everySteps: 10 }, [10, 11, 21, 90]), [
      2,
      1,
      0.5,
      2 / 2 ** 8,
    ]);
  });

  it('falls exponentially', () => {
    expectRates(
      rates({ name: 'exponential', factor: 0.25, everySteps: 10 }, [1, 6, 11, 21]),
      [2, 1, 0.5, 0.125],
    );
  });

  it('falls along half a cosine wave', () => {
    expectRates(rates({ name: 'cosine' }, [1, 31, 46, 61, 91]), [2, 1.5, 1, 0.5, 0]);
    expectRates(rates({ name: 'cosine', finalFactor: 0.5 }, [1, 46, 91, 500]), [2, 1.5, 1, 1]);
  });

  it('rises and falls in one cycle, as OneCycleLR of PyTorch does', () => {
    // Computed from the definition in its documentation, in double precision.
    expectRates(
      rates({ name: 'one-cycle' }, [1, 10, 27, 28, 50, 90]),
      [0.08000000000000007, 0.5938657548379822, 2.0, 1.9987569261912375, 1.4112894579821993, 8e-6],
    );
    expectRates(rates({ name: 'one-cycle', finalFactor: 0.5 }, [27, 90, 500]), [2, 1, 1]);
  });

  it('rises linearly first and then begins the schedule', () => {
    expectRates(rates({ warmupSteps: 4 }, [1, 2, 3, 4, 5]), [0.5, 1, 1.5, 2, 2]);
    expectRates(rates({ name: 'cosine', warmupSteps: 10 }, [5, 10, 11, 51, 91]), [1, 2, 2, 1, 0]);
    expectRates(rates({ name: 'step', everySteps: 10, warmupSteps: 5 }, [15, 16]), [2, 0.2]);
  });

  it('is finite, not negative and never above learningRate', () => {
    fc.assert(
      fc.property(
        fc.record({
          name: fc.constantFrom(...scheduleNames),
          warmupSteps: fc.integer({ min: 0, max: 50 }),
        }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 60 }),
        (schedule, step, totalSteps) => {
          const [rate = NaN] = rates(schedule, [step], totalSteps);
          expect(rate).toBeGreaterThanOrEqual(0);
          expect(rate).toBeLessThanOrEqual(2);
        },
      ),
    );
  });
});

describe('checkSchedule', () => {
  it('accepts what the schedule uses', () => {
    expect(checkSchedule(complete({ name: 'step', factor: 0.5, everySteps: 3 }))).toEqual([]);
    expect(checkSchedule(complete({ name: 'cosine', finalFactor: 0.1, warmupSteps: 3 }))).toEqual([]);
  });

  it('names each parameter that the schedule does not use', () => {
    const issues = checkSchedule(complete({ name: 'cosine', factor: 0.5, everySteps: 3 }));
    expect(issues.map(({ path }) => path)).toEqual(['schedule.factor', 'schedule.everySteps']);
    expect(checkSchedule(complete({ finalFactor: 0 })).map(({ help }) => help)).toEqual([
      'Remove finalFactor, or use the schedule cosine or one-cycle.',
    ]);
    expect(checkSchedule(complete({ name: 'one-cycle', warmupSteps: 5 })).map(({ path }) => path)).toEqual([
      'schedule.warmupSteps',
    ]);
  });
});
