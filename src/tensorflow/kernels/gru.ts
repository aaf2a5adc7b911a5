import * as tf from '@tensorflow/tfjs-core';
import type { Rank, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { CellSequence, CellState, Kernel } from './kernel.ts';
import { layerNorm, recordedScan, type ElementwiseCell, scan, scanStates, splitKernel } from './scan.ts';

/**
 * One layer of gated recurrent units over a batch of sequences, in one direction. Columns of the kernel are in the
 * order reset r, update z, candidate n.
 *
 *     r = sigmoid([x, h] kernel_r + bias_r)            z = sigmoid([x, h] kernel_z + bias_z)
 *     n = tanh(x kernel_n + bias_n + (r * h) kernel_n)                       reset before the product
 *     n = tanh(x kernel_n + bias_n + r * (h kernel_n + recurrentBias))       reset after the product
 *     h' = (1 - z) * n + z * h
 *
 * Reset before: Cho et al. 2014. Reset after: cuDNN and PyTorch; all products of h are then one. `kernel` is
 * `[features + hidden, 3 * hidden]`.
 */
export interface GruSequence extends CellSequence {
  /** `[hidden]`; given: reset after the product, absent: before. */
  readonly recurrentBias?: Tensor1D | undefined;
  /** Gains `[3 * hidden]` of layer normalisation; only with reset after. */
  readonly norm?: { readonly input: Tensor1D; readonly recurrent: Tensor1D } | undefined;
}

const cellOf = (sequence: GruSequence) => {
  const { bias, recurrentBias, norm, recurrentMask } = sequence;
  const [batch] = sequence.inputs.shape;
  const size = bias.shape[0] / 3;
  const [inputKernel, recurrentKernel] = splitKernel(sequence);
  const parts = (columns: Tensor2D) => tf.split(columns, [2 * size, size], 1) as [Tensor2D, Tensor2D];
  const gains = (gain: Tensor1D) => tf.split(gain, [2 * size, size]) as [Tensor1D, Tensor1D];

  /** Normalises the two gates together and the candidate by itself. */
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
  const initial: CellState = sequence.initial ?? [tf.zeros([batch, size])];
  return { initial, project, step };
};

/** The elementwise part of a cell with the reset after the product. */
const resetAfterCell = (size: number): ElementwiseCell => {
  const parts = (columns: Tensor2D) => tf.split(columns, [2 * size, size], 1) as [Tensor2D, Tensor2D];
  return {
    step: (projected, product, hidden) => {
      const [inputGates, inputCandidate] = parts(projected);
      const [stateGates, stateCandidate] = parts(product);
      const gates = tf.sigmoid(tf.add<Tensor2D>(inputGates, stateGates));
      const [reset, update] = tf.split(gates, 2, 1) as [Tensor2D, Tensor2D];
      const candidate = tf.tanh(tf.add<Tensor2D>(inputCandidate, tf.mul(reset, stateCandidate)));
      const next = tf.add<Tensor2D>(candidate, tf.mul(update, tf.sub(hidden, candidate)));
      return { next, saved: [reset, update, candidate, stateCandidate] };
    },
    factors: (saved, { before }) => {
      const [r, z, n, m] = saved as [Tensor3D, Tensor3D, Tensor3D, Tensor3D];
      const slope = (gate: Tensor3D): Tensor3D => tf.mul(gate, tf.sub(1, gate));
      return [
        z,
        r,
        tf.mul(tf.sub(before, n), slope(z)),
        tf.mul(tf.sub(1, z), tf.sub(1, tf.square(n))),
        tf.mul(m, slope(r)),
      ];
    },
    stepBack: (error, factors) => {
      const [z, r, toUpdate, toCandidate, toReset] = factors as [
        Tensor2D,
        Tensor2D,
        Tensor2D,
        Tensor2D,
        Tensor2D,
      ];
      const candidate = tf.mul<Tensor2D>(error, toCandidate);
      const gates = [tf.mul<Tensor2D>(candidate, toReset), tf.mul<Tensor2D>(error, toUpdate)];
      return {
        projected: tf.concat([...gates, candidate], 1),
        product: tf.concat([...gates, tf.mul<Tensor2D>(candidate, r)], 1),
        hidden: tf.mul<Tensor2D>(error, z),
      };
    },
  };
};

/** The GRU in plain tfjs operations, with every feature. */
export const composedGru: Kernel<GruSequence> = {
  run: (sequence) => {
    const { recurrentBias, norm } = sequence;
    const cell = cellOf(sequence);
    if (!recurrentBias || norm) return scan(sequence, cell);
    const {
      shape: [size],
    } = recurrentBias;
    const productBias = tf.concat([tf.zeros<Rank.R1>([2 * size]), recurrentBias]);
    return recordedScan(sequence, { ...cell, productBias }, resetAfterCell(size));
  },
  states: (sequence) => scanStates(sequence.inputs, cellOf(sequence)),
};
