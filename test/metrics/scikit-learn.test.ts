import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isClassTask, isNumberTask, type Task } from '../../src/data/task.ts';
import { classMeasure } from '../../src/metrics/class-measure.ts';
import { labelMeasure } from '../../src/metrics/label-measure.ts';
import { goalOf } from '../../src/metrics/metrics.ts';
import { numberMeasure } from '../../src/metrics/number-measure.ts';

interface Case {
  readonly title: string;
  readonly task: Exclude<Task, { kind: 'forecast' }>;
  readonly quantiles?: readonly number[];
  readonly outputs: readonly (readonly number[])[];
  readonly truths: readonly number[] | readonly (readonly number[])[];
  readonly weights?: readonly number[];
  /** null: scikit-learn has no value. */
  readonly values: Readonly<Record<string, number | null>>;
}

/** Made by fixtures/metrics/make.py with scikit-learn. */
const cases = JSON.parse(
  readFileSync(new URL('../fixtures/metrics/metrics.json', import.meta.url), 'utf8'),
) as readonly Case[];

const measureOf = ({ task, quantiles }: Case) => {
  if (isClassTask(task)) return classMeasure(task);
  return isNumberTask(task) ? numberMeasure(task, { quantiles }) : labelMeasure(task);
};

test.each(cases)('$title: every metric is that of scikit-learn', (one) => {
  const measure = measureOf(one);
  // In two batches: what is added up must not depend on them.
  const middle = Math.ceil(one.outputs.length / 2);
  for (const [from, to] of [
    [0, middle],
    [middle, one.outputs.length],
  ] as const)
    measure.add({
      size: to - from,
      truths: one.truths.slice(from, to).flat(),
      outputs: one.outputs.slice(from, to).flat(),
      weights: one.weights?.slice(from, to),
    });
  for (const [name, wanted] of Object.entries(one.values)) {
    const found = measure.values[name]?.();
    if (wanted === null) expect([name, found]).toEqual([name, Number.NaN]);
    else
      expect(Math.abs((found as number) - wanted), name).toBeLessThan(1e-6 * Math.max(1, Math.abs(wanted)));
    expect(goalOf(`test/${name}`), name).toBeDefined();
  }
});

test('a forecast has scaled and symmetric errors', () => {
  const measure = numberMeasure({ kind: 'forecast', horizon: 2, targets: ['a', 'b'] });
  measure.add({
    size: 2,
    truths: [1, 2, 3, 4, 0, 0, 5, 5],
    outputs: [2, 2, 3, 8, 0, 0, 5, 1],
    naiveErrors: [1, 2, 0, 4],
  });
  // Of the second row the first target has no naive error, so it does not count.
  expect(measure.values['mase']?.()).toBeCloseTo((1 + 0 + 0 + 4 / 2 + 0 + 4 / 4) / 6, 12);
  expect(measure.values['smape']?.()).toBeCloseTo((2 / 3 + 8 / 12 + 8 / 6) / 8, 12);
});
