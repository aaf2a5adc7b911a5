import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import { fusedGru, fusedSimpleRnn } from '../../src/tensorflow/kernels/fused-recurrent.ts';
import { composedGru } from '../../src/tensorflow/kernels/gru.ts';
import type { CellState, SequenceInput, SequenceResult } from '../../src/tensorflow/kernels/kernel.ts';
import { composedSimpleRnn } from '../../src/tensorflow/kernels/simple-rnn.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { runNative } from '../../src/tensorflow/native.ts';

await loadTensorFlow();
const kernels = fusedKernels();
const why = kernels.available ? '' : ` (left out: ${kernels.reason})`;

interface Case {
  readonly batch: number;
  readonly time: number;
  readonly features: number;
  readonly hidden: number;
  readonly lengths?: readonly number[];
  readonly initial?: boolean;
  /** The kernel sees the hidden state times a mask, as of dropout. */
  readonly mask?: boolean;
  readonly reverse?: boolean;
  readonly returns?: 'all' | 'final';
}

const cases: readonly Case[] = [
  { batch: 1, time: 2, features: 1, hidden: 1 },
  { batch: 3, time: 28, features: 28, hidden: 5 },
  { batch: 104, time: 6, features: 28, hidden: 64, returns: 'final' },
  { batch: 128, time: 5, features: 17, hidden: 100, initial: true, reverse: true },
  { batch: 5, time: 7, features: 3, hidden: 90, lengths: [7, 1, 4, 6, 2] },
  { batch: 5, time: 7, features: 33, hidden: 20, lengths: [7, 1, 4, 6, 2], reverse: true, initial: true },
  { batch: 5, time: 7, features: 3, hidden: 20, lengths: [3, 1, 4, 6, 2], returns: 'final' },
  { batch: 3, time: 2, features: 1, hidden: 1, mask: true },
  { batch: 104, time: 6, features: 28, hidden: 64, mask: true, returns: 'final' },
  { batch: 128, time: 5, features: 17, hidden: 100, mask: true, initial: true, reverse: true },
  { batch: 5, time: 7, features: 3, hidden: 90, mask: true, lengths: [7, 1, 4, 6, 2] },
  {
    ...{ batch: 5, time: 7, features: 33, hidden: 20, lengths: [3, 1, 4, 6, 2] },
    ...{ mask: true, reverse: true, initial: true },
  },
];

const draw = (name: string, shape: number[]): Tensor => {
  const random = randomStream(1, name);
  const scale = 1 / Math.sqrt(shape[0] ?? 1);
  return tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal() * scale),
    shape,
  );
};

const drawMask = (shape: [number, number]): Tensor2D => {
  const random = randomStream(1, 'mask');
  return tf.tensor2d(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => (random.uniform() < 0.3 ? 0 : 1 / 0.7)),
    shape,
  );
};

type Options = Omit<SequenceInput, 'inputs'> & { readonly recurrentMask: Tensor2D | undefined };

/** Everything that a cell's layer is given: inputs, kernel, biases, initial state. */
interface Given {
  readonly inputs: Tensor3D;
  readonly kernel: Tensor2D;
  readonly biases: readonly Tensor1D[];
  readonly initial: CellState | undefined;
}

interface Cell {
  readonly gates: number;
  readonly biases: (hidden: number) => number[];
  readonly composed: (given: Given, options: Options) => SequenceResult;
  readonly fused: (given: Given, options: Options) => SequenceResult;
}

const gruSequence = ({ inputs, kernel, biases, initial }: Given, options: Options) => {
  const [bias, recurrentBias] = biases as [Tensor1D, Tensor1D];
  return { ...options, inputs, kernel, bias, recurrentBias, initial };
};

const rnnSequence = ({ inputs, kernel, biases, initial }: Given, options: Options) => {
  const [bias] = biases as [Tensor1D];
  return { ...options, inputs, kernel, bias, initial };
};

const cells: Readonly<Record<string, Cell>> = {
  gru: {
    gates: 3,
    biases: (hidden) => [3 * hidden, hidden],
    composed: (given, options) => composedGru.run(gruSequence(given, options)),
    fused: (given, options) => fusedGru.run(gruSequence(given, options)),
  },
  'simple-rnn': {
    gates: 1,
    biases: (hidden) => [hidden],
    composed: (given, options) => composedSimpleRnn.run(rnnSequence(given, options)),
    fused: (given, options) => fusedSimpleRnn.run(rnnSequence(given, options)),
  },
};

