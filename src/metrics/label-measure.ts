import type { Task } from '../data/dataset.ts';
import type { Measure } from './measure.ts';

/** Multi-label classification: a label is predicted where its probability is above one half, its output above 0. */
export const labelMeasure = ({ classes }: Extract<Task, { kind: 'multi-label' }>): Measure => {
  const hits = new Float64Array(classes);
  const predicted = new Float64Array(classes);
  const present = new Float64Array(classes);
  let exact = 0;
  let counted = 0;
  const increase = (counts: Float64Array, at: number) => {
    counts[at] = (counts[at] as number) + 1;
  };
  return {
    add: ({ size, truths, outputs }) => {
      for (let row = 0; row < size; row++) {
        let right = true;
        for (let label = 0; label < classes; label++) {
          const truth = (truths[row * classes + label] as number) > 0.5;
          const prediction = (outputs[row * classes + label] as number) > 0;
          if (truth) increase(present, label);
          if (prediction) increase(predicted, label);
          if (truth && prediction) increase(hits, label);
          right &&= truth === prediction;
        }
        if (right) exact++;
        counted++;
      }
    },
    values: {
      accuracy: () => exact / counted,
      macroF1: () => {
        const f1 = Array.from(hits, (hit, label) => {
          const total = (present[label] as number) + (predicted[label] as number);
          return total === 0 ? undefined : (2 * hit) / total;
        }).filter((one) => one !== undefined);
        return f1.reduce((sum, one) => sum + one, 0) / f1.length;
      },
    },
  };
};
