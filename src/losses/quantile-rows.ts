import * as tf from '@tensorflow/tfjs-core';
import { middleOf } from '../data/quantiles.ts';

/**
 * How quantiles follow from raw outputs: quantiles = outputs x base + softplus(outputs) x steps, both `[quantiles, quantiles]`, row-major.
 * The middle output is the middle quantile; each other one is the distance to the neighbour on the middle's side.
 */
const matrices = (count: number, middle: number) => {
  const base = new Float32Array(count * count);
  const steps = new Float32Array(count * count);
  for (let to = 0; to < count; to++) {
    base[middle * count + to] = 1;
    for (let from = middle + 1; from <= to; from++) steps[from * count + to] = 1;
    for (let from = middle - 1; from >= to; from--) steps[from * count + to] = -1;
  }
  return { base, steps };
};

/** The pinball loss of each row; `outputs` is `[rows, numbers * quantiles]`, `targets` `[rows, numbers]`. */
export const pinballRows = (
  outputs: tf.Tensor2D,
  targets: tf.Tensor,
  quantiles: readonly number[],
): tf.Tensor1D => {
  const count = quantiles.length;
  const [rows] = outputs.shape;
  const { base, steps } = matrices(count, middleOf(quantiles));
  const raw = tf.reshape(outputs, [-1, count]);
  const predictions = tf.add(
    tf.matMul(raw, tf.tensor2d(base, [count, count])),
    tf.matMul(tf.softplus(raw), tf.tensor2d(steps, [count, count])),
  );
  const errors = tf.sub(tf.reshape(targets, [-1, 1]), predictions);
  const levels = tf.tensor1d([...quantiles]);
  const losses = tf.maximum(tf.mul(errors, levels), tf.mul(errors, tf.sub(levels, 1)));
  return tf.mean(tf.reshape(losses, [rows, -1]), 1);
};

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** The quantiles of raw outputs, those of a target side by side, in rising order. */
export const risingQuantiles = (outputs: Float32Array, quantiles: readonly number[]): Float32Array => {
  const count = quantiles.length;
  const middle = middleOf(quantiles);
  const predictions = new Float32Array(outputs.length);
  for (let from = 0; from < outputs.length; from += count) {
    let value = outputs[from + middle] as number;
    predictions[from + middle] = value;
    for (let at = middle + 1; at < count; at++)
      predictions[from + at] = value += softplus(outputs[from + at] as number);
    value = outputs[from + middle] as number;
    for (let at = middle - 1; at >= 0; at--)
      predictions[from + at] = value -= softplus(outputs[from + at] as number);
  }
  return predictions;
};
