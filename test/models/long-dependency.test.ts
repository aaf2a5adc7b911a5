import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor3D } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import type { Truncation } from '../../src/models/model.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { buildModel } from '../support/networks.ts';

/** The echo task: at each step, say the bit that was read `delay` steps before. */

beforeAll(() => loadTensorFlow());

const [batch, steps, delay] = [16, 24, 5];
const updates = 120;

/** The mean loss of the last ten updates of a small LSTM. */
const train = async (truncation?: Truncation): Promise<number> => {
  const model = await buildModel({
    name: 'lstm',
    parameters: { hiddenSize: 16 },
    shape: {
      steps,
      variableLength: false,
      input: { kind: 'tokens', vocabulary: 2 },
      task: { kind: 'labelling', classes: 2 },
    },
    ...(truncation && { truncation }),
  });
  const adam = tf.train.adam(0.02);
  const lossOf = (step: number): Scalar => {
    const random = randomStream(1, 'bits', step);
    const bits = tf.tensor2d(
      Int32Array.from({ length: batch * steps }, () => random.integer(2)),
      [batch, steps],
      'int32',
    );
    const outputs = model.forward({ inputs: bits, lengths: undefined }, { training: true, step }) as Tensor3D;
    const target = tf.oneHot(tf.slice(bits, [0, 0], [batch, steps - delay]), 2);
    return tf.losses.softmaxCrossEntropy(target, tf.slice(outputs, [0, delay, 0]));
  };
  let sum = 0;
  for (let step = 1; step <= updates; step++)
    sum += tf.tidy(() => {
      const { value, grads } = tf.variableGrads(() => lossOf(step), [...model.variables.values()]);
      adam.applyGradients(Object.entries(grads).map(([name, tensor]) => ({ name, tensor })));
      const [loss = NaN] = value.dataSync();
      return step > updates - 10 ? loss / 10 : 0;
    });
  return sum;
};

test('a dependency of 5 steps is learnt by full backpropagation, not by either style cut after 4', async () => {
  const full = await train();
  const chunked = await train({ steps: 4, style: 'chunked' });
  const exact = await train({ steps: 4, style: 'true' });
  expect(full).toBeLessThan(0.4);
  for (const cut of [chunked, exact]) expect(cut).toBeGreaterThan(0.5);
  expect(Math.abs(chunked - exact)).toBeGreaterThan(1e-4);
});

test('and by both once n covers it', async () => {
  for (const style of ['chunked', 'true'] as const)
    expect(await train({ steps: 12, style })).toBeLessThan(0.4);
});
