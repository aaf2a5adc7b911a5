import { middleOf } from '../data/quantiles.ts';
import { targetSize, type NumberTask } from '../data/task.ts';
import type { Measure, MeasureContext } from './measure.ts';

/** Errors of predicted numbers, each number of a target with the same weight; one that is missing (NaN) has none. */
export const numberMeasure = (
  task: NumberTask,
  { quantiles = [0.5] }: Pick<MeasureContext, 'quantiles'>,
): Measure => {
  const width = targetSize(task);
  const middle = middleOf(quantiles);
  let absolute = 0;
  let squared = 0;
  let counted = 0;
  return {
    add: ({ size, truths, outputs, weights }) => {
      for (let row = 0; row < size; row++) {
        const weight = weights?.[row] ?? 1;
        let known = 0;
        for (let at = row * width; at < (row + 1) * width; at++) {
          if (Number.isNaN(truths[at])) continue;
          known++;
          const error = (outputs[at * quantiles.length + middle] as number) - (truths[at] as number);
          absolute += (weight * Math.abs(error)) / width;
          squared += (weight * error * error) / width;
        }
        counted += weight * (known / width);
      }
    },
    values: { mae: () => absolute / counted, mse: () => squared / counted },
  };
};
