import {
  accuracyOf,
  classScores,
  confusionRows,
  countRow,
  createClassCounts,
  macroF1,
  topAccuracyOf,
  topSize,
  type ClassScore,
} from '../data/class-counts.ts';
import type { Batch, SequenceShape } from '../data/dataset.ts';
import { topAccuracyName } from '../data/metrics.ts';
import type { Metrics } from '../record/events.ts';

/** Sums over batches from which a split's metrics follow, so that a split of any size is evaluated in one pass. */
export interface Tally {
  /** Takes a batch, the network's outputs for it and their mean loss. */
  readonly add: (batch: Batch, outputs: Float32Array, loss: number) => void;
  /**
   * `loss`, and by task: `accuracy` (classification, labelling), `accuracy` and `perplexity` (next-step: e to the mean
   * cross-entropy), `mae` (regression, whose loss is the mean squared error).
   */
  readonly metrics: () => Metrics;
  /**
   * What only a part that is evaluated whole has besides: `macroF1`, and `top5Accuracy` with more than five classes; for
   * a regression `mse`, its loss under the name that people look for.
   */
  readonly detail: () => Metrics;
  /** The scores of each class; undefined for a regression. */
  readonly scores: () => readonly ClassScore[] | undefined;
  /** `[truth][prediction]` counts; nothing for a regression or for more than a hundred classes. */
  readonly confusion: () => readonly (readonly number[])[] | undefined;
}

export const createTally = (shape: SequenceShape): Tally => {
  const { task, steps } = shape;
  let lossSum = 0;
  let counted = 0;

  if (task.kind === 'regression') {
    let absolute = 0;
    return {
      add: ({ size, targets }, outputs, loss) => {
        for (let index = 0; index < size * task.outputs; index++) {
          absolute += Math.abs((outputs[index] ?? 0) - (targets[index] ?? 0)) / task.outputs;
        }
        lossSum += loss * size;
        counted += size;
      },
      metrics: () => ({ loss: lossSum / counted, mae: absolute / counted }),
      detail: () => ({ mse: lossSum / counted }),
      scores: () => undefined,
      confusion: () => undefined,
    };
  }

  const { classes } = task;
  const counts = createClassCounts(classes);
  const perStep = task.kind !== 'classification';
  return {
    add: ({ size, targets, lengths }, outputs, loss) => {
      let rows = 0;
      for (let example = 0; example < size; example++) {
        const length = perStep ? (lengths[example] ?? steps) : 1;
        for (let step = 0; step < length; step++) {
          const row = perStep ? example * steps + step : example;
          countRow(counts, outputs, { row, truth: targets[row] ?? 0 });
        }
        rows += length;
      }
      lossSum += loss * rows;
      counted += rows;
    },
    metrics: () => {
      const loss = lossSum / counted;
      const accuracy = accuracyOf(counts);
      return task.kind === 'next-step' ? { loss, accuracy, perplexity: Math.exp(loss) } : { loss, accuracy };
    },
    detail: () => ({
      ...(classes > topSize && { [topAccuracyName]: topAccuracyOf(counts) }),
      macroF1: macroF1(counts),
    }),
    scores: () => classScores(counts),
    confusion: () => confusionRows(counts),
  };
};

/** The metrics of a part that was evaluated whole. */
export const wholePart = (part: 'val' | 'test', tally: Tally): Metrics =>
  named(part, { ...tally.metrics(), ...tally.detail() });

/** Metrics under a split's name: `test/loss`, `test/accuracy`. */
export const named = (split: 'train' | 'val' | 'test', metrics: Metrics): Metrics =>
  Object.fromEntries(Object.entries(metrics).map(([key, value]) => [`${split}/${key}`, value]));
