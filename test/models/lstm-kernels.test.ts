import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { blockLstm } from '../../src/tensorflow/kernels/block-lstm.ts';
import { composedLstm } from '../../src/tensorflow/kernels/composed-lstm.ts';
import type { LstmKernel } from '../../src/tensorflow/kernels/lstm.ts';

beforeAll(() => loadTensorFlow());

const draw = (name: string, shape: number[]): Tensor => {
  const random = randomStream(1, name);
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, () => random.uniform() - 0.5),
    shape,
  );
};

const [batch, time, features, size] = [3, 5, 2, 4];
const shapes = {
  inputs: [batch, time, features],
  kernel: [features + size, 4 * size],
  bias: [4 * size],
  hidden: [batch, size],
  cell: [batch, size],
};

/** A loss that looks at every output of a kernel, with its gradients. */
const everything = (
  kernel: LstmKernel,
  options: { reverse: boolean; lengths: boolean; initial: boolean; returns: 'all' | 'final' },
): number[][] => {
  const lengths = options.lengths ? tf.tensor1d([5, 1, 3], 'int32') : undefined;
  const parts = Object.entries(shapes).map(([name, shape]) => draw(name, shape));
  const used = options.initial ? parts : parts.slice(0, 3);
  const loss = (...given: Tensor[]): Scalar => {
    const [inputs, weights, bias, hidden, cell] = given as [Tensor3D, Tensor2D, Tensor1D, Tensor2D, Tensor2D];
    const result = kernel.run({
      inputs,
      kernel: weights,
      bias,
      initial: options.initial ? { hidden, cell } : undefined,
      lengths,
      forgetBias: 0.7,
      reverse: options.reverse,
      returns: options.returns,
    });
    const terms = [result.finalHidden, result.finalCell, ...(result.outputs ? [result.outputs] : [])];
    return tf.addN(
      terms.map((term, index) => tf.sum(tf.mul(term, draw(`weight ${String(index)}`, term.shape)))),
    ) as Scalar;
  };
  const { value, grads } = tf.valueAndGrads(loss)(used);
  return [value, ...grads].map((tensor) => [...tensor.dataSync()]);
};

describe('TensorFlow operation and composed kernel agree', () => {
  for (const reverse of [false, true])
    for (const lengths of [false, true])
      for (const initial of [false, true])
        for (const returns of ['all', 'final'] as const)
          test(JSON.stringify({ reverse, lengths, initial, returns }), () => {
            const options = { reverse, lengths, initial, returns };
            const [block, composed] = [everything(blockLstm, options), everything(composedLstm, options)];
            expect(block.length).toBe(composed.length);
            block.forEach((values, part) =>
              values.forEach((value, index) => expect(value).toBeCloseTo(composed[part]?.[index] ?? NaN, 5)),
            );
          });
});
