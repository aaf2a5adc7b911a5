import type { Static, TObject } from '@sinclair/typebox';
import type { Scalar, Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { isNumberTask, type Task } from '../data/task.ts';
import type { ParameterIssue, Row } from '../parameters/row.ts';

/**
 * A loss that is ready to train with. It sees rows: sequences, or the steps within the sequences' lengths where the task
 * has a target at each step.
 */
export interface Loss {
  /**
   * The loss of each row, `[rows]`. `outputs` is `[rows, outputs]`; `targets` is `[rows]` (classes, int32) or `[rows,
   * numbers]` (float32).
   */
  readonly rows: (outputs: Tensor2D, targets: Tensor) => Tensor1D;
  /** The mean of the rows, in fewer operations. */
  readonly mean?: (outputs: Tensor2D, targets: Tensor) => Scalar;
  /** By class: how much a row of it counts in a mean. `rows` are multiplied by it already. */
  readonly classWeights?: Float32Array;
  /** Which quantiles of a target the outputs are, in rising order, those of a target side by side. */
  readonly quantiles?: readonly number[];
  /** The predicted numbers of raw outputs, in the unit of the targets; the outputs themselves without it. */
  readonly predictions?: (outputs: Float32Array) => Float32Array;
  /** Whether the loss is the mean squared error, which is a metric of its own. */
  readonly isSquaredError?: true;
}

export interface LossContext {
  readonly task: Task;
  /** How often each class is a target in the training part; read when a loss asks for it. */
  readonly classCounts: () => ArrayLike<number>;
}

/** What is known of the targets before the training. */
export interface LossData {
  readonly task: Task;
  /** The smallest number that is a target in the training part, if it is known. */
  readonly smallest: number | undefined;
}

export interface LossRow<P extends TObject = TObject> extends Row<P> {
  readonly tasks: readonly Task['kind'][];
  /** Outputs that a network needs for each class, or for each number of a target; 1 without it. */
  outputsPerTarget?(this: void, parameters: Static<P>): number;
  /** True where the targets must not be scaled. */
  readonly ownUnit?: true;
  /** Parameters that make no sense with the data. */
  checkWith?(this: void, parameters: Static<P>, data: LossData): readonly ParameterIssue[];
  /** Imports TensorFlow; only a run's own process calls this. */
  build(this: void, parameters: Static<P>, context: LossContext): Promise<Loss>;
}

/** The name of the loss of a task in a spec that names none. */
export const defaultLoss = (task: Task): 'cross-entropy' | 'binary-cross-entropy' | 'mse' => {
  if (isNumberTask(task)) return 'mse';
  return task.kind === 'multi-label' ? 'binary-cross-entropy' : 'cross-entropy';
};
