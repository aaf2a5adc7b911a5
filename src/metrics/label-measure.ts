import type { Task } from '../data/task.ts';
import type { Measure } from './measure.ts';
import { createRanking } from './ranking.ts';

/** Multi-label classification: a label is predicted where its probability is above one half, its output above 0. */
export const labelMeasure = (
  { classes }: Extract<Task, { kind: 'multi-label' }>,
  isWanted: (name: string) => boolean = () => true,
): Measure => {
  const hits = new Float64Array(classes);
  const predicted = new Float64Array(classes);
  const present = new Float64Array(classes);
  const ranking = isWanted('rocAuc') ? createRanking(classes) : undefined;
  let exact = 0;
  let counted = 0;
  let nats = 0;
  const increase = (counts: Float64Array, at: number, by: number) => {
    counts[at] = (counts[at] as number) + by;
  };
  /** F1 and support of each label that occurs, as truth or as prediction. */
  const scores = () =>
    Array.from(hits, (hit, label) => {
      const support = present[label] as number;
      const total = support + (predicted[label] as number);
      return { f1: (2 * hit) / total, support };
    }).filter(({ f1 }) => !Number.isNaN(f1));
  return {
    add: ({ size, truths, outputs, weights }) => {
      for (let row = 0; row < size; row++) {
        const weight = weights?.[row] ?? 1;
        if (weight === 0) continue;
        const from = row * classes;
        let right = true;
        for (let label = 0; label < classes; label++) {
          const truth = (truths[from + label] as number) > 0.5;
          const output = outputs[from + label] as number;
          const prediction = output > 0;
          if (truth) increase(present, label, weight);
          if (prediction) increase(predicted, label, weight);
          if (truth && prediction) increase(hits, label, weight);
          right &&= truth === prediction;
          const wrong = truth ? -output : output;
          nats += (weight * (Math.max(wrong, 0) + Math.log1p(Math.exp(-Math.abs(wrong))))) / classes;
        }
        if (right) exact += weight;
        counted += weight;
        ranking?.add(outputs, from, {
          weight,
          isPositive: (label) => (truths[from + label] as number) > 0.5,
        });
      }
    },
    values: {
      accuracy: () => exact / counted,
      macroF1: () => {
        const found = scores();
        return found.reduce((sum, { f1 }) => sum + f1, 0) / found.length;
      },
      weightedF1: () => {
        const total = present.reduce((sum, one) => sum + one, 0);
        return scores().reduce((sum, { f1, support }) => sum + (f1 * support) / total, 0);
      },
      logLoss: () => nats / counted,
      rocAuc: () => ranking?.rocAuc() ?? Number.NaN,
      prAuc: () => ranking?.averagePrecision() ?? Number.NaN,
    },
  };
};
