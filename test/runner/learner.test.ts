import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test, vi } from 'vitest';
import { allocateBatch } from '../../src/data/dataset.ts';
import { datasetRow } from '../../src/registry/rows.ts';
import { buildLearner } from '../../src/runner/training/learner.ts';
import { planExperiment } from '../../src/spec/plan-experiment.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';

beforeAll(async () => {
  await loadTensorFlow();
});

const learnerOf = async (...set: readonly string[]) => {
  const planned = await planExperiment('experiments/smoke.yaml', { set, cores: 1 });
  if (!planned.ok) throw new Error(planned.errors[0]?.message);
  const [run] = planned.value.runs;
  if (!run) throw new Error('no run');
  const dataset = await datasetRow(run.config.dataset.name).load(run.config.dataset, { baseDirectory: '.' });
  const batch = allocateBatch(dataset.shape, 32);
  dataset.train.read(
    Int32Array.from({ length: 32 }, (_, index) => index),
    batch,
  );
  return { learner: await buildLearner(run, dataset.shape, { totalSteps: 100 }), batch };
};

test.each(['sgd', 'adam', 'adamw', 'adamax', 'rmsprop', 'adagrad', 'adadelta'])(
  'a step with %s leaves as many tensors as it found',
  async (optimizer) => {
    const { learner, batch } = await learnerOf(`optimizer={ name: ${optimizer}, clipNorm: 1, clipValue: 1 }`);
    learner.update(batch, 1, true);
    learner.predict(batch);
    const before = tf.memory().numTensors;
    for (let step = 2; step < 8; step++) {
      learner.update(batch, step, step % 2 === 0);
      learner.predict(batch);
    }
    expect(tf.memory().numTensors).toBe(before);
    learner.dispose();
  },
);

test('steps lower the loss, and the displayed loss is that of the batch before its update', async () => {
  const { learner, batch } = await learnerOf('optimizer={ name: adam, learningRate: 0.02 }');
  const predicted = learner.predict(batch).loss;
  const first = learner.update(batch, 1, false).loss;
  expect(first).toBeCloseTo(predicted, 5);
  let last = first;
  for (let step = 2; step <= 60; step++) last = learner.update(batch, step, false).loss;
  expect(last).toBeLessThan(first / 2);
  learner.dispose();
});

test('TensorFlow never looks through numbers for tensors, which would take longer than computing them', async () => {
  const { learner, batch } = await learnerOf('model={ name: lstm, hiddenSize: 8 }');
  const endScope = vi.spyOn(tf.engine(), 'endScope');
  learner.update(batch, 1, true);
  learner.predict(batch);
  const holdsNumbers = (given: unknown): boolean =>
    ArrayBuffer.isView(given) ||
    (typeof given === 'object' &&
      given !== null &&
      !(given instanceof tf.Tensor) &&
      Object.values(given).some(holdsNumbers));
  expect(endScope.mock.calls.length).toBeGreaterThan(1);
  expect(endScope.mock.calls.filter(([result]) => holdsNumbers(result))).toEqual([]);
  endScope.mockRestore();
  learner.dispose();
});
