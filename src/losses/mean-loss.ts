import * as tf from '@tensorflow/tfjs-core';
import { isClassTask, isPerStep, type Task } from '../data/task.ts';
import type { Loss } from './loss.ts';

/** A network's outputs for a batch, and what they are compared with. */
export interface LossInput {
  /** `[batch, outputs]`, or `[batch, time, outputs]` for a task with a target at each step. */
  readonly outputs: tf.Tensor;
  /** As in `Batch`. */
  readonly targets: tf.Tensor;
  /** int32 `[batch]`; absent when every sequence has the full length. */
  readonly lengths: tf.Tensor1D | undefined;
  /** float32 `[batch]`: how much each example counts; absent where all count the same. */
  readonly weights?: tf.Tensor1D | undefined;
}

/**
 * The mean loss of a batch, a scalar: over its sequences, or over all steps within their lengths where the task has a
 * target at each step, or over the numbers of a forecast that are not missing. With weights it is sum(weight x loss) /
 * sum(weight), and 0 where every weight is 0.
 */
export const meanLoss = (
  task: Task,
  loss: Loss,
  { outputs, targets, lengths, weights }: LossInput,
): tf.Scalar => {
  if (task.kind === 'forecast' && task.hasGaps === true)
    return meanOfKnown(loss, { outputs, targets, weights });
  const perStep = isPerStep(task);
  const [batch = 0, time = 0] = outputs.shape;
  const size = perStep ? batch * time : batch;
  const rows = inRows(outputs, 2, size) as tf.Tensor2D;
  const truths = inRows(targets, isClassTask(task) ? 1 : 2, size);
  const counted = perStep && lengths !== undefined ? tf.reshape(stepMask(lengths, time), [size]) : undefined;
  if (!counted && !weights && !loss.classWeights)
    return loss.mean?.(rows, truths) ?? tf.mean(loss.rows(rows, truths));

  const each = loss.rows(rows, truths);
  const ofExamples = weights && (perStep ? repeated(weights, time) : weights);
  const shares = counted && ofExamples ? tf.mul(counted, ofExamples) : (counted ?? ofExamples);
  const sum = tf.sum(shares ? tf.mul(each, shares) : each);
  if (!weights && !loss.classWeights) return tf.div(sum, tf.sum(shares ?? tf.onesLike(each)));
  const classShares = loss.classWeights && tf.gather(tf.tensor1d(loss.classWeights), truths);
  const total =
    classShares && shares ? tf.mul(classShares, shares) : (classShares ?? shares ?? tf.onesLike(each));
  return quotient(sum, tf.sum(total));
};

/** Each number of a target is a row of its own; one that is NaN counts 0. */
const meanOfKnown = (
  loss: Loss,
  { outputs, targets, weights }: Pick<LossInput, 'outputs' | 'targets' | 'weights'>,
): tf.Scalar => {
  const [batch = 0, numbers = 0] = targets.shape;
  const truths: tf.Tensor2D = tf.reshape(targets, [batch * numbers, 1]);
  const missing = tf.isNaN(truths);
  const each = loss.rows(
    tf.reshape(outputs, [batch * numbers, -1]),
    tf.where(missing, tf.zerosLike(truths), truths),
  );
  const known: tf.Tensor1D = tf.reshape(tf.cast(tf.logicalNot(missing), 'float32'), [batch * numbers]);
  const shares = weights ? tf.mul<tf.Tensor1D>(known, repeated(weights, numbers)) : known;
  return quotient(tf.sum(tf.mul(each, shares)), tf.sum(shares));
};

/** 0 where nothing counts. `tf.divNoNan` has no gradient for its first operand. */
const quotient = (sum: tf.Tensor, total: tf.Tensor): tf.Scalar =>
  tf.div<tf.Scalar>(sum, tf.maximum(total, tf.scalar(1e-30)));

/** A tensor of this many rows, without an operation where it has that form. */
const inRows = (tensor: tf.Tensor, rank: 1 | 2, size: number): tf.Tensor =>
  tensor.rank === rank ? tensor : tf.reshape(tensor, rank === 1 ? [size] : [size, -1]);

/** `[batch, time]`: 1 within a sequence's length, 0 past it. */
const stepMask = (lengths: tf.Tensor1D, time: number): tf.Tensor2D =>
  tf.cast(
    tf.less(tf.range(0, time, 1, 'int32').expandDims(0), lengths.expandDims(1)),
    'float32',
  ) as tf.Tensor2D;

/** The weight of each sequence for each of its steps, `[batch * time]`. */
const repeated = (weights: tf.Tensor1D, time: number): tf.Tensor1D =>
  tf.reshape(tf.tile(weights.expandDims(1), [1, time]), [-1]);
