import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { describe, expect, test, vi } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import { linear } from '../../src/tensorflow/kernels/linear.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { runNative } from '../../src/tensorflow/native.ts';

await loadTensorFlow();
const kernels = fusedKernels();
const why = kernels.available ? '' : ` (left out: ${kernels.reason})`;

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
  [600, 35, 17],
  [7, 5, 65],
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

describe.skipIf(!kernels.available)(`fused${why}`, () => {
  const operationsOf = (count: number): readonly string[] => {
    const backend = tf.backend() as unknown as { executeMultipleOutputs: (name: string) => unknown };
    const spy = vi.spyOn(backend, 'executeMultipleOutputs');
    try {
      const given = [draw('rows', [3, 5]), draw('kernel', [5, count]), draw('bias', [count])];
      tf.grads((...parts: Tensor[]) => linear(...(parts as [Tensor2D, Tensor2D, Tensor1D])))(given);
      return spy.mock.calls.map(([name]) => name).filter((name) => /Linear|MatMul|Bias/.test(name));
    } finally {
      spy.mockRestore();
    }
  };

  test('a few outputs take one call each way, many are left to TensorFlow', () => {
    expect(operationsOf(64)).toEqual(['UnrollLinear', 'UnrollLinearGradient']);
    expect(operationsOf(65)).toEqual(['MatMul', 'BiasAdd', 'MatMul', 'MatMul', 'BiasAddGrad']);
  });

  test.each([
    [
      'another size',
      () => [tf.zeros([2, 3]), tf.zeros([4, 5]), tf.zeros([5])],
      'input and kernel must have the shapes [rows, size] and [size, outputs], not [2, 3] and [4, 5].',
    ],
    ['another bias', () => [tf.zeros([2, 3]), tf.zeros([3, 5]), tf.zeros([4])], 'bias'],
    ['no rows', () => [tf.zeros([0, 3]), tf.zeros([3, 5]), tf.zeros([5])], 'not [0, 3] and [3, 5].'],
  ])('%s is an error', (_, given, message) => {
    expect(() => runNative('UnrollLinear', given(), { attributes: [], outputs: 1 })).toThrow(message);
  });

  test('a gradient of another shape is an error', () => {
    const given = [tf.zeros([2, 4]), tf.zeros([2, 3]), tf.zeros([3, 5])];
    expect(() => runNative('UnrollLinearGradient', given, { attributes: [], outputs: 3 })).toThrow(
      'gradient',
    );
  });
});
