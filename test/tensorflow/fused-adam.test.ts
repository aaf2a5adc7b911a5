import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { runNative } from '../../src/tensorflow/native.ts';

await loadTensorFlow();
const kernels = fusedKernels();
const why = kernels.available ? '' : ` (left out: ${kernels.reason})`;

const [beta1, beta2, size, epsilon, keep] = [0.9, 0.99, 0.01, 1e-3, 0.98];
const settings = () => tf.tensor1d([beta1, 1 - beta1, beta2, 1 - beta2, size, epsilon, keep]);

const draw = (name: string, shape: number[]): tf.Tensor => {
  const random = randomStream(1, name);
  return tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.uniform()),
    shape,
  );
};

const step = (given: readonly tf.Tensor[]) => runNative('UnrollAdam', given, { attributes: [], outputs: 3 });

describe.skipIf(!kernels.available)(`fused Adam${why}`, () => {
  // The last one is more than two threads take at once, with a remainder.
  test.each([[[]], [[1]], [[7, 5]], [[140_009]]])('computes its formula for the shape %o', (shape) => {
    const given = ['weight', 'gradient', 'mean', 'variance'].map((name) => draw(name, shape));
    const before = given.map((tensor) => [...tensor.dataSync()]);
    const found = step([...given, settings()]);
    expect(found.map((tensor) => tensor.shape)).toEqual([shape, shape, shape]);
    const [weights, means, variances] = found.map((tensor) => tensor.dataSync());
    let apart = 0;
    for (const [index, weight] of (before[0] as number[]).entries()) {
      const [gradient = 0, mean = 0, variance = 0] = before.slice(1).map((values) => values[index]);
      const nextMean = beta1 * mean + (1 - beta1) * gradient;
      const nextVariance = beta2 * variance + (1 - beta2) * gradient ** 2;
      const nextWeight = keep * weight - (size * nextMean) / (Math.sqrt(nextVariance) + epsilon);
      for (const [values, expected] of [
        [weights, nextWeight],
        [means, nextMean],
        [variances, nextVariance],
      ] as const)
        apart = Math.max(apart, Math.abs((values?.[index] ?? Number.NaN) - expected));
    }
    expect(apart).toBeLessThan(2e-7);
    // Who kept the tensors from before must find them unchanged.
    expect(given.map((tensor) => [...tensor.dataSync()])).toEqual(before);
  });

  test('says what is wrong with a call', () => {
    const [a, b] = [draw('a', [2, 3]), draw('b', [3, 2])];
    expect(() => step([a, a, a, b, settings()])).toThrow('variance must have the shape [2, 3], not [3, 2]');
    expect(() => step([a, a, a, a, tf.tensor1d([1])])).toThrow('settings must have the shape [7], not [1]');
  });
});
