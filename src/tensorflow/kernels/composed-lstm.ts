import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { layerNorm } from './layer-norm.ts';
import type { LstmKernel, LstmSequence } from './lstm.ts';
import { scan, scanStates, type CellState } from './scan.ts';

const cellOf = ({ inputs, kernel, bias, initial, forgetBias, variation = {} }: LstmSequence) => {
  const [batch, , features] = inputs.shape;
  const size = bias.shape[0] / 4;
  const outputSize = kernel.shape[0] - features;
  const { peepholes, projection, norm, recurrentMask } = variation;
  const inputKernel: Tensor2D = tf.slice(kernel, [0, 0], [features, 4 * size]);
  const recurrentKernel: Tensor2D = tf.slice(kernel, [features, 0], [outputSize, 4 * size]);

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

  const state: CellState = initial
    ? [initial.hidden, initial.cell]
    : [tf.zeros([batch, outputSize]), tf.zeros([batch, size])];
  return { initial: state, project, step };
};

/** The LSTM in plain tfjs operations, which every back end has, with every variation; slower than the others. */
export const composedLstm: LstmKernel = {
  name: 'composed-lstm',
  run: (sequence) => {
    const { outputs, final } = scan(sequence, cellOf(sequence));
    const [finalHidden, finalCell] = final as readonly [Tensor2D, Tensor2D];
    return { outputs, finalHidden, finalCell };
  },
  states: (sequence) => scanStates(sequence.inputs, cellOf(sequence)) as readonly [Tensor3D, Tensor3D],
};
