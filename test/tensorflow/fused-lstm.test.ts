import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { blockLstm } from '../../src/tensorflow/kernels/block-lstm.ts';
import { fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import { fusedLstm } from '../../src/tensorflow/kernels/fused-recurrent.ts';
import type { Kernel } from '../../src/tensorflow/kernels/kernel.ts';
import { composedLstm, type LstmSequence } from '../../src/tensorflow/kernels/lstm.ts';
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
  /** The gates see the hidden state times a mask, as of dropout. */
  readonly mask?: boolean;
  readonly reverse?: boolean;
  readonly returns?: 'all' | 'final';
}

const draw = (name: string, shape: number[]): Tensor => {
  const random = randomStream(1, name);
  const scale = 1 / Math.sqrt(shape[0] ?? 1);
  return tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() * scale),
    shape,
  );
};

const drawMask = (shape: [number, number]): Tensor2D => {
  const random = randomStream(1, 'mask');
  return tf.tensor2d(
    Float32Array.from({ length: shape[0] * shape[1] }, () => (random.uniform() < 0.3 ? 0 : 1 / 0.7)),
    shape,
  );
};

const givenFor = ({ batch, time, features, hidden, initial }: Case): Tensor[] => [
  draw('inputs', [batch, time, features]),
  draw('kernel', [features + hidden, 4 * hidden]),
  draw('bias', [4 * hidden]),
  ...(initial ? [draw('hidden', [batch, hidden]), draw('cell', [batch, hidden])] : []),
];

const runCase = (kernel: Kernel<LstmSequence>, one: Case, given: readonly Tensor[]): Tensor[] => {
  const [inputs, weights, bias, hidden, cell] = given as [Tensor3D, Tensor2D, Tensor1D, Tensor2D, Tensor2D];
  const { outputs, final } = kernel.run({
    inputs,
    kernel: weights,
    bias,
    initial: one.initial ? [hidden, cell] : undefined,
    lengths: one.lengths && tf.tensor1d([...one.lengths], 'int32'),
    forgetBias: 0.7,
    reverse: one.reverse ?? false,
    returns: one.returns ?? 'all',
    recurrentMask: one.mask ? drawMask([one.batch, one.hidden]) : undefined,
  });
  return [...final, ...(outputs ? [outputs] : [])];
};

/** Every result, and the gradient of everything given of a loss that looks at every result. */
const resultsOf = (kernel: Kernel<LstmSequence>, one: Case): Float32Array[] =>
  tf.tidy(() => {
    const given = givenFor(one);
    const loss = (...parts: Tensor[]): Scalar =>
      tf.addN(
        runCase(kernel, one, parts).map((result, index) =>
          tf.sum(tf.mul(result, draw(`weight ${String(index)}`, result.shape))),
        ),
      ) as Scalar;
    const results = runCase(kernel, one, given);
    return [...results, ...tf.grads(loss)(given)].map((tensor) => tensor.dataSync() as Float32Array);
  });

/** The largest difference, relative to the largest value where that is above 1. */
const difference = (a: Float32Array, b: Float32Array): number => {
  let largest = 1;
  let apart = 0;
  for (const [index, value] of a.entries()) {
    largest = Math.max(largest, Math.abs(value));
    const gap = Math.abs(value - (b[index] as number));
    apart = gap > apart || Number.isNaN(gap) ? gap : apart;
  }
  return apart / largest;
};

const cases: readonly Case[] = [
  { batch: 1, time: 1, features: 1, hidden: 1 },
  { batch: 1, time: 28, features: 28, hidden: 5 },
  { batch: 3, time: 28, features: 1, hidden: 64 },
  { batch: 3, time: 1, features: 28, hidden: 100, initial: true },
  { batch: 104, time: 28, features: 28, hidden: 5, initial: true },
  { batch: 104, time: 28, features: 28, hidden: 64, returns: 'final' },
  { batch: 128, time: 28, features: 1, hidden: 100 },
  { batch: 128, time: 28, features: 17, hidden: 33, initial: true, reverse: true },
  { batch: 3, time: 6, features: 28, hidden: 512, initial: true },
  { batch: 128, time: 4, features: 28, hidden: 512 },
  { batch: 5, time: 7, features: 3, hidden: 20, lengths: [7, 1, 4, 6, 2] },
  { batch: 5, time: 7, features: 3, hidden: 20, lengths: [7, 1, 4, 6, 2], reverse: true, initial: true },
  { batch: 5, time: 7, features: 3, hidden: 20, lengths: [3, 1, 4, 6, 2], returns: 'final' },
  { batch: 3, time: 2, features: 1, hidden: 1, mask: true },
  { batch: 104, time: 28, features: 28, hidden: 64, mask: true, returns: 'final' },
  { batch: 128, time: 6, features: 17, hidden: 33, mask: true, initial: true, reverse: true },
  { batch: 5, time: 7, features: 3, hidden: 90, mask: true, lengths: [7, 1, 4, 6, 2] },
  {
    ...{ batch: 5, time: 7, features: 3, hidden: 20, lengths: [3, 1, 4, 6, 2] },
    ...{ mask: true, reverse: true, initial: true },
  },
];

