import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { LstmKernel } from './lstm.ts';
import { lastStep, reverseWithinLength, swapBatchAndTime, zeroPastLength } from './time.ts';

/** The LSTM written in plain tfjs operations, which every back end has; the input product stands before the loop. */
export const composedLstm: LstmKernel = {
  name: 'composed-lstm',
  run: ({ inputs, kernel, bias, initial, lengths, forgetBias, reverse, returns }) => {
    const [batch, time, features] = inputs.shape;
    const size = bias.shape[0] / 4;
    const timeMajor = swapBatchAndTime(inputs);
    const ordered = reverse ? reverseWithinLength(timeMajor, lengths) : timeMajor;
    const inputKernel = tf.slice(kernel, [0, 0], [features, 4 * size]);
    const recurrentKernel = tf.slice(kernel, [features, 0], [size, 4 * size]);
    const projected = tf.add(tf.matMul(tf.reshape(ordered, [time * batch, features]), inputKernel), bias);

    let hidden: Tensor2D = initial?.hidden ?? tf.zeros([batch, size]);
    let cell: Tensor2D = initial?.cell ?? tf.zeros([batch, size]);
    const hiddens: Tensor2D[] = [];
    const cells: Tensor2D[] = [];
    for (const step of tf.unstack(tf.reshape(projected, [time, batch, 4 * size])) as Tensor2D[]) {
      const sums = tf.add(step, tf.matMul(hidden, recurrentKernel));
      const [i, j, f, o] = tf.split(sums, 4, 1) as [Tensor2D, Tensor2D, Tensor2D, Tensor2D];
      cell = tf.add(tf.mul(tf.sigmoid(tf.add(f, forgetBias)), cell), tf.mul(tf.sigmoid(i), tf.tanh(j)));
      hidden = tf.mul(tf.sigmoid(o), tf.tanh(cell));
      hiddens.push(hidden);
      cells.push(cell);
    }
    const everyHidden = tf.stack(hiddens) as Tensor3D;
    const finalHidden = lastStep(everyHidden, lengths);
    const finalCell = lastStep(tf.stack(cells) as Tensor3D, lengths);
    if (returns === 'final') return { outputs: undefined, finalHidden, finalCell };
    const inOrder = reverse ? reverseWithinLength(everyHidden, lengths) : everyHidden;
    return { outputs: swapBatchAndTime(zeroPastLength(inOrder, lengths)), finalHidden, finalCell };
  },
};
