import { expect, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { numberMeasure } from '../../src/metrics/number-measure.ts';
import { createStepErrors } from '../../src/metrics/step-errors.ts';
import { stepErrorTable } from '../../src/report/step-errors.ts';
import { forecastPlots } from '../../src/report/plot/forecast-charts.ts';

const quantiles = [0.1, 0.5, 0.9];

test('the errors of the steps have the mean of the metrics over the whole horizon', () => {
  const random = randomStream(1, 'step-errors');
  const horizon = 3;
  const measure = numberMeasure({ kind: 'forecast', horizon, targets: ['y'] }, { quantiles });
  const errors = createStepErrors(horizon);
  for (let row = 0; row < 40; row++) {
    const weight = random.uniform();
    const naiveError = 0.5 + random.uniform();
    const truths = Array.from({ length: horizon }, () => random.normal());
    const outputs = truths.flatMap((truth, step) => {
      const middle = truth + (step + 1) * random.normal();
      return [middle - 1, middle, middle + 1];
    });
    measure.add({ size: 1, truths, outputs, weights: [weight], naiveErrors: [naiveError] });
    truths.forEach((truth, step) => {
      const [low = 0, prediction = 0, high = 0] = outputs.slice(3 * step, 3 * step + 3);
      errors.add(step, { truth, prediction, band: { low, high }, naiveError, weight });
    });
  }
  const { maeByStep, rmseByStep, smapeByStep, maseByStep, coverageByStep } = errors.values();
  const mean = (values: readonly (number | null)[] = []) =>
    values.reduce<number>((sum, value) => sum + (value ?? NaN), 0) / values.length;
  const { mae, mse, smape, mase, coverage } = measure.values;
  expect(mean(maeByStep)).toBeCloseTo(mae?.() ?? NaN, 10);
  expect(mean(rmseByStep.map((value) => (value ?? NaN) ** 2))).toBeCloseTo(mse?.() ?? NaN, 10);
  expect(mean(smapeByStep)).toBeCloseTo(smape?.() ?? NaN, 10);
  expect(mean(maseByStep)).toBeCloseTo(mase?.() ?? NaN, 10);
  expect(mean(coverageByStep)).toBeCloseTo(coverage?.() ?? NaN, 10);
  // The noise rises with the step.
  expect(maeByStep[2]).toBeGreaterThan(maeByStep[0] ?? NaN);
});

test('a step without truths has no error, and what no step has is left out', () => {
  const errors = createStepErrors(2);
  errors.add(0, { truth: 3, prediction: 1, naiveError: undefined, weight: 1 });
  errors.add(1, { truth: NaN, prediction: 1, naiveError: undefined, weight: 1 });
  expect(errors.values()).toEqual({ maeByStep: [2, null], rmseByStep: [2, null], smapeByStep: [1, null] });
});

test('a table lists at most twelve steps with the first and the last, and the coverage has a plot', () => {
  const by = (values: number) => Array.from({ length: values }, (_, at) => at / 10);
  const evaluation = { examples: 9, maeByStep: by(48), coverageByStep: by(48) };
  const table = stepErrorTable(evaluation);
  expect(table?.metrics).toEqual(['mae', 'coverage']);
  expect(table?.rows).toHaveLength(12);
  expect(table?.rows[0]).toEqual({ step: 1, values: [0, 0] });
  expect(table?.rows.at(-1)).toEqual({ step: 48, values: [4.7, 4.7] });
  expect(stepErrorTable({ examples: 9, maeByStep: [1] })).toBeUndefined();
  expect(forecastPlots(evaluation, '').map(([name]) => name)).toEqual([
    'error-by-horizon',
    'coverage-by-horizon',
  ]);
});