describe.skipIf(!kernels.available)(`fused LSTM${why}`, () => {
  test.each(cases)('agrees with TensorFlow: %o', (one) => {
    // Composed operations are slow for large sizes, and tfjs has no gradient for unstacking a single step.
    const reference = one.hidden > 100 || one.time === 1 ? blockLstm : composedLstm;
    const expected = resultsOf(reference, one);
    const found = resultsOf(fusedLstm, one);
    expect(found.map((values) => values.length)).toEqual(expected.map((values) => values.length));
    for (const [index, values] of found.entries())
      expect(difference(expected[index] as Float32Array, values)).toBeLessThan(1e-5);
  });

  test('what stands past a length is never looked at, not even NaN', () => {
    const one: Case = { batch: 2, time: 4, features: 2, hidden: 3, lengths: [2, 4], mask: true };
    const given = givenFor(one);
    const holed = given[0]?.arraySync() as number[][][];
    holed[0]?.splice(2, 2, [NaN, NaN], [NaN, NaN]);
    const loss = (...parts: Tensor[]): Scalar =>
      tf.addN(runCase(fusedLstm, one, parts).map((result) => tf.sum(result))) as Scalar;
    const whole = tf
      .grads(loss)(given)
      .map((tensor) => [...tensor.dataSync()]);
    const found = tf.grads(loss)([tf.tensor3d(holed), ...given.slice(1)]);
    expect(found.map((tensor) => [...tensor.dataSync()])).toEqual(whole);
  });

  test('a row gives the same bits whatever other rows are in the batch', () => {
    const one: Case = { batch: 13, time: 4, features: 3, hidden: 18 };
    const given = givenFor(one) as [Tensor, Tensor, Tensor];
    const whole = runCase(fusedLstm, one, given)[0] as Tensor;
    const row = runCase(fusedLstm, { ...one, batch: 1 }, [given[0].slice([7], [1]), given[1], given[2]]);
    expect([...(row[0] as Tensor).dataSync()]).toEqual([...whole.slice([7], [1]).dataSync()]);
  });

  test('NaN in the inputs comes out', () => {
    const one: Case = { batch: 1, time: 2, features: 1, hidden: 2 };
    const given = givenFor(one);
    const results = runCase(fusedLstm, one, [tf.tensor3d([[[NaN], [1]]]), ...given.slice(1)]);
    expect((results[0] as Tensor).dataSync().every(Number.isNaN)).toBe(true);
  });

  test('the same gradient comes out when it is asked for twice', () => {
    const one: Case = { batch: 3, time: 5, features: 4, hidden: 20 };
    const given = givenFor(one) as [Tensor, Tensor, Tensor];
    const none = tf.tensor1d([]);
    const rows = tf.tensor1d([], 'int32');
    const mask = drawMask([3, 20]);
    const saved = runNative('UnrollLstmForward', [...given, none, none, rows, mask], {
      attributes: [],
      outputs: 4,
    })[3];
    const before = [...(saved as Tensor).dataSync()];
    const ask = () =>
      runNative(
        'UnrollLstmBackward',
        [
          ...[given[1], rows, saved as Tensor],
          ...[draw('o', [3, 5, 20]), draw('h', [3, 20]), draw('c', [3, 20]), mask],
        ],
        { attributes: [], outputs: 5 },
      ).map((tensor) => [...tensor.dataSync()]);
    expect(ask()).toEqual(ask());
    expect([...(saved as Tensor).dataSync()]).toEqual(before);
  });

  test('leaves no tensor behind', () => {
    const sizes = { batch: 3, time: 5, features: 4, hidden: 20 };
    const one: Case = { ...sizes, lengths: [5, 2, 3], initial: true, mask: true };
    resultsOf(fusedLstm, one);
    const { numTensors, numBytes } = tf.memory();
    for (let times = 0; times < 3; times++) resultsOf(fusedLstm, one);
    expect(tf.memory()).toMatchObject({ numTensors, numBytes });
  });

  describe('says what is wrong with a call instead of crashing', () => {
    const good = {
      inputs: [2, 3, 4],
      kernel: [9, 20],
      bias: [20],
      initial_hidden: [2, 5],
      initial_cell: [2, 5],
      mask: [2, 5],
    };
    const forward = (shapes: Readonly<Record<string, number[]>>, lengths = [3, 1]) =>
      tf.tidy(() => {
        const { mask, ...others } = { ...good, ...shapes };
        return runNative(
          'UnrollLstmForward',
          [
            ...Object.values(others).map((shape) => tf.zeros(shape)),
            tf.tensor1d(lengths, 'int32'),
            tf.zeros(mask),
          ],
          { attributes: [], outputs: 4 },
        ).map((tensor) => tensor.shape);
      });

    test('a good call', () => {
      expect(forward({}).slice(0, 3)).toEqual([
        [2, 3, 5],
        [2, 5],
        [2, 5],
      ]);
    });

    test.each([
      [{ inputs: [2, 12] }, 'inputs must have three dimensions'],
      [{ inputs: [0, 3, 4] }, 'at least one row and step, not [0, 3, 4]'],
      [{ inputs: [2, 3, 5] }, 'inputs must have the shape [2, 3, 4], not [2, 3, 5]'],
      [{ kernel: [9, 21] }, 'kernel must have the shape [features + hidden, 4 * hidden], not [9, 21]'],
      [{ kernel: [9] }, 'kernel must have the shape [features + hidden, 4 * hidden], not [9]'],
      [{ kernel: [4, 20] }, 'kernel must have the shape [features + hidden, 4 * hidden], not [4, 20]'],
      [{ bias: [19] }, 'bias must have the shape [20], not [19]'],
      [{ initial_hidden: [1, 5] }, 'initial_hidden must have the shape [2, 5], not [1, 5]'],
      [{ initial_cell: [0] }, 'initial_hidden and initial_cell must be given together'],
      [{ mask: [2, 4] }, 'mask must have the shape [2, 5], not [2, 4]'],
      [{ mask: [10] }, 'mask must have the shape [2, 5], not [10]'],
    ])('%o', (shapes, message) => {
      expect(() => forward(shapes)).toThrow(message);
    });

    test('lengths', () => {
      expect(() => forward({}, [3, 4])).toThrow('A length must be from 0 to 3, not 4');
      expect(() => forward({}, [-1, 2])).toThrow('A length must be from 0 to 3, not -1');
      expect(() => forward({}, [1, 2, 3])).toThrow('lengths must have the shape [2], not [3]');
    });

    test('the type of an element', () => {
      const given = givenFor({ batch: 1, time: 1, features: 1, hidden: 1 }).map((part) => part.toInt());
      const none = tf.tensor1d([]);
      expect(() =>
        runNative('UnrollLstmForward', [...given, none, none, none, none], { attributes: [], outputs: 4 }),
      ).toThrow(/TF_Status/);
    });

    test('what the gradient is given', () => {
      const none = tf.tensor1d([]);
      const given = [tf.zeros([9, 20]), tf.tensor1d([], 'int32'), tf.zeros([2, 3, 7]), none, none, none];
      const backward = (mask: Tensor) =>
        runNative('UnrollLstmBackward', [...given, mask], { attributes: [], outputs: 5 });
      expect(() => backward(none)).toThrow('saved must have the shape [2, 3, ');
      expect(() => backward(tf.zeros([3, 5]))).toThrow('mask must have the shape [2, 5], not [3, 5]');
      expect(() =>
        runNative('UnrollLstmInputGradient', given.slice(0, 3), { attributes: [], outputs: 1 }),
      ).toThrow('gates_gradient must have the shape [2, 3, 64], not [2, 3, 7]');
    });
  });
});
