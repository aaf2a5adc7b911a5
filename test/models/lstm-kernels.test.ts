import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { blockLstm } from '../../src/tensorflow/kernels/block-lstm.ts';
import type { Kernel } from '../../src/tensorflow/kernels/kernel.ts';
import { composedLstm, type LstmSequence } from '../../src/tensorflow/kernels/lstm.ts';
import { largestDifference } from '../support/networks.ts';

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
  input: [size],
  forget: [size],
  output: [size],
};

interface Options {
  readonly reverse: boolean;
  readonly lengths: boolean;
  readonly initial: boolean;
  readonly returns: 'all' | 'final';
  readonly peepholes?: boolean;
}

/** A loss that looks at every output of a kernel, with its gradients. */
const everything = (kernel: Kernel<LstmSequence>, options: Options): number[][] => {
  const lengths = options.lengths ? tf.tensor1d([5, 1, 3], 'int32') : undefined;
  const parts = Object.entries(shapes).map(([name, shape]) => draw(name, shape));
  const used = options.peepholes ? parts : options.initial ? parts.slice(0, 5) : parts.slice(0, 3);
  const loss = (...given: Tensor[]): Scalar => {
    const [inputs, weights, bias, hidden, cell] = given as [Tensor3D, Tensor2D, Tensor1D, Tensor2D, Tensor2D];
    const [input, forget, output] = given.slice(5) as [Tensor1D, Tensor1D, Tensor1D];
    const result = kernel.run({
      inputs,
      kernel: weights,
      bias,
      initial: options.initial ? [hidden, cell] : undefined,
      lengths,
      forgetBias: 0.7,
      reverse: options.reverse,
      returns: options.returns,
      peepholes: options.peepholes ? { input, forget, output } : undefined,
    });
    const terms = [...result.final, ...(result.outputs ? [result.outputs] : [])];
    return tf.addN(
      terms.map((term, index) => tf.sum(tf.mul(term, draw(`weight ${String(index)}`, term.shape)))),
    ) as Scalar;
  };
  const { value, grads } = tf.valueAndGrads(loss)(used);
  return [value, ...grads].map((tensor) => [...tensor.dataSync()]);
};

const cases: Options[] = [false, true].flatMap((reverse) =>
  [false, true].flatMap((lengths) =>
    [false, true].flatMap((initial) =>
      (['all', 'final'] as const).map((returns) => ({ reverse, lengths, initial, returns })),
    ),
  ),
);

describe("TensorFlow's operation and the composed kernel agree", () => {
  for (const options of [
    ...cases,
    ...cases.filter(({ initial }) => initial).map((one) => ({ ...one, peepholes: true })),
  ])
    test(JSON.stringify(options), () => {
      const [block, composed] = [everything(blockLstm, options), everything(composedLstm, options)];
      expect(block.length).toBe(composed.length);
      block.forEach((values, part) =>
        expect(largestDifference(values, composed[part] ?? [])).toBeLessThan(1e-5),
      );
    });

  test('on the state after each step', () => {
    const [inputs, kernel, bias, hidden, cell] = Object.entries(shapes).map(([name, shape]) =>
      draw(name, shape),
    ) as [Tensor3D, Tensor2D, Tensor1D, Tensor2D, Tensor2D];
    const sequence = {
      inputs,
      kernel,
      bias,
      initial: [hidden, cell],
      forgetBias: 1,
      reverse: false,
      returns: 'all',
    } as const;
    const [block = [], composed = []] = [blockLstm, composedLstm].map((one) => one.states?.(sequence));
    block.forEach((part, at) => {
      expect(part.shape).toEqual([batch, time, size]);
      expect(largestDifference(part.dataSync(), composed[at]?.dataSync() ?? [])).toBeLessThan(1e-5);
    });
    expect(block.length).toBe(2);
  });
});
