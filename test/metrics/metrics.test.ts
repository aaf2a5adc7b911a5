import { expect, test } from 'vitest';
import { allocateBatch, type SequenceShape } from '../../src/data/dataset.ts';
import type { ForecastPart } from '../../src/data/forecast-part.ts';
import { isNumberTask, outputsOf, type Task } from '../../src/data/task.ts';
import type { Loss } from '../../src/losses/loss.ts';
import { goalOf, metrics, metricsOf } from '../../src/metrics/metrics.ts';
import { createTally } from '../../src/training/tally.ts';

const tasks: readonly Task[] = [
  { kind: 'classification', classes: 3 },
  { kind: 'classification', classes: 9 },
  { kind: 'labelling', classes: 6 },
  { kind: 'next-step', classes: 40 },
  { kind: 'multi-label', classes: 3 },
  { kind: 'regression', outputs: 2 },
  { kind: 'regression', outputs: 2, perStep: true },
  { kind: 'forecast', horizon: 3, targets: ['a', 'b'] },
];

const shape = (task: Task): SequenceShape => ({
  steps: 2,
  input: { kind: 'values', features: 1 },
  variableLength: false,
  task,
});

/** A part with a baseline, for the metrics that compare with one. */
const forecast: ForecastPart = {
  baselines: () => [{ name: 'naive', mae: 2, rmse: 2, maeByStep: [2, 2, 2] }],
  seriesOf: () => '',
  originOf: (index) => index,
  firstRow: () => 0,
  timeAt: String,
  truthAt: () => 0,
};

const loss: Loss = {
  rows: () => {
    throw new Error('not called');
  },
};

test.each(tasks)('every metric of $kind is measured on each part that has it', (task) => {
  const whole = shape(task);
  for (const part of ['train', 'val', 'test'] as const) {
    const quantiles = isNumberTask(task) ? [0.1, 0.5, 0.9] : undefined;
    const split = { forecast, ...(task.kind === 'forecast' && { naiveError: () => [1, 2] }) };
    const tally = createTally(whole, { ...loss, ...(quantiles && { quantiles }) }, { part, split });
    const batch = allocateBatch(whole, 4);
    batch.size = 4;
    batch.lengths.fill(2);
    batch.targets.forEach((_, at) => (batch.targets[at] = at % 2));
    const count = outputsOf(task, { outputsPerTarget: quantiles?.length ?? 1 });
    const outputs = Float32Array.from({ length: 8 * count }, (_, at) => Math.sin(at));
    tally.add({ batch, outputs, loss: 1, indices: [0, 1, 2, 3] });
    const measured = tally.metrics();
    expect(Object.keys(measured)).toEqual(metricsOf(task, part));
    for (const [name, value] of Object.entries(measured))
      expect([name, Number.isFinite(value)]).toEqual([name, true]);
  }
});

test('losses and errors are to be small, all else is to be large', () => {
  const small = /loss|^(mae|mse|rmse|smape|mase|pinball|perplexity)$|Error/i;
  for (const [name, { range }] of Object.entries(metrics)) {
    expect([name, goalOf(`val/${name}`)]).toEqual([name, small.test(name) ? 'minimize' : 'maximize']);
    if (!small.test(name)) expect(range[1]).toBe(1);
  }
  expect(goalOf('val/constructor')).toBeUndefined();
});

test('the accuracy on the first examples is recorded only where a spec asks for it', () => {
  const digits = { kind: 'classification', classes: 10 } as const;
  const first = 'test/accuracyFirst128';
  expect(metricsOf(digits, 'test')).not.toContain(first);
  expect(metricsOf(digits, 'test', { requests: { accuracyFirst128: true } })).toContain(first);
  expect(metricsOf(digits, 'val', { requests: { accuracyFirst128: true } })).not.toContain(
    'val/accuracyFirst128',
  );
});
