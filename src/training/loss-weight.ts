import type { Batch, SequenceShape } from '../data/dataset.ts';
import { isPerStep, targetSize } from '../data/task.ts';

/**
 * How much a batch counts in a mean over batches: its sequences, its steps within the lengths, or the numbers of a forecast
 * that are not missing, each by the weights of its example and its class. The mean loss of a batch is the sum divided by this.
 */
export const lossWeight = (
  { size, lengths, targets, weights, steps: cut }: Batch,
  { task, steps }: Pick<SequenceShape, 'task' | 'steps'>,
  classWeights: Float32Array | undefined,
): number => {
  const perStep = isPerStep(task);
  const countsNumbers = task.kind === 'forecast' && task.hasGaps === true;
  if (!perStep && !countsNumbers && !weights && !classWeights) return size;
  const width = targetSize(task);
  let sum = 0;
  for (let example = 0; example < size; example++) {
    const weight = weights?.[example] ?? 1;
    const from = example * (perStep ? (cut ?? steps) : 1);
    const rows = perStep ? (lengths[example] as number) : 1;
    for (let row = from; row < from + rows; row++) {
      if (countsNumbers) {
        for (let at = row * width; at < (row + 1) * width; at++)
          if (!Number.isNaN(targets[at])) sum += weight;
      } else sum += weight * (classWeights?.[targets[row] as number] ?? 1);
    }
  }
  return sum;
};
