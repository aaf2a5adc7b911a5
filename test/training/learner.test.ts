import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test, vi } from 'vitest';
import { allocateBatch } from '../../src/data/dataset.ts';
import { registry, rowOf } from '../../src/registry/rows.ts';
import { buildLearner } from '../../src/training/learner.ts';
import { planExperiment } from '../../src/plan/plan-experiment.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';

beforeAll(async () => {
  await loadTensorFlow();
});

const learnerOf = async (...set: readonly string[]) => {
  const planned = await planExperiment('experiments/smoke.yaml', { set, cores: 1 });
  if (!planned.ok) throw new Error(planned.errors[0]?.message);
  const [run] = planned.value.runs;
  if (!run) throw new Error('no run');
  const dataset = await rowOf(registry.dataset, run.config.dataset).load(run.config.dataset, {
    baseDirectory: '.',
  });
  const batch = allocateBatch(dataset.shape, 32);
  dataset.train.read(
    Int32Array.from({ length: 32 }, (_, index) => index),
    batch,
  );
  return { learner: await buildLearner(run, dataset.shape, { registry, totalSteps: 100 }), batch };
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

test('adamw updates all weights by its formula, after clipping and at the learning rate of the schedule', async () => {
  const [learningRate, epsilon, weightDecay, clipNorm, clipValue] = [0.1, 1, 0.5, 0.05, 0.02];
  const { learner, batch } = await learnerOf(
    `optimizer={ name: adamw, learningRate: ${learningRate}, epsilon: ${epsilon}, weightDecay: ${weightDecay}, ` +
      `clipNorm: ${clipNorm}, clipValue: ${clipValue}, schedule: { warmupSteps: 2 } }`,
  );
  // Plain descent by a learning rate of 1 tells the gradient at some weights.
  const { learner: descent } = await learnerOf('optimizer={ name: sgd, learningRate: 1 }');
  const read = ({ weights }: typeof learner) => [...weights().values()].map((one) => [...one.dataSync()]);
  const gradientAt = (of: typeof learner): number[][] => {
    const stored = [...of.weights()].map(
      ([key, tensor]) => [key, { shape: tensor.shape, values: tensor.dataSync<'float32'>() }] as const,
    );
    descent.restore(new Map(stored));
    descent.update(batch, 1, false);
    const moved = read(descent);
    return read(of).map((values, index) => values.map((value, at) => value - (moved[index]?.[at] ?? NaN)));
  };
  const zeros = () => read(learner).map((values) => values.map(() => 0));
  let [means, variances] = [zeros(), zeros()];
  let clipped = false;
  for (let step = 1; step <= 4; step++) {
    const rate = learningRate * Math.min(1, step / 2);
    const cut = gradientAt(learner).map((gradient) =>
      gradient.map((one) => Math.max(-clipValue, Math.min(clipValue, one))),
    );
    const norm = Math.hypot(...cut.flat());
    clipped ||= norm > clipNorm;
    const gradients = cut.map((gradient) =>
      gradient.map((one) => (one * clipNorm) / Math.max(norm, clipNorm)),
    );
    const mix = (old: number[][], part: number, now: (gradient: number) => number) =>
      old.map((values, index) =>
        values.map((value, at) => part * value + (1 - part) * now(gradients[index]?.[at] ?? NaN)),
      );
    means = mix(means, 0.9, (one) => one);
    variances = mix(variances, 0.999, (one) => one * one);
    const size = (rate * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step);
    const expected = read(learner).map((values, index) =>
      values.map((value, at) => {
        const change = (means[index]?.[at] ?? NaN) / (Math.sqrt(variances[index]?.[at] ?? NaN) + epsilon);
        return value * (1 - rate * weightDecay) - size * change;
      }),
    );
    learner.update(batch, step, false);
    const apart = read(learner).map((values, index) =>
      Math.max(...values.map((value, at) => Math.abs(value - (expected[index]?.[at] ?? NaN)))),
    );
    expect(Math.max(...apart)).toBeLessThan(1e-6);
  }
  expect(clipped).toBe(true);
  learner.dispose();
  descent.dispose();
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
