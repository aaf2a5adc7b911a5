import * as tf from '@tensorflow/tfjs-core';
import type { Task } from '../data/dataset.ts';
import { fusedCrossEntropy } from '../tensorflow/kernels/fused-cross-entropy.ts';
import { fusedKernels } from '../tensorflow/kernels/fused-kernels.ts';
import { isNative, runNative } from '../tensorflow/native.ts';

/**
 * The loss that a task is trained with, a scalar:
 * classification, labelling and next-step: mean softmax cross-entropy with logits (natural logarithm), over the
 * sequences resp. over all steps within the lengths; regression: mean squared error over batch and outputs.
 * `outputs` is `[batch, classes]`, `[batch, time, classes]` or `[batch, outputs]`; `targets` as in `Batch`.
 */
export const lossOf = (
  task: Task,
  { outputs, targets, lengths }: { outputs: tf.Tensor; targets: tf.Tensor; lengths: tf.Tensor1D | undefined },
): tf.Scalar => {
  switch (task.kind) {
    case 'classification':
      return meanCrossEntropy(outputs as tf.Tensor2D, targets as tf.Tensor1D);
    case 'labelling':
    case 'next-step': {
      const [batch = 0, time = 0, classes = 0] = outputs.shape;
      const logits: tf.Tensor2D = tf.reshape(outputs, [batch * time, classes]);
      const labels: tf.Tensor1D = tf.reshape(targets, [batch * time]);
      if (lengths === undefined) return meanCrossEntropy(logits, labels);
      const each = crossEntropy(logits, labels);
      const counted = tf.reshape(stepMask(lengths, time), [batch * time]);
      return tf.div(tf.sum(tf.mul(each, counted)), tf.sum(counted));
    }
    case 'regression':
      return tf.mean(tf.squaredDifference(outputs, targets));
  }
};

/** `[batch, time]`: 1 within a sequence's length, 0 past it. */
const stepMask = (lengths: tf.Tensor1D, time: number): tf.Tensor2D =>
  tf.cast(
    tf.less(tf.range(0, time, 1, 'int32').expandDims(0), lengths.expandDims(1)),
    'float32',
  ) as tf.Tensor2D;

/** Softmax cross-entropy of each row, `[rows]`. One TensorFlow operation gives the loss and its slope together. */
const crossEntropy = (logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor1D =>
  differentiate(logits, labels, {
    reduce: (losses) => losses,
    spread: (upstream) => upstream.expandDims(1),
  });

/** The mean of it, a scalar, whose gradient is one product instead of that of a mean and of a product. */
const meanCrossEntropy = (logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar =>
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
  // The labels are closed over: as an input they would be asked for a gradient, which whole numbers have not.
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
