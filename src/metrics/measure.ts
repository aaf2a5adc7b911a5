import type { Task } from '../data/task.ts';

/** What the measures of a task may depend on besides the rows. */
export interface MeasureContext {
  readonly task: Task;
  /** Of a quantile loss: which quantiles of a target the predictions are, in rising order. */
  readonly quantiles?: readonly number[] | undefined;
}

/**
 * Rows of a batch that count: sequences, or the steps within their lengths where the task has a target at each step.
 * Numbers are in their own unit.
 */
export interface Rows {
  readonly size: number;
  /** Of a class task `[rows]`, else `[rows, numbers]`. */
  readonly truths: ArrayLike<number>;
  /** `[rows, outputs]`: logits of classes or labels, or predicted numbers (with quantiles each of a target's side by side). */
  readonly outputs: ArrayLike<number>;
  /** `[rows]`: how much each counts; absent where all count 1. */
  readonly weights?: ArrayLike<number> | undefined;
  /** Of a forecast, by row and target: the mean absolute error of the seasonal naive forecast. */
  readonly naiveErrors?: ArrayLike<number> | undefined;
}

/** Adds up what some metrics of a part are computed from. */
export interface Measure {
  readonly add: (rows: Rows) => void;
  /** What computes each metric, by its name. */
  readonly values: Readonly<Record<string, () => number>>;
}
