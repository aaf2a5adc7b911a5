import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { linear } from '../../src/tensorflow/kernels/linear.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';

await loadTensorFlow();

const draw = (name: string, shape: number[]): Tensor => {
  const random = randomStream(1, name);
  return tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal()),
    shape,
  );
};

const composed: typeof linear = (rows, kernel, bias) => tf.add(tf.matMul(rows, kernel), bias);

/** The outputs, and the gradient of everything given of a loss that weighs each output. */
const resultsOf = (layer: typeof linear, given: readonly Tensor[]): readonly Tensor[] => {
  const outputs = (...parts: Tensor[]) => layer(...(parts as [Tensor2D, Tensor2D, Tensor1D]));
  const loss = (...parts: Tensor[]): Scalar => {
    const found = outputs(...parts);
    return tf.sum(tf.mul(found, draw('weight', found.shape)));
  };
  return [outputs(...given), ...tf.grads(loss)([...given])];
};

test.each([
  [1, 1, 1],
  [32, 64, 10],
  [7, 5, 33],
])('%d rows of %d to %d outputs agree with composed operations', (rows, size, count) => {
  tf.tidy(() => {
    const given = [draw('rows', [rows, size]), draw('kernel', [size, count]), draw('bias', [count])];
    const [expected, found] = [composed, linear].map((layer) => resultsOf(layer, given));
    expect(found?.map(({ shape }) => shape)).toEqual([[rows, count], ...given.map(({ shape }) => shape)]);
    for (const [index, tensor] of (found ?? []).entries()) {
      const apart = tf.max(tf.abs(tf.sub(tensor, expected?.[index] as Tensor)));
      expect(apart.dataSync()[0]).toBeLessThan(1e-5 * size);
    }
  });
});
