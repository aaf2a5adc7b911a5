import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { isNative, runNative } from '../native.ts';
import { recordOperation } from './record.ts';

const product = (
  left: Tensor,
  right: Tensor,
  { transposeLeft = false, transposeRight = false } = {},
): Tensor2D =>
  runNative('MatMul', [left, right], {
    attributes: [
      { name: 'transpose_a', bool: transposeLeft },
      { name: 'transpose_b', bool: transposeRight },
    ],
    outputs: 1,
  })[0] as Tensor2D;

const single = (name: 'BiasAdd' | 'BiasAddGrad', inputs: readonly Tensor[]): Tensor =>
  runNative(name, inputs, { attributes: [], outputs: 1 })[0] as Tensor;

/**
 * `rows kernel + bias`: `[rows, size]` times `[size, outputs]`, plus `[outputs]`. On native TensorFlow by operations
 * that tfjs has no function for: its `matMul` calls the product of batches of matrices, which takes five times as long
 * for a small one, and its `add` has a gradient of four more operations.
 */
export const linear = (rows: Tensor2D, kernel: Tensor2D, bias: Tensor1D): Tensor2D => {
  if (!isNative()) return tf.add(tf.matMul(rows, kernel), bias);
  const [outputs] = recordOperation(
    { rows, kernel, bias },
    {
      forward: (save) => {
        save([rows, kernel]);
        return [single('BiasAdd', [product(rows, kernel), bias])];
      },
      backward: ([gradient], [savedRows, savedKernel]) => {
        const [given, ofRows, weights] = [gradient, savedRows, savedKernel] as [Tensor, Tensor, Tensor];
        return {
          rows: product(given, weights, { transposeRight: true }),
          kernel: product(ofRows, given, { transposeLeft: true }),
          bias: single('BiasAddGrad', [given]),
        };
      },
    },
  );
  return outputs as Tensor2D;
};
