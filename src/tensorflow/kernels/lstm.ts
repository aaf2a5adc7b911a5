import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { CellSequence, CellState, Kernel } from './kernel.ts';
import { layerNorm, scan, scanStates, splitKernel } from './scan.ts';

/**
 * One LSTM layer over a batch of sequences, in one direction. Gates are in the order of TensorFlow 1's BasicLSTMCell:
 * input i, candidate j, forget f, output o.
 *
 *     [i, j, f, o] = [x, h] kernel + bias
 *     c' = sigmoid(f + forgetBias) * c + sigmoid(i) * tanh(j)
 *     h' = sigmoid(o) * tanh(c')
 *
 * `kernel` is `[features + hidden, 4 * hidden]`, or `[features + projected, 4 * hidden]`.
 */
export interface LstmSequence extends CellSequence {
  /** Added inside the forget gate. */
  readonly forgetBias: number;
  /** Weights of the cell state on the gates, each `[hidden]`; the output gate reads the new one (Gers et al. 2002). */
  readonly peepholes?:
    { readonly input: Tensor1D; readonly forget: Tensor1D; readonly output: Tensor1D } | undefined;
  /** `[hidden, projected]`: the hidden state is this product of the cell's output (Sak, Senior and Beaufays 2014). */
  readonly projection?: Tensor2D | undefined;
  /** Gains of layer normalisation: of the sums `[4 * hidden]` of input and state, of the cell `[hidden]`, its offset. */
  readonly norm?:
    | {
        readonly input: Tensor1D;
        readonly recurrent: Tensor1D;
        readonly cell: Tensor1D;
        readonly cellOffset: Tensor1D;
      }
    | undefined;
}

const cellOf = (sequence: LstmSequence) => {
  const { bias, forgetBias, peepholes, projection, norm, recurrentMask } = sequence;
  const [batch] = sequence.inputs.shape;
  const size = bias.shape[0] / 4;
  const [inputKernel, recurrentKernel] = splitKernel(sequence);

  const project = (rows: Tensor2D): Tensor2D => {
    const product: Tensor2D = tf.matMul(rows, inputKernel);
    return tf.add(norm ? layerNorm(product, norm.input) : product, bias);
  };

  const step = (projected: Tensor2D, state: CellState): CellState => {
    const [hidden, cell] = state as readonly [Tensor2D, Tensor2D];
    const product: Tensor2D = tf.matMul(
      recurrentMask ? tf.mul(hidden, recurrentMask) : hidden,
      recurrentKernel,
    );
    const sums = tf.add(projected, norm ? layerNorm(product, norm.recurrent) : product);
    const [i, j, f, o] = tf.split(sums, 4, 1) as [Tensor2D, Tensor2D, Tensor2D, Tensor2D];
    const seen = (gate: Tensor2D, peephole: 'input' | 'forget' | 'output', of: Tensor2D): Tensor2D =>
      tf.sigmoid(peepholes ? tf.add<Tensor2D>(gate, tf.mul(of, peepholes[peephole])) : gate);
    const kept: Tensor2D = tf.mul(seen(tf.add(f, forgetBias), 'forget', cell), cell);
    const next = tf.add<Tensor2D>(kept, tf.mul(seen(i, 'input', cell), tf.tanh(j)));
    const shown: Tensor2D = norm ? tf.add(layerNorm(next, norm.cell), norm.cellOffset) : next;
    const output: Tensor2D = tf.mul(seen(o, 'output', next), tf.tanh(shown));
    return [projection ? tf.matMul(output, projection) : output, next];
  };

  const initial: CellState = sequence.initial ?? [
    tf.zeros([batch, recurrentKernel.shape[0]]),
    tf.zeros([batch, size]),
  ];
  return { initial, project, step };
};

/** The LSTM in plain tfjs operations, which every back end has, with every feature; slower than the others. */
export const composedLstm: Kernel<LstmSequence> = {
  run: (sequence) => scan(sequence, cellOf(sequence)),
  states: (sequence) => scanStates(sequence.inputs, cellOf(sequence)),
};
