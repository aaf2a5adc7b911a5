import { isClassTask, isNumberTask, type Task } from '../data/task.ts';
import type { Loss } from '../losses/loss.ts';
import { softmax } from '../training/predicted-row.ts';

/** What `combined` needs to know of a loss. */
type OfLoss = Pick<Loss, 'predictions'>;

/**
 * The predictions of one network from its raw outputs, or the mean of several: of probabilities, or of numbers. As outputs,
 * whose softmax or sigmoid is the mean probability.
 */
export const combined = (
  losses: readonly OfLoss[],
  task: Task,
): ((raw: readonly Float32Array[]) => Float32Array) => {
  const outputsOf = (raw: Float32Array, at: number): Float32Array => losses[at]?.predictions?.(raw) ?? raw;
  if (losses.length === 1) return ([raw = new Float32Array()]) => outputsOf(raw, 0);
  const { toMean, fromMean } = scaleOf(task);
  return (raw) => {
    const all = raw.map((one, at) => toMean(outputsOf(one, at)));
    const means = Float64Array.from(
      all[0] ?? [],
      (_, at) => all.reduce((sum, values) => sum + (values[at] as number), 0) / all.length,
    );
    return fromMean(means);
  };
};

/** Maps outputs to values that can be averaged, and back. */
const scaleOf = (
  task: Task,
): {
  readonly toMean: (outputs: Float32Array) => ArrayLike<number>;
  readonly fromMean: (means: Float64Array) => Float32Array;
} => {
  if (isNumberTask(task))
    return { toMean: (outputs) => outputs, fromMean: (means) => Float32Array.from(means) };
  if (!isClassTask(task)) {
    return {
      toMean: (outputs) => Float64Array.from(outputs, (output) => 1 / (1 + Math.exp(-output))),
      fromMean: (means) => Float32Array.from(means, (mean) => Math.log(mean / (1 - mean))),
    };
  }
  const { classes } = task;
  return {
    toMean: (outputs) => {
      const probabilities = new Float64Array(outputs.length);
      for (let from = 0; from < outputs.length; from += classes)
        probabilities.set(softmax(outputs.subarray(from, from + classes)), from);
      return probabilities;
    },
    fromMean: (means) => Float32Array.from(means, (mean) => Math.log(mean)),
  };
};
