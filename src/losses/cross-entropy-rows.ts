import * as tf from '@tensorflow/tfjs-core';
import { fusedCrossEntropy } from '../tensorflow/kernels/fused-cross-entropy.ts';
import { fusedKernels } from '../tensorflow/kernels/fused-kernels.ts';
import { isNative, runNative } from '../tensorflow/native.ts';

/**
 * Softmax cross-entropy with the natural logarithm of each row, `[rows]`: -log softmax(logits)[label]. One TensorFlow
 * operation computes the loss together with its gradient by the logits, softmax(logits) - onehot(label).
 */
export const crossEntropyRows = (logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor1D =>
  differentiate(logits, labels, {
    reduce: (losses) => losses,
    spread: (upstream) => tf.expandDims(upstream, 1),
  });

/** The mean of the rows, a scalar, with one product for the gradient instead of those of a mean and of a product. */
export const meanCrossEntropy = (logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar =>
  fusedKernels().available
    ? fusedCrossEntropy(logits, labels)
    : differentiate(logits, labels, {
        reduce: (losses) => tf.mean(losses),
        spread: (upstream) => tf.div(upstream, logits.shape[0]),
      });

/** The losses of the rows, reduced; `spread` brings the gradient of what is left to the rows, `[rows, 1]` or a scalar. */
const differentiate = <R extends tf.Tensor>(
  logits: tf.Tensor2D,
  labels: tf.Tensor1D,
  {
    reduce,
    spread,
  }: { readonly reduce: (losses: tf.Tensor1D) => R; readonly spread: (upstream: R) => tf.Tensor },
): R => {
  // The labels are closed over: as an input they would be asked for a gradient, which integers do not have.
  const ofLogits = tf.customGrad((input, save) => {
    const [losses, slope] = softmaxAndSlope(input as tf.Tensor2D, labels);
    (save as tf.GradSaveFunc)([slope]);
    return {
      value: reduce(losses),
      gradFunc: (upstream: tf.Tensor, saved: tf.Tensor[]) =>
        tf.mul(saved[0] as tf.Tensor2D, spread(upstream as R)),
    };
  });
  return ofLogits(logits);
};

const softmaxAndSlope = (logits: tf.Tensor2D, labels: tf.Tensor1D): [tf.Tensor1D, tf.Tensor2D] => {
  if (isNative()) {
    return runNative('SparseSoftmaxCrossEntropyWithLogits', [logits, labels], {
      attributes: [{ name: 'Tlabels', type: 'int32' }],
      outputs: 2,
    }) as [tf.Tensor1D, tf.Tensor2D];
  }
  const logProbabilities = tf.logSoftmax(logits);
  const wanted = tf.oneHot(labels, logits.shape[1]);
  const loss = tf.neg(tf.sum(tf.mul(logProbabilities, wanted), 1));
  return [loss as tf.Tensor1D, tf.sub(tf.exp(logProbabilities), wanted)];
};

/** The rows with weights of classes and smoothed targets; the formula is at `crossEntropy`. */
export const smoothedCrossEntropyRows = (
  logits: tf.Tensor2D,
  labels: tf.Tensor1D,
  {
    weights,
    labelSmoothing,
  }: { readonly weights: Float32Array | undefined; readonly labelSmoothing: number },
): tf.Tensor1D => {
  const classes = logits.shape[1];
  const wanted = tf.add(tf.mul(tf.oneHot(labels, classes), 1 - labelSmoothing), labelSmoothing / classes);
  const weighted = weights ? tf.mul(wanted, tf.tensor1d(weights)) : wanted;
  return tf.neg(tf.sum<tf.Tensor1D>(tf.mul(tf.logSoftmax(logits), weighted), 1));
};
