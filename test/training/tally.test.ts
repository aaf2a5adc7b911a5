import { expect, test } from 'vitest';
import { allocateBatch, type SequenceShape } from '../../src/data/dataset.ts';
import { createTally, named } from '../../src/training/tally.ts';

const shape = (task: SequenceShape['task']): SequenceShape => ({
  steps: 2,
  input: { kind: 'values', features: 1 },
  variableLength: true,
  task,
});

test('accuracy and confusion over batches of different sizes weigh each example once', () => {
  const three = shape({ kind: 'classification', classes: 3 });
  const tally = createTally(three);
  const batch = allocateBatch(three, 3);
  batch.size = 3;
  batch.targets.set([0, 1, 2]);
  tally.add(batch, new Float32Array([9, 0, 0, 0, 0, 9, 0, 0, 9]), 0.5);
  batch.size = 1;
  batch.targets.set([1]);
  tally.add(batch, new Float32Array([0, 9, 0]), 2.5);
  expect(tally.metrics()).toEqual({ loss: 1, accuracy: 0.75 });
  expect(tally.confusion()).toEqual([
    [1, 0, 0],
    [0, 1, 1],
    [0, 0, 1],
  ]);
  expect(tally.scores()).toEqual([
    { precision: 1, recall: 1, f1: 1, support: 1 },
    { precision: 1, recall: 0.5, f1: 2 / 3, support: 2 },
    { precision: 0.5, recall: 1, f1: 2 / 3, support: 1 },
  ]);
});

test('a next-step task counts the steps within the lengths, and tells its perplexity', () => {
  const two = shape({ kind: 'next-step', classes: 2 });
  const tally = createTally(two);
  const batch = allocateBatch(two, 2);
  batch.size = 2;
  batch.lengths.set([2, 1]);
  batch.targets.set([0, 1, 1, 0]);
  tally.add(batch, new Float32Array([1, 0, 0, 1, 1, 0, 1, 0]), Math.log(3));
  const { loss, accuracy, perplexity } = tally.metrics();
  expect(loss).toBeCloseTo(Math.log(3), 12);
  expect(accuracy).toBe(2 / 3);
  expect(perplexity).toBeCloseTo(3, 12);
});

test('a regression tells its mean absolute error', () => {
  const one = shape({ kind: 'regression', outputs: 2 });
  const tally = createTally(one);
  const batch = allocateBatch(one, 1);
  batch.size = 1;
  batch.targets.set([1, 2]);
  tally.add(batch, new Float32Array([0, 5]), 5);
  expect(tally.metrics()).toEqual({ loss: 5, mae: 2 });
  expect(tally.detail()).toEqual({ mse: 5 });
  expect(tally.scores()).toBeUndefined();
  expect(tally.confusion()).toBeUndefined();
});

test('an end evaluation tells the mean F1 of the classes too, and the five largest where there are more', () => {
  const six = shape({ kind: 'classification', classes: 6 });
  const tally = createTally(six);
  const batch = allocateBatch(six, 2);
  batch.size = 2;
  batch.targets.set([0, 5]);
  tally.add(batch, new Float32Array([6, 5, 4, 3, 2, 1, 6, 5, 4, 3, 2, 1]), 1);
  const { top5Accuracy, macroF1 } = tally.detail();
  expect(top5Accuracy).toBe(0.5);
  // Class 0 has precision 1/2 and recall 1, class 5 nothing; the others do not occur.
  expect(macroF1).toBeCloseTo(1 / 3, 12);
});

test('metrics are named by their split', () => {
  expect(named('test', { loss: 1, accuracy: 0.5 })).toEqual({ 'test/loss': 1, 'test/accuracy': 0.5 });
});
