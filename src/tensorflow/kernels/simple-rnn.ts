import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { CellSequence, CellState, Kernel } from './kernel.ts';
import { layerNorm, recordedScan, type ElementwiseCell, scan, scanStates, splitKernel } from './scan.ts';

/**
 * One layer of Elman's cell over a batch of sequences, in one direction (Elman 1990, "Finding Structure in Time"):
 * `h' = tanh([x, h] kernel + bias)`. With layer normalisation the sum is normalised before the bias is added (Ba,
 * Kiros and Hinton 2016, equation 4). `kernel` is `[features + hidden, hidden]`.
 */
export interface SimpleRnnSequence extends CellSequence {
  /** Gain `[hidden]` of layer normalisation. */
  readonly norm?: Tensor1D | undefined;
}

const cellOf = (sequence: SimpleRnnSequence) => {
  const { bias, norm, recurrentMask } = sequence;
  const [batch] = sequence.inputs.shape;
  const size = bias.shape[0];
  const [inputKernel, recurrentKernel] = splitKernel(sequence);

  const project = (rows: Tensor2D): Tensor2D => {
    const product: Tensor2D = tf.matMul(rows, inputKernel);
    return norm ? product : tf.add(product, bias);
  };
  const step = (projected: Tensor2D, [hidden]: CellState): CellState => {
    const seen: Tensor2D = recurrentMask ? tf.mul(hidden, recurrentMask) : hidden;
    const sums = tf.add<Tensor2D>(projected, tf.matMul(seen, recurrentKernel));
    return [tf.tanh(norm ? tf.add<Tensor2D>(layerNorm(sums, norm), bias) : sums)];
  };
  const initial: CellState = sequence.initial ?? [tf.zeros([batch, size])];
  return { initial, project, step };
};

const tanhCell: ElementwiseCell = {
  step: (projected, product) => ({ next: tf.tanh(tf.add<Tensor2D>(projected, product)), saved: [] }),
  factors: (_, { after }) => [tf.sub(1, tf.square(after))],
  stepBack: (error, [slope]) => {
    const sum: Tensor2D = tf.mul(error, slope as Tensor2D);
    return { projected: sum, product: sum, hidden: undefined };
  },
};

/** Elman's cell in plain tfjs operations, with every feature. */
export const composedSimpleRnn: Kernel<SimpleRnnSequence> = {
  run: (sequence) => {
    const cell = cellOf(sequence);
    return sequence.norm ? scan(sequence, cell) : recordedScan(sequence, cell, tanhCell);
  },
  states: (sequence) => scanStates(sequence.inputs, cellOf(sequence)),
};
