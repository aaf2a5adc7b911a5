import * as tf from '@tensorflow/tfjs-core';
import type { Rank, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { layerNorm } from './layer-norm.ts';
import { recordScan, type ElementwiseCell } from './recorded-scan.ts';
import {
  inReadingOrder,
  scan,
  scanStates,
  type CellStates,
  type CellState,
  type SequenceInput,
  type SequenceResult,
} from './scan.ts';

/**
 * One layer of Elman's cell over a batch of sequences, in one direction (Elman 1990, "Finding Structure in Time"):
 * `h' = tanh([x, h] kernel + bias)`. With layer normalisation the sum is normalised before the bias is added (Ba,
 * Kiros and Hinton 2016, equation 4).
 */
export interface SimpleRnnSequence extends SequenceInput {
  /** `[features + hidden, hidden]`. */
  readonly kernel: Tensor2D;
  /** `[hidden]`. */
  readonly bias: Tensor1D;
  /** `[batch, hidden]`; zero when absent. */
  readonly initial?: Tensor2D | undefined;
  /** Gain `[hidden]` of layer normalisation. */
  readonly norm?: Tensor1D | undefined;
  /** `[batch, hidden]`: what the cell sees of the hidden state is multiplied by it at every step. */
  readonly recurrentMask?: Tensor2D | undefined;
}

const cellOf = ({ inputs, kernel, bias, initial, norm, recurrentMask }: SimpleRnnSequence) => {
  const [batch, , features] = inputs.shape;
  const size = bias.shape[0];
  const inputKernel: Tensor2D = tf.slice(kernel, [0, 0], [features, size]);
  const recurrentKernel: Tensor2D = tf.slice(kernel, [features, 0], [size, size]);

  const project = (rows: Tensor2D): Tensor2D => {
    const product: Tensor2D = tf.matMul(rows, inputKernel);
    return norm ? product : tf.add(product, bias);
  };
  const step = (projected: Tensor2D, [hidden]: CellState): CellState => {
    const seen: Tensor2D = recurrentMask ? tf.mul(hidden, recurrentMask) : hidden;
    const sums = tf.add<Tensor2D>(projected, tf.matMul(seen, recurrentKernel));
    return [tf.tanh(norm ? tf.add<Tensor2D>(layerNorm(sums, norm), bias) : sums)];
  };
  const first: Tensor2D = initial ?? tf.zeros([batch, size]);
  return { initial: [first] as const, project, step };
};

const tanhCell: ElementwiseCell = {
  step: (projected, product) => ({ next: tf.tanh(tf.add<Tensor2D>(projected, product)), saved: [] }),
  factors: (_, { after }) => [tf.sub(1, tf.square(after))],
  stepBack: (error, [slope]) => {
    const sum: Tensor2D = tf.mul(error, slope as Tensor2D);
    return { projected: sum, product: sum, hidden: undefined };
  },
};

const runPlain = (sequence: SimpleRnnSequence): SequenceResult => {
  const { kernel, bias, recurrentMask } = sequence;
  const size = bias.shape[0];
  const { project, initial } = cellOf(sequence);
  return inReadingOrder(sequence, (timeMajor) => {
    const [time, batch, features] = timeMajor.shape;
    const projected = project(tf.reshape(timeMajor, [time * batch, features]));
    const recurrentKernel: Tensor2D = tf.slice(kernel, [features, 0], [size, size]);
    const operands = {
      projected: tf.reshape<Rank.R3>(projected, [time, batch, size]),
      recurrentKernel,
      initial: initial[0],
      mask: recurrentMask,
    };
    return [recordScan(operands, tanhCell)];
  });
};

export const composedSimpleRnn = {
  name: 'composed-simple-rnn',
  run: (sequence: SimpleRnnSequence): SequenceResult =>
    sequence.norm ? scan(sequence, cellOf(sequence)) : runPlain(sequence),
  /** The state after each step, `[batch, time, hidden]`, read forwards, whatever the lengths. */
  states: (sequence: SimpleRnnSequence): CellStates => scanStates(sequence.inputs, cellOf(sequence)),
};
