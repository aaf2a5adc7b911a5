import * as tf from '@tensorflow/tfjs-core';
import type { Batch, SequenceShape } from '../data/dataset.ts';
import { isClassTask, isPerStep, targetSize } from '../data/task.ts';
import type { TensorBatch } from '../models/model.ts';

/**
 * Frees the tensors of some work that answers none. `tf.tidy` looks for tensors in what it gets back, number by number,
 * which takes far longer than computing the numbers: it gets nothing.
 */
export const withoutTensors = <T>(work: () => T): T => {
  const results: T[] = [];
  tf.tidy(() => {
    results.push(work());
  });
  return results[0] as T;
};

/** A batch on the back end, with what the outputs are compared with. */
export interface TensorInput {
  readonly batch: TensorBatch;
  readonly targets: tf.Tensor;
  readonly weights: tf.Tensor1D | undefined;
}

/** Puts a batch on the back end, cut to its size. */
export const toTensors = (batch: Batch, shape: SequenceShape): TensorInput => {
  const { size, weights } = batch;
  const { input, task } = shape;
  const steps = batch.steps ?? shape.steps;
  const features = input.kind === 'values' ? input.features : 1;
  const cut = batch.inputs.subarray(0, size * steps * features);
  const inputs =
    input.kind === 'values'
      ? tf.tensor3d(cut as Float32Array, [size, steps, features])
      : tf.tensor2d(cut as Int32Array, [size, steps], 'int32');
  const lengths = shape.variableLength ? tf.tensor1d(batch.lengths.subarray(0, size), 'int32') : undefined;
  return {
    batch: { inputs, lengths },
    targets: targetTensor(batch, task, steps),
    weights: weights && tf.tensor1d(weights.subarray(0, size)),
  };
};

/** `[batch]` or `[batch, time]` of classes, else `[batch, numbers]` or `[batch, time, numbers]`. */
const targetTensor = ({ targets, size }: Batch, task: SequenceShape['task'], steps: number): tf.Tensor => {
  const axes = isPerStep(task) ? [size, steps] : [size];
  const width = targetSize(task);
  const cut = targets.subarray(0, axes.reduce((product, length) => product * length, 1) * width);
  return isClassTask(task) ? tf.tensor(cut, axes, 'int32') : tf.tensor(cut, [...axes, width], 'float32');
};
