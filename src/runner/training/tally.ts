import type { Batch, SequenceShape } from '../../data/dataset.ts';
import type { Metrics } from '../../tracking/events.ts';

/** Sums over batches from which a split's metrics follow, so that a split of any size is evaluated in one pass. */
export interface Tally {
  /** Takes a batch, the network's outputs for it and their mean loss. */
  readonly add: (batch: Batch, outputs: Float32Array, loss: number) => void;
  /**
   * `loss`, and by task: `accuracy` (classification, labelling), `accuracy` and `perplexity` (next-step: e to the mean
   * cross-entropy), `mae` (regression, whose loss is the mean squared error).
   */
  readonly metrics: () => Metrics;
  /** `[truth][prediction]` counts; nothing for a regression. */
  readonly confusion: () => readonly (readonly number[])[] | undefined;
}

/** The largest entry of row `row`; the first of equals, as `argmax` everywhere. */
const predictedClass = (outputs: Float32Array, row: number, classes: number): number => {
  let best = 0;
  for (let other = 1; other < classes; other++) {
    if ((outputs[row * classes + other] ?? 0) > (outputs[row * classes + best] ?? 0)) best = other;
  }
  return best;
};

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
      confusion: () => undefined,
    };
  }

  const { classes } = task;
  const counts = new Float64Array(classes * classes);
  const perStep = task.kind !== 'classification';
  const addRow = (outputs: Float32Array, row: number, truth: number) => {
    const cell = truth * classes + predictedClass(outputs, row, classes);
    counts[cell] = (counts[cell] ?? 0) + 1;
  };
  const correct = () => {
    let sum = 0;
    for (let label = 0; label < classes; label++) sum += counts[label * classes + label] ?? 0;
    return sum;
  };
  return {
    add: ({ size, targets, lengths }, outputs, loss) => {
      let rows = 0;
      for (let example = 0; example < size; example++) {
        const length = perStep ? (lengths[example] ?? steps) : 1;
        for (let step = 0; step < length; step++) {
          const row = perStep ? example * steps + step : example;
          addRow(outputs, row, targets[row] ?? 0);
        }
        rows += length;
      }
      lossSum += loss * rows;
      counted += rows;
    },
    metrics: () => {
      const loss = lossSum / counted;
      const accuracy = correct() / counted;
      return task.kind === 'next-step' ? { loss, accuracy, perplexity: Math.exp(loss) } : { loss, accuracy };
    },
    confusion: () =>
      Array.from({ length: classes }, (_, truth) => [
        ...counts.subarray(truth * classes, (truth + 1) * classes),
      ]),
  };
};

/** Metrics under a split's name: `test/loss`, `test/accuracy`. */
export const named = (split: 'train' | 'val' | 'test', metrics: Metrics): Metrics =>
  Object.fromEntries(Object.entries(metrics).map(([key, value]) => [`${split}/${key}`, value]));
