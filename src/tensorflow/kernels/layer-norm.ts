import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { recordOperation } from './record.ts';

/** Added to the variance; the same as in PyTorch. */
const epsilon = 1e-5;

const meanOfRows = (rows: Tensor2D): Tensor2D => tf.mean(rows, 1, true);

/**
 * Subtracts from each row of `[n, size]` its mean and divides it by `sqrt(variance + epsilon)`.
 *
 * A row whose variance is below epsilon passes no gradient back. Its derivative is up to 1 / sqrt(epsilon) = 316, and a
 * recurrent layer multiplies its error by that for each normalisation of each blank step: ten blank rows of an image
 * overflow single precision. The gradient of every other row is exact.
 */
const normalised = (rows: Tensor2D): Tensor2D => {
  const [result] = recordOperation(
    { rows },
    {
      forward: (save) => {
        const centred = tf.sub<Tensor2D>(rows, meanOfRows(rows));
        const variance = meanOfRows(tf.square(centred));
        const rate = tf.rsqrt(tf.add<Tensor2D>(variance, epsilon));
        const value = tf.mul<Tensor2D>(centred, rate);
        save([value, tf.where(tf.greaterEqual(variance, epsilon), rate, tf.zerosLike(rate))]);
        return [value];
      },
      backward: ([error], [value, factor]) => {
        const [upstream, shown] = [error as Tensor2D, value as Tensor2D];
        const along = tf.mul<Tensor2D>(shown, meanOfRows(tf.mul(upstream, shown)));
        const across = tf.sub<Tensor2D>(tf.sub(upstream, meanOfRows(upstream)), along);
        return { rows: tf.mul(across, factor as Tensor2D) };
      },
    },
  );
  return result as Tensor2D;
};

/**
 * Normalises each row and multiplies it by a gain: Ba, Kiros and Hinton 2016, "Layer Normalization", equation 4. `rows` is
 * `[n, size]`, `gain` is `[size]`.
 */
export const layerNorm = (rows: Tensor2D, gain: Tensor1D): Tensor2D => tf.mul(normalised(rows), gain);
