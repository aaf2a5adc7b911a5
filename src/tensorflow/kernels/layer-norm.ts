import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';

const epsilon = 1e-5;

/**
 * Each row less its mean, divided by its standard deviation, times a gain: Ba, Kiros and Hinton 2016, "Layer
 * Normalization", equation 4. `rows` is `[n, size]`, `gain` is `[size]`.
 */
export const layerNorm = (rows: Tensor2D, gain: Tensor1D): Tensor2D => {
  const centred = tf.sub(rows, tf.mean(rows, 1, true));
  const variance = tf.mean(tf.square(centred), 1, true);
  return tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), gain);
};
