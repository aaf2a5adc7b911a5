import type { ExampleBatch } from '../data/example-batch.ts';
import { isClassTask, isNumberTask, type Task } from '../data/task.ts';
import { softmax } from '../training/predicted-row.ts';
import type { Predictor } from './predictor.ts';

/**
 * The predictions of one network, or the mean of several: of probabilities, or of numbers. As outputs, whose softmax or
 * sigmoid is the mean probability.
 */
export const combinedOutputs = (
  predictors: readonly Predictor[],
  task: Task,
): ((examples: ExampleBatch) => Float32Array) => {
  const outputsOf = ({ outputs, loss }: Predictor, examples: ExampleBatch): Float32Array => {
    const raw = outputs(examples);
    return loss.predictions?.(raw) ?? raw;
  };
  const [first] = predictors;
  if (first && predictors.length === 1) return (examples) => outputsOf(first, examples);
  const { toMean, fromMean } = scaleOf(task);
  return (examples) => {
    const all = predictors.map((one) => toMean(outputsOf(one, examples)));
    const means = Float64Array.from(
      all[0] ?? [],
      (_, at) => all.reduce((sum, values) => sum + (values[at] as number), 0) / all.length,
    );
    return fromMean(means);
  };
};

/** From outputs to what a mean makes sense of, and back. */
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
