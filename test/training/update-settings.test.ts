import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { allocateBatch, type Batch, type SequenceShape } from '../../src/data/dataset.ts';
import type { Task } from '../../src/data/task.ts';
import { randomStream } from '../../src/data/random.ts';
import type { Schedule } from '../../src/optimizers/common.ts';
import { planExperiment } from '../../src/plan/plan-experiment.ts';
import { registry } from '../../src/registry/rows.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { buildLearner, type Learner } from '../../src/training/learner.ts';
import { lossWeight } from '../../src/training/tally.ts';
import { afterEvaluation, type Plateau } from '../../src/training/plateau.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { metricsIn, toyRun, trainUntil } from '../support/toy-training.ts';

beforeAll(async () => {
  await loadTensorFlow();
});

const shapeOf = (task: Task): SequenceShape => ({
  steps: 6,
  input: { kind: 'values', features: 2 },
  variableLength: true,
  task,
});

const learnerOf = async (shape: SequenceShape, ...set: readonly string[]): Promise<Learner> => {
  const planned = await planExperiment('experiments/smoke.yaml', { set, cores: 1 });
  if (!planned.ok) throw new Error(planned.errors.map(({ message }) => message).join(' '));
  const [run] = planned.value.runs;
  if (!run) throw new Error('no run');
  return await buildLearner(run, shape, { registry, totalSteps: 100, classCounts: () => [5, 2, 1] });
};

/** Sequences of all lengths, with weights. */
const madeUp = (shape: SequenceShape, size: number): Batch => {
  const random = randomStream(1, 'batch');
  const batch = allocateBatch(shape, size, { weight: () => 1 });
  batch.size = size;
  for (let row = 0; row < size; row++) {
    const length = 1 + random.integer(shape.steps);
    batch.lengths[row] = length;
    for (let at = 0; at < length * 2; at++) batch.inputs[row * shape.steps * 2 + at] = random.normal();
    if (batch.weights) batch.weights[row] = random.uniform();
  }
  batch.targets.forEach((_, at) => (batch.targets[at] = random.integer(3)));
  return batch;
};

/** Some of the rows of a batch. */
const rowsOf = (batch: Batch, from: number, to: number): Batch => {
  const part = <A extends Float32Array | Int32Array>(values: A, whole: number): A =>
    values.slice((values.length / whole) * from, (values.length / whole) * to) as A;
  const { size, weights } = batch;
  return {
    size: to - from,
    inputs: part(batch.inputs, size),
    lengths: part(batch.lengths, size),
    targets: part(batch.targets, size),
    ...(weights && { weights: part(weights, size) }),
  };
};

const valuesOf = (learner: Learner): number[] =>
  [...learner.weights().values()].flatMap((tensor) => [...tensor.dataSync()]);

describe('accumulate', () => {
  test.each([
    ['one class a sequence', { kind: 'classification', classes: 3 }, 'cross-entropy, classWeights: balanced'],
    ['one class a step', { kind: 'labelling', classes: 3 }, 'cross-entropy'],
    ['a number a step', { kind: 'regression', outputs: 1, perStep: true }, 'mse'],
  ] as const)('gradients of batches add up to that of the large batch: %s', async (_, task, loss) => {
    const shape = shapeOf(task);
    const set = [
      `loss={ name: ${loss} }`,
      'optimizer={ name: sgd, learningRate: 0.5, momentum: 0.9, clipNorm: 1 }',
    ];
    // The smoke experiment classifies, and the loss must fit its dataset.
    if (task.kind === 'regression')
      set.push(
        'dataset={ name: adding-problem, length: 6 }',
        'objective={ metric: test/loss, goal: minimize }',
      );
    const [whole, parts] = [await learnerOf(shape, ...set), await learnerOf(shape, ...set)];
    const batch = madeUp(shape, 30);
    const before = valuesOf(whole);
    let tensors = 0;
    for (let step = 1; step <= 4; step++) {
      const { loss: ofWhole } = whole.update(batch, step, false);
      let [sum, total] = [0, 0];
      for (const [at, [from, to]] of (
        [
          [0, 8],
          [8, 16],
          [16, 24],
          [24, 30],
        ] as const
      ).entries()) {
        const part = rowsOf(batch, from, to);
        const times = lossWeight(part, shape, parts.loss.classWeights);
        sum += times * parts.addGradient(part, { draw: step, times, at, wantOutputs: false }).loss;
        total += times;
      }
      parts.updateBySum(step, { total, reductions: 0 });
      expect(Math.abs(sum / total - ofWhole)).toBeLessThan(1e-6);
      // The first step makes what all steps share.
      if (step === 1) tensors = tf.memory().numTensors;
    }
    expect(tf.memory().numTensors).toBe(tensors);
    const [large, added] = [valuesOf(whole), valuesOf(parts)];
    expect(Math.max(...large.map((value, at) => Math.abs(value - (added[at] ?? NaN))))).toBeLessThan(1e-6);
    expect(Math.max(...large.map((value, at) => Math.abs(value - (before[at] ?? NaN))))).toBeGreaterThan(
      0.01,
    );
  });

  test.each(['', ', bucketing: true'])(
    'a run has the steps and numbers of one with the large batch%s',
    async (more) => {
      const folder = temporaryDirectory('accumulate');
      const runOf = async (train: string) => {
        const path = join(folder, 'spec.yaml');
        writeFileSync(
          path,
          `version: 1
name: trial
dataset: { name: toy-sequences, trainSize: 60, testSize: 20, validationSize: 20 }
model: { name: gru, hiddenSize: 4 }
optimizer: { name: sgd, learningRate: 0.1 }
train: { epochs: 2, displayEvery: 1, evaluateEvery: 1, ${train}${more} }
`,
        );
        const plan = await planExperiment(path, { cores: 1 });
        const run = plan.ok ? plan.value.runs[0] : undefined;
        if (!run) throw new Error('no run');
        const directory = join(folder, run.id);
        expect(await trainUntil(run, directory, Infinity)).toMatchObject({ reason: 'completed' });
        return { id: run.id, lines: metricsIn(directory) };
      };
      const large = await runOf('batchSize: 24');
      const added = await runOf('batchSize: 8, accumulate: 3');
      expect(added.lines.map(({ step }) => step)).toEqual(large.lines.map(({ step }) => step));
      for (const [at, { metrics }] of large.lines.entries())
        for (const [name, value] of Object.entries(metrics))
          expect(Math.abs(Number(added.lines[at]?.metrics[name]) - Number(value)), name).toBeLessThan(1e-6);
      expect(added.id).not.toBe(large.id);
      expect((await runOf('batchSize: 24, accumulate: 1')).id).toBe(large.id);
    },
  );
});

