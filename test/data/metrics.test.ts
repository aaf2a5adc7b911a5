import { describe, expect, test } from 'vitest';
import type { SequenceShape, Task } from '../../src/data/dataset.ts';
import { goalOf, metrics, metricsOf } from '../../src/data/metrics.ts';
import { createTally, named, wholePart } from '../../src/training/tally.ts';

const tasks: readonly Task[] = [
  { kind: 'classification', classes: 3 },
  { kind: 'classification', classes: 9 },
  { kind: 'labelling', classes: 6 },
  { kind: 'next-step', classes: 40 },
  { kind: 'regression', outputs: 2 },
];

const shape = (task: Task): SequenceShape => ({
  steps: 2,
  input: { kind: 'values', features: 1 },
  variableLength: false,
  task,
});

describe.each(tasks)('the metrics of $kind', (task) => {
  test('are what is measured on each part', () => {
    const tally = createTally(shape(task));
    const measured = (part: 'val' | 'test') => Object.keys(wholePart(part, tally)).sort();
    expect([...metricsOf(task, 'val')].sort()).toEqual(measured('val'));
    expect([...metricsOf(task, 'test')].sort()).toEqual(measured('test'));
    expect([...metricsOf(task, 'train')].sort()).toEqual(Object.keys(named('train', tally.metrics())).sort());
  });
});

test('losses and errors are to be small, all else is to be large', () => {
  const small = ['loss', 'mae', 'mse', 'perplexity'];
  for (const [name, { range }] of Object.entries(metrics)) {
    expect(goalOf(`val/${name}`)).toBe(small.includes(name) ? 'minimize' : 'maximize');
    expect(range[1]).toBe(small.includes(name) ? Infinity : 1);
  }
  expect(goalOf('val/constructor')).toBeUndefined();
});

test('the accuracy on the first examples is recorded only where a spec asks for it', () => {
  const digits = { kind: 'classification', classes: 10 } as const;
  const first = 'test/accuracyFirst128';
  expect(metricsOf(digits, 'test')).not.toContain(first);
  expect(metricsOf(digits, 'test', { accuracyFirst128: true })).toContain(first);
  expect(metricsOf(digits, 'val', { accuracyFirst128: true })).not.toContain('val/accuracyFirst128');
});
