import type { ClassTask } from '../data/task.ts';
import {
  accuracyOf,
  countRow,
  createClassCounts,
  macroF1,
  topAccuracyOf,
  topSize,
  type ClassCounts,
} from './class-counts.ts';
import type { Measure } from './measure.ts';

export const topAccuracyName = `top${topSize}Accuracy`;

/** A measure whose counts can be read, for the confusion matrix. */
export interface ClassMeasure extends Measure {
  readonly counts: ClassCounts;
}

/** What follows from how often each class was wanted, predicted and hit. */
export const classMeasure = ({ classes }: ClassTask): ClassMeasure => {
  const counts = createClassCounts(classes);
  return {
    counts,
    add: ({ size, truths, outputs }) => {
      for (let row = 0; row < size; row++) countRow(counts, outputs, { row, truth: truths[row] as number });
    },
    values: {
      accuracy: () => accuracyOf(counts),
      [topAccuracyName]: () => topAccuracyOf(counts),
      macroF1: () => macroF1(counts),
    },
  };
};