/** Every result, and the gradient of everything given of a loss that looks at every result. */
const resultsOf = (cell: Cell, run: Cell['fused'], one: Case): Float32Array[] =>
  tf.tidy(() => {
    const { batch, time, features, hidden, lengths, initial, mask, reverse = false, returns = 'all' } = one;
    const biasSizes = cell.biases(hidden);
    const tensors = [
      draw('inputs', [batch, time, features]),
      draw('kernel', [features + hidden, cell.gates * hidden]),
      ...biasSizes.map((size, index) => draw(`bias ${String(index)}`, [size])),
      ...(initial ? [draw('initial', [batch, hidden])] : []),
    ];
    const options = {
      lengths: lengths && tf.tensor1d([...lengths], 'int32'),
      reverse,
      returns,
      recurrentMask: mask ? drawMask([batch, hidden]) : undefined,
    };
    const results = (parts: readonly Tensor[]): Tensor[] => {
      const [inputs, kernel, ...rest] = parts as [Tensor3D, Tensor2D, ...Tensor[]];
      const biases = rest.slice(0, biasSizes.length) as Tensor1D[];
      const state = initial ? ([rest.at(-1) as Tensor2D] as const) : undefined;
      const { outputs, final } = run({ inputs, kernel, biases, initial: state }, options);
      return [...final, ...(outputs ? [outputs] : [])];
    };
    const loss = (...parts: Tensor[]): Scalar =>
      tf.addN(
        results(parts).map((result, index) =>
          tf.sum(tf.mul(result, draw(`weight ${String(index)}`, result.shape))),
        ),
      ) as Scalar;
    return [...results(tensors), ...tf.grads(loss)(tensors)].map(
      (tensor) => tensor.dataSync() as Float32Array,
    );
  });

/** The largest difference, relative to the largest value where that is above 1. */
const difference = (a: Float32Array, b: Float32Array): number => {
  let [largest, apart] = [1, 0];
  for (const [index, value] of a.entries()) {
    largest = Math.max(largest, Math.abs(value));
    const gap = Math.abs(value - (b[index] as number));
    apart = gap > apart || Number.isNaN(gap) ? gap : apart;
  }
  return apart / largest;
};

describe.skipIf(!kernels.available)(`fused recurrent layers${why}`, () => {
  describe.each(Object.entries(cells))('%s', (_, cell) => {
    test.each(cases)('agrees with composed operations: %o', (one) => {
      const expected = resultsOf(cell, cell.composed, one);
      const found = resultsOf(cell, cell.fused, one);
      expect(found.map((values) => values.length)).toEqual(expected.map((values) => values.length));
      for (const [index, values] of found.entries())
        expect(difference(expected[index] as Float32Array, values)).toBeLessThan(1e-5);
    });

    test('leaves no tensor behind', () => {
      const sizes = { batch: 3, time: 5, features: 4, hidden: 20 };
      const one: Case = { ...sizes, lengths: [5, 2, 3], initial: true, mask: true };
      resultsOf(cell, cell.fused, one);
      const { numTensors, numBytes } = tf.memory();
      for (let times = 0; times < 3; times++) resultsOf(cell, cell.fused, one);
      expect(tf.memory()).toMatchObject({ numTensors, numBytes });
    });
  });

  test('says what is wrong with a call', () => {
    const none = tf.tensor1d([]);
    const rows = tf.tensor1d([], 'int32');
    const given = [tf.zeros([2, 3, 4]), tf.zeros([9, 15]), tf.zeros([15]), none, none, rows, none];
    const options = { attributes: [], outputs: 4 };
    expect(() => runNative('UnrollGruForward', given, options)).toThrow(
      'UnrollGruForward: bias must have the shape [20], not [15]',
    );
    const kernel = [tf.zeros([2, 3, 4]), tf.zeros([9, 16]), tf.zeros([20]), none, none, rows, none];
    expect(() => runNative('UnrollGruForward', kernel, options)).toThrow(
      'kernel must have the shape [features + hidden, 3 * hidden], not [9, 16]',
    );
    const cell = [tf.zeros([2, 3, 4]), tf.zeros([9, 5]), tf.zeros([5]), none, tf.zeros([2, 5]), rows, none];
    expect(() => runNative('UnrollSimpleRnnForward', cell, options)).toThrow('There is no cell state');
    const mask = [tf.zeros([2, 3, 4]), tf.zeros([9, 5]), tf.zeros([5]), none, none, rows, tf.zeros([5, 2])];
    expect(() => runNative('UnrollSimpleRnnForward', mask, options)).toThrow(
      'mask must have the shape [2, 5], not [5, 2]',
    );
  });
});