test('ema evaluates and keeps the corrected average of the weights after each step', async () => {
  const shape = shapeOf({ kind: 'classification', classes: 3 });
  const decay = 0.8;
  const optimizer = 'optimizer={ name: sgd, learningRate: 0.3 }';
  const plain = await learnerOf(shape, optimizer);
  const averaging = await learnerOf(shape, optimizer, `train.ema=${decay}`);
  const batch = madeUp(shape, 16);
  const history: number[][] = [];
  for (let step = 1; step <= 5; step++) {
    plain.update(batch, step, false);
    averaging.update(batch, step, false);
    // Evaluating in between changes no step.
    averaging.predict(batch);
    history.push(valuesOf(plain));
  }
  const shares = history.map((_, at) => decay ** (history.length - 1 - at));
  const total = shares.reduce((sum, share) => sum + share, 0);
  const expected = valuesOf(plain).map((_, at) =>
    history.reduce((sum, values, step) => sum + ((shares[step] ?? 0) * (values[at] ?? 0)) / total, 0),
  );
  valuesOf(averaging).forEach((value, at) =>
    expect(Math.abs(value - (expected[at] ?? NaN))).toBeLessThan(1e-6),
  );
  // A network that has the averages as its weights predicts the same.
  const stored = new Map(
    [...averaging.weights()].map(([key, tensor]) => [
      key,
      { shape: tensor.shape, values: tensor.dataSync<'float32'>() },
    ]),
  );
  plain.restore(stored);
  expect(plain.predict(batch)).toEqual(averaging.predict(batch));
});

describe('plateau', () => {
  const schedule = {
    ...{ name: 'plateau', factor: null, everySteps: null, finalFactor: null, warmupSteps: 0 },
    ...{ patience: 2, cooldown: 2, minDelta: 0.1 },
  } satisfies Partial<Schedule> as Schedule;

  const reductionsOf = (values: readonly number[], metric = 'val/loss') => {
    let plateau: Plateau | undefined;
    return values.map((value, at) => {
      plateau = afterEvaluation(plateau, schedule, { metric, value, step: at + 1 });
      return plateau.reductions;
    });
  };

  test('falls after so many evaluations without improvement, and rests after it', () => {
    // As Keras' ReduceLROnPlateau with patience 2, cooldown 2 and min_delta 0.1, which counts the last evaluation of a rest again.
    expect(reductionsOf([1, 0.95, 0.95, 0.95, 0.95, 0.95, 0.95])).toEqual([0, 0, 1, 1, 1, 2, 2]);
    expect(reductionsOf([1, 0.8, 0.6, 0.55, NaN, 0.4])).toEqual([0, 0, 0, 0, 1, 1]);
    expect(reductionsOf([0.1, 0.3, 0.3, 0.3], 'val/accuracy')).toEqual([0, 0, 0, 1]);
  });
});

test('a run with ema, accumulate, bucketing and plateau has the same bits after it was killed', async () => {
  const folder = temporaryDirectory();
  const run = await toyRun(folder, {
    model: 'name: lstm, hiddenSize: 5, layers: 2, dropout: 0.3',
    optimizer:
      'name: adam, learningRate: 0.05, schedule: { name: plateau, patience: 1, factor: 0.5, cooldown: 1, metric: val/accuracy }',
    train: 'steps: 12, evaluateEvery: 1, checkpointEvery: 3, accumulate: 2, ema: 0.9, bucketing: true',
  });
  const calm = join(folder, 'calm', run.id);
  const disturbed = join(folder, 'disturbed', run.id);
  const { metrics } = await trainUntil(run, calm, Infinity);
  for (const moment of [14, 17, 21]) await trainUntil(run, disturbed, moment);
  expect(await trainUntil(run, disturbed, Infinity)).toMatchObject({ reason: 'completed', metrics });
  expect(metricsIn(disturbed)).toEqual(metricsIn(calm));
});
