import type { Dataset, Split } from '../data/dataset.ts';
import { withTargetsInOwnUnit } from '../data/preprocessing.ts';
import { isPerStep, targetSize, type Task } from '../data/task.ts';

/** A dataset with its targets in their own unit, for losses that need them so. */
export const inOwnUnit = (dataset: Dataset): Dataset => {
  const { shape, train, validation, test, preprocessing } = dataset;
  const unscale = (split: Split) => unscaled(split, shape.task, shape.steps);
  return {
    ...dataset,
    ...(preprocessing && { preprocessing: withTargetsInOwnUnit(preprocessing) }),
    train: unscale(train),
    ...(validation && { validation: unscale(validation) }),
    test: unscale(test),
  };
};

const unscaled = (split: Split, task: Task, steps: number): Split => {
  const { scaling, ...rest } = split;
  if (!scaling) return split;
  const width = (isPerStep(task) ? steps : 1) * targetSize(task);
  const targetCount = task.kind === 'forecast' ? task.targets.length : targetSize(task);
  return {
    ...rest,
    read: (indices, batch) => {
      split.read(indices, batch);
      for (let row = 0; row < indices.length; row++) {
        const { mean, factor } = scaling(indices[row] as number);
        for (let at = 0; at < width; at++) {
          const scaled = batch.targets[row * width + at] as number;
          const target = at % targetCount;
          batch.targets[row * width + at] = scaled / (factor[target] as number) + (mean[target] as number);
        }
      }
    },
  };
};
