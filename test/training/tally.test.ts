import { expect, test } from 'vitest';
import { allocateBatch, type SequenceShape, type Split } from '../../src/data/dataset.ts';
import type { Loss } from '../../src/losses/loss.ts';
import type { Part } from '../../src/metrics/metrics.ts';
import { createTally } from '../../src/training/tally.ts';

const shape = (task: SequenceShape['task']): SequenceShape => ({
  steps: 2,
  input: { kind: 'values', features: 1 },
  variableLength: true,
  task,
});

/** Only what a tally reads of a loss. */
const loss = (changed: Partial<Loss> = {}): Loss => ({
  rows: () => {
    throw new Error('not called');
  },
  ...changed,
});

interface Given {
  readonly task: SequenceShape['task'];
  readonly targets: readonly number[];
  readonly outputs: readonly number[];
  readonly size?: number;
  readonly lengths?: readonly number[];
  readonly meanLoss?: number;
  readonly part?: Part;
  readonly loss?: Partial<Loss>;
  readonly split?: Pick<Split, 'scaling' | 'naiveError'>;
  readonly indices?: readonly number[];
}

const tallyOf = ({ task, targets, outputs, size = 1, lengths = [], meanLoss = 0, ...rest }: Given) => {
  const whole = shape(task);
  const { part = 'test', split = {}, indices = [] } = rest;
  const tally = createTally(whole, loss(rest.loss), { part, split });
  const batch = allocateBatch(whole, size);
  batch.size = size;
  batch.targets.set(targets);
  batch.lengths.set(lengths);
  tally.add({ batch, outputs: Float32Array.from(outputs), loss: meanLoss, indices });
  return tally;
};

test('accuracy and confusion over batches of different sizes weigh each example once', () => {
  const three = shape({ kind: 'classification', classes: 3 });
  const tally = createTally(three, loss(), { part: 'train', split: {} });
  const batch = allocateBatch(three, 3);
  batch.size = 3;
  batch.targets.set([0, 1, 2]);
  tally.add({ batch, outputs: new Float32Array([9, 0, 0, 0, 0, 9, 0, 0, 9]), loss: 0.5, indices: [] });
  batch.size = 1;
  batch.targets.set([1]);
  tally.add({ batch, outputs: new Float32Array([0, 9, 0]), loss: 2.5, indices: [] });
  expect(tally.metrics()).toEqual({ 'train/loss': 1, 'train/accuracy': 0.75 });
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

test('the mean loss over batches weighs rows by their class', () => {
  const two = shape({ kind: 'classification', classes: 2 });
  const tally = createTally(two, loss({ classWeights: Float32Array.of(1, 3) }), { part: 'train', split: {} });
  const batch = allocateBatch(two, 2);
  const outputs = new Float32Array(4);
  batch.size = 2;
  batch.targets.set([0, 0]);
  tally.add({ batch, outputs, loss: 1, indices: [] });
  batch.targets.set([1, 1]);
  tally.add({ batch, outputs, loss: 5, indices: [] });
  expect(tally.metrics()['train/loss']).toBe((2 * 1 + 6 * 5) / 8);
});

test('a next-step task counts the steps within the lengths, and has a perplexity', () => {
  const metrics = tallyOf({
    task: { kind: 'next-step', classes: 2 },
    size: 2,
    lengths: [2, 1],
    targets: [0, 1, 1, 0],
    outputs: [1, 0, 0, 1, 1, 0, 1, 0],
    meanLoss: Math.log(3),
  }).metrics();
  expect(metrics['test/loss']).toBeCloseTo(Math.log(3), 12);
  expect(metrics['test/accuracy']).toBe(2 / 3);
  expect(metrics['test/perplexity']).toBeCloseTo(3, 12);
});

test('a regression has its mean absolute error, and the squared one with the bits of the loss', () => {
  const given = { task: { kind: 'regression', outputs: 2 }, targets: [1, 2], outputs: [0, 5] } as const;
  const tally = tallyOf({ ...given, meanLoss: 5.25, loss: { isSquaredError: true } });
  expect(tally.metrics()).toMatchObject({ 'test/loss': 5.25, 'test/mae': 2, 'test/mse': 5.25 });
  expect(tallyOf({ ...given, meanLoss: 1 }).metrics()).toMatchObject({ 'test/loss': 1, 'test/mse': 5 });
  expect(tallyOf({ ...given, part: 'train' }).metrics()).toEqual({ 'train/loss': 0, 'train/mae': 2 });
  expect(tally.scores()).toBeUndefined();
  expect(tally.confusion()).toBeUndefined();
});

test('errors are in the unit of the targets, by the scaling of each example', () => {
  const scales = [
    { mean: [0, 0], factor: [1, 1] },
    { mean: [100, -1], factor: [0.5, 4] },
  ];
  const metrics = tallyOf({
    task: { kind: 'regression', outputs: 2 },
    targets: [1, 1],
    // Off by 1 / 0.5 and by 2 / 4 in their own units.
    outputs: [2, 3],
    meanLoss: 2.5,
    loss: { isSquaredError: true },
    split: { scaling: (index) => scales[index] as (typeof scales)[0] },
    indices: [1],
  }).metrics();
  expect(metrics).toMatchObject({
    'test/loss': 2.5,
    'test/mae': (2 + 0.5) / 2,
    'test/mse': (4 + 0.25) / 2,
  });
});

test('a regression with targets at each step leaves out the steps past the length', () => {
  const metrics = tallyOf({
    task: { kind: 'regression', outputs: 1, perStep: true },
    size: 2,
    lengths: [2, 1],
    targets: [1, 2, 3, 0],
    outputs: [2, 4, 6, 99],
  }).metrics();
  expect(metrics['test/mae']).toBe((1 + 2 + 3) / 3);
});

test('a forecast is judged by the quantile nearest to the median, in the unit of each target', () => {
  const metrics = tallyOf({
    task: { kind: 'forecast', horizon: 2, targets: ['a', 'b'] },
    targets: [1, 2, 3, 4],
    outputs: [9, 1, 9, 9, 2, 9, 9, 4, 9, 9, 8, 9],
    loss: { quantiles: [0.1, 0.5, 0.9] },
    split: { scaling: () => ({ mean: [5, 6], factor: [1, 2] }) },
    indices: [0],
  }).metrics();
  expect(metrics['test/mae']).toBe((0 + 0 + 1 + 2) / 4);
});

test('several labels are right only together', () => {
  const metrics = tallyOf({
    task: { kind: 'multi-label', classes: 3 },
    size: 2,
    targets: [1, 0, 1, 0, 1, 0],
    outputs: [4, -4, 4, -4, 4, 4],
  }).metrics();
  expect(metrics['test/accuracy']).toBe(0.5);
  expect(metrics['test/macroF1']).toBeCloseTo((1 + 1 + 2 / 3) / 3, 12);
});

test('an end evaluation has the mean F1 of the classes too, and the five largest where there are more', () => {
  const metrics = tallyOf({
    task: { kind: 'classification', classes: 6 },
    size: 2,
    targets: [0, 5],
    outputs: [6, 5, 4, 3, 2, 1, 6, 5, 4, 3, 2, 1],
  }).metrics();
  expect(metrics['test/top5Accuracy']).toBe(0.5);
  // Class 0 has precision 1/2 and recall 1, class 5 nothing; the others do not occur.
  expect(metrics['test/macroF1']).toBeCloseTo(1 / 3, 12);
});
