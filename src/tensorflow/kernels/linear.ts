import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { isNative, runNative } from '../native.ts';
import { fusedKernels } from './fused-kernels.ts';
import type { Precision } from './kernel.ts';
import { mostFusedOutputs } from './own-network.ts';
import { recordOperation } from './record.ts';

/** The attribute of our own operations with matrix products. */
export const bfloat16Attribute = (precision: Precision = 'float32') => ({
  name: 'round_operands',
  bool: precision === 'bfloat16',
});

interface Linear {
  readonly forward: (rows: Tensor, kernel: Tensor, bias: Tensor) => Tensor;
  /** The gradients of rows, kernel and bias from that of the outputs. */
  readonly backward: (gradient: Tensor, rows: Tensor, kernel: Tensor) => readonly Tensor[];
}

/** Unroll's own operations: one call forward, one back. */
const fused = (precision: Precision): Linear => {
  const attributes = [bfloat16Attribute(precision)];
  return {
    forward: (rows, kernel, bias) =>
      runNative('UnrollLinear', [rows, kernel, bias], { attributes, outputs: 1 })[0] as Tensor,
    backward: (gradient, rows, kernel) =>
      runNative('UnrollLinearGradient', [gradient, rows, kernel], { attributes, outputs: 3 }),
  };
};

const product = (
  left: Tensor,
  right: Tensor,
  { transposeLeft = false, transposeRight = false } = {},
): Tensor =>
  runNative('MatMul', [left, right], {
    attributes: [
      { name: 'transpose_a', bool: transposeLeft },
      { name: 'transpose_b', bool: transposeRight },
    ],
    outputs: 1,
  })[0] as Tensor;

const single = (name: 'BiasAdd' | 'BiasAddGrad', inputs: readonly Tensor[]): Tensor =>
  runNative(name, inputs, { attributes: [], outputs: 1 })[0] as Tensor;

/**
 * Operations of TensorFlow that tfjs has no function for. The `matMul` of tfjs calls the product of batches of matrices,
 * which takes five times as long for a small one, and the gradient of its `add` takes four more operations.
 */
const composed: Linear = {
  forward: (rows, kernel, bias) => single('BiasAdd', [product(rows, kernel), bias]),
  backward: (gradient, rows, kernel) => [
    product(gradient, kernel, { transposeRight: true }),
    product(rows, gradient, { transposeLeft: true }),
    single('BiasAddGrad', [gradient]),
  ],
};

/**
 * `rows kernel + bias`: `[rows, size]` times `[size, outputs]`, plus `[outputs]`. Only our own operations have bfloat16
 * operands: call it with them where `fusedKernels()` is available.
 */
export const linear = (
  rows: Tensor2D,
  kernel: Tensor2D,
  bias: Tensor1D,
  precision: Precision = 'float32',
): Tensor2D => {
  if (!isNative()) return tf.add(tf.matMul(rows, kernel), bias);
  const isFused =
    precision === 'bfloat16' || (kernel.shape[1] <= mostFusedOutputs && fusedKernels().available);
  const way = isFused ? fused(precision) : composed;
  const [outputs] = recordOperation(
    { rows, kernel, bias },
    {
      forward: (save) => {
        save([rows, kernel]);
        return [way.forward(rows, kernel, bias)];
      },
      backward: ([gradient], saved) => {
        const [given, ofRows, weights] = [gradient, ...saved] as [Tensor, Tensor, Tensor];
        const [rows, kernel, bias] = way.backward(given, ofRows, weights) as [Tensor, Tensor, Tensor];
        return { rows, kernel, bias };
      },
    },
  );
  return outputs as Tensor2D;
};
