import * as tf from '@tensorflow/tfjs-core';

/** |x| with the gradient 0 at 0, where that of `tf.abs` is -1. */
export const absolute = (x: tf.Tensor): tf.Tensor => tf.mul(x, tf.sign(x));
