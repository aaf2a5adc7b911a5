import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accuracyOf,
  classScores,
  confusionRows,
  countRow,
  createClassCounts,
  macroF1,
  topAccuracyOf,
} from '../../src/metrics/class-counts.ts';

/** Counts of rows of outputs with their truths. */
const countsOf = (rows: readonly { readonly outputs: readonly number[]; readonly truth: number }[]) => {
  const counts = createClassCounts(rows[0]?.outputs.length ?? 0);
  const outputs = Float32Array.from(rows.flatMap((row) => row.outputs));
  rows.forEach(({ truth }, row) => {
    countRow(counts, outputs, { row, truth });
  });
  return counts;
};

/** A row that predicts a class out of three. */
const predicts = (prediction: number, truth: number) => ({
  outputs: [0, 1, 2].map((index) => (index === prediction ? 1 : 0)),
  truth,
});

describe('class counts', () => {
  // Counted by hand from truths 0 0 0 1 1 2 and predictions 0 0 1 1 2 0: precision 2/3, 1/2, 0 and the same recall, so
  // the mean F1 over the three classes is (2/3 + 1/2 + 0) / 3.
  const counts = countsOf([
    predicts(0, 0),
    predicts(0, 0),
    predicts(1, 0),
    predicts(1, 1),
    predicts(2, 1),
    predicts(0, 2),
  ]);

  it('give accuracy and the confusion matrix', () => {
    expect(accuracyOf(counts)).toBe(0.5);
    expect(confusionRows(counts)).toEqual([
      [2, 1, 0],
      [0, 1, 1],
      [1, 0, 0],
    ]);
  });

  it('give precision, recall and F1 of each class, and the mean F1', () => {
    expect(classScores(counts)).toEqual([
      { precision: 2 / 3, recall: 2 / 3, f1: 2 / 3, support: 3 },
      { precision: 0.5, recall: 0.5, f1: 0.5, support: 2 },
      { precision: 0, recall: 0, f1: 0, support: 1 },
    ]);
    expect(macroF1(counts)).toBeCloseTo(7 / 18, 12);
  });

  it('leave out of the mean what does not occur', () => {
    expect(macroF1(countsOf([predicts(0, 0)]))).toBe(1);
    expect(macroF1(countsOf([predicts(1, 0)]))).toBe(0);
  });

  it('count the truth among the five largest', () => {
    const outputs = [0.9, 0.1, 0.8, 0.2, 0.7, 0.3, 0.6];
    const top = (truth: number) => topAccuracyOf(countsOf([{ outputs, truth }]));
    expect([0, 1, 2, 3, 4, 5, 6].map(top)).toEqual([1, 0, 1, 0, 1, 1, 1]);
    // Of equals the first come first, as for the prediction.
    const equal = [0, 0, 0, 0, 0, 0, 0];
    expect(topAccuracyOf(countsOf([{ outputs: equal, truth: 4 }]))).toBe(1);
    expect(topAccuracyOf(countsOf([{ outputs: equal, truth: 5 }]))).toBe(0);
    expect(accuracyOf(countsOf([{ outputs: equal, truth: 0 }]))).toBe(1);
  });

  it('take outputs that are not numbers for misses', () => {
    const broken = countsOf([{ outputs: [NaN, NaN, NaN, NaN, NaN, NaN], truth: 0 }]);
    expect([accuracyOf(broken), topAccuracyOf(broken)]).toEqual([0, 0]);
    expect(accuracyOf(countsOf([{ outputs: [-Infinity, -Infinity], truth: 0 }]))).toBe(1);
  });

  it('agree with counting pair by pair', () => {
    const rows = fc.array(
      fc.record({
        outputs: fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 8, maxLength: 8 }),
        truth: fc.nat({ max: 7 }),
      }),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(rows, (given) => {
        const ranked = given.map(({ outputs, truth }) => {
          const order = outputs
            .map((_, index) => index)
            .sort((a, b) => (outputs[b] ?? 0) - (outputs[a] ?? 0) || a - b);
          return { prediction: order[0], top: order.slice(0, 5).includes(truth), truth };
        });
        const part = (keep: (row: (typeof ranked)[number]) => boolean) =>
          ranked.filter(keep).length / ranked.length;
        const counted = countsOf(given);
        expect(accuracyOf(counted)).toBeCloseTo(
          part(({ prediction, truth }) => prediction === truth),
          12,
        );
        expect(topAccuracyOf(counted)).toBeCloseTo(
          part(({ top }) => top),
          12,
        );
        const matrix = confusionRows(counted) ?? [];
        expect(matrix.flat().reduce((total, one) => total + one, 0)).toBe(given.length);
        matrix.forEach((row, truth) => {
          row.forEach((count, prediction) => {
            expect(count).toBe(
              ranked.filter((one) => one.truth === truth && one.prediction === prediction).length,
            );
          });
        });
      }),
    );
  });

  it('keep no matrix for thousands of classes', () => {
    const many = createClassCounts(10_000);
    countRow(many, new Float32Array(10_000), { row: 0, truth: 0 });
    expect(confusionRows(many)).toBeUndefined();
    expect(accuracyOf(many)).toBe(1);
  });
});
