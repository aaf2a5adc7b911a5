import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { layerNorm } from './layer-norm.ts';
import { scan, scanStates, type CellState, type SequenceInput, type SequenceResult } from './scan.ts';

/**
 * One layer of gated recurrent units over a batch of sequences, in one direction. Columns of the kernel are in the
 * order reset r, update z, candidate n.
 *
 *     r = sigmoid([x, h] kernel_r + bias_r)            z = sigmoid([x, h] kernel_z + bias_z)
 *     n = tanh(x kernel_n + bias_n + (r * h) kernel_n)                       reset before the product
 *     n = tanh(x kernel_n + bias_n + r * (h kernel_n + recurrentBias))       reset after the product
 *     h' = (1 - z) * n + z * h
 *
 * Reset before: Cho et al. 2014. Reset after: cuDNN and PyTorch, so that all products of h are one.
 */
export interface GruSequence extends SequenceInput {
  /** `[features + hidden, 3 * hidden]`. */
  readonly kernel: Tensor2D;
  /** `[3 * hidden]`. */
  readonly bias: Tensor1D;
  /** `[hidden]`; given: reset after the product, absent: before. */
  readonly recurrentBias: Tensor1D | undefined;
  /** `[batch, hidden]`; zero when absent. */
  readonly initial?: Tensor2D | undefined;
  /** Gains `[3 * hidden]` of layer normalisation; only with reset after. */
  readonly norm?: { readonly input: Tensor1D; readonly recurrent: Tensor1D } | undefined;
  /** `[batch, hidden]`: what the gates see of the hidden state is multiplied by it at every step. */
  readonly recurrentMask?: Tensor2D | undefined;
}

const cellOf = ({ inputs, kernel, bias, recurrentBias, initial, norm, recurrentMask }: GruSequence) => {
  const [batch, , features] = inputs.shape;
  const size = bias.shape[0] / 3;
  const inputKernel: Tensor2D = tf.slice(kernel, [0, 0], [features, 3 * size]);
  const recurrentKernel: Tensor2D = tf.slice(kernel, [features, 0], [size, 3 * size]);
  const parts = (columns: Tensor2D) => tf.split(columns, [2 * size, size], 1) as [Tensor2D, Tensor2D];
  const gains = (gain: Tensor1D) => tf.split(gain, [2 * size, size]) as [Tensor1D, Tensor1D];

  /** The two gates and the candidate are normalised each by themselves. */
  const normalised = (columns: Tensor2D, gain: Tensor1D | undefined): [Tensor2D, Tensor2D] => {
    const [gates, candidate] = parts(columns);
    if (!gain) return [gates, candidate];
    const [gateGain, candidateGain] = gains(gain);
    return [layerNorm(gates, gateGain), layerNorm(candidate, candidateGain)];
  };

  const project = (rows: Tensor2D): Tensor2D => {
    const product: Tensor2D = tf.matMul(rows, inputKernel);
    return tf.add(norm ? tf.concat(normalised(product, norm.input), 1) : product, bias);
  };
  const candidateKernel = parts(recurrentKernel)[1];
  const gateKernel = parts(recurrentKernel)[0];

  const step = (projected: Tensor2D, [hidden]: CellState): CellState => {
    const seen: Tensor2D = recurrentMask ? tf.mul(hidden, recurrentMask) : hidden;
    const [inputGates, inputCandidate] = parts(projected);
    const gatesFrom = (product: Tensor2D) =>
      tf.split(tf.sigmoid(tf.add(inputGates, product)), 2, 1) as [Tensor2D, Tensor2D];
    const mix = (update: Tensor2D, candidate: Tensor2D): CellState => [
      tf.add(candidate, tf.mul(update, tf.sub(hidden, candidate))),
    ];
    if (!recurrentBias) {
      const [reset, update] = gatesFrom(tf.matMul(seen, gateKernel));
      const product = tf.matMul(tf.mul<Tensor2D>(reset, seen), candidateKernel);
      return mix(update, tf.tanh(tf.add<Tensor2D>(inputCandidate, product)));
    }
    const [gates, candidate] = normalised(tf.matMul(seen, recurrentKernel), norm?.recurrent);
    const [reset, update] = gatesFrom(gates);
    const recurrent = tf.mul(reset, tf.add(candidate, recurrentBias));
    return mix(update, tf.tanh(tf.add<Tensor2D>(inputCandidate, recurrent)));
  };
  const first: Tensor2D = initial ?? tf.zeros([batch, size]);
  return { initial: [first] as const, project, step };
};

export const composedGru = {
  name: 'composed-gru',
  run: (sequence: GruSequence): SequenceResult => scan(sequence, cellOf(sequence)),
  /** The state after each step, `[batch, time, hidden]`, read forwards, whatever the lengths. */
  states: (sequence: GruSequence): readonly Tensor3D[] => scanStates(sequence.inputs, cellOf(sequence)),
};
