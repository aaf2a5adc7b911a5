import { middleOf } from '../data/quantiles.ts';
import { targetSize, type NumberTask } from '../data/task.ts';
import type { Measure, MeasureContext } from './measure.ts';

/** Sums of one number of a target. */
interface Sums {
  squared: number;
  /** Running mean of the truths, and the sum of their squared distances from it (Welford 1962). */
  mean: number;
  spread: number;
  weight: number;
  /** Rows that count at all. */
  rows: number;
}

/** Errors of predicted numbers, each number of a target with the same weight; one that is missing (NaN) has none. */
export const numberMeasure = (
  task: NumberTask,
  { quantiles = [0.5] }: Pick<MeasureContext, 'quantiles'> = {},
): Measure => {
  const width = targetSize(task);
  const targets = task.kind === 'forecast' ? task.targets.length : width;
  const middle = middleOf(quantiles);
  const sums = Array.from({ length: width }, (): Sums => ({
    squared: 0,
    mean: 0,
    spread: 0,
    weight: 0,
    rows: 0,
  }));
  let absolute = 0;
  let squared = 0;
  let relative = 0;
  let counted = 0;
  let scaled = 0;
  let scaledCount = 0;
  let covered = 0;
  let pinball = 0;

  const addQuantiles = (outputs: ArrayLike<number>, at: number, truth: number, weight: number) => {
    const from = at * quantiles.length;
    const [low, high] = [outputs[from] as number, outputs[from + quantiles.length - 1] as number];
    if (low <= truth && truth <= high) covered += weight / width;
    for (const [index, level] of quantiles.entries()) {
      const error = truth - (outputs[from + index] as number);
      pinball += (weight * Math.max(level * error, (level - 1) * error)) / (width * quantiles.length);
    }
  };

  return {
    add: ({ size, truths, outputs, weights, naiveErrors }) => {
      for (let row = 0; row < size; row++) {
        const weight = weights?.[row] ?? 1;
        if (weight === 0) continue;
        let known = 0;
        for (let number = 0; number < width; number++) {
          const at = row * width + number;
          const truth = truths[at] as number;
          if (Number.isNaN(truth)) continue;
          known++;
          const prediction = outputs[at * quantiles.length + middle] as number;
          const error = prediction - truth;
          absolute += (weight * Math.abs(error)) / width;
          squared += (weight * error * error) / width;
          const both = Math.abs(truth) + Math.abs(prediction);
          if (both > 0) relative += (weight * 2 * Math.abs(error)) / (both * width);
          const naive = naiveErrors?.[row * targets + (number % targets)] ?? 0;
          if (naive > 0) {
            scaled += (weight * Math.abs(error)) / naive;
            scaledCount += weight;
          }
          addToSums(sums[number] as Sums, { truth, error, weight });
          if (quantiles.length > 1) addQuantiles(outputs, at, truth, weight);
        }
        counted += weight * (known / width);
      }
    },
    values: {
      mae: () => absolute / counted,
      mse: () => squared / counted,
      rmse: () => Math.sqrt(squared / counted),
      r2: () => sums.reduce((total, one) => total + determination(one), 0) / width,
      smape: () => relative / counted,
      mase: () => scaled / scaledCount,
      ...(quantiles.length > 1 && {
        coverage: () => covered / counted,
        pinball: () => pinball / counted,
      }),
    },
  };
};

const addToSums = (
  sums: Sums,
  { truth, error, weight }: { readonly truth: number; readonly error: number; readonly weight: number },
): void => {
  if (weight === 0) return;
  sums.rows++;
  sums.squared += weight * error * error;
  sums.weight += weight;
  const distance = truth - sums.mean;
  sums.mean += (distance * weight) / sums.weight;
  sums.spread += weight * distance * (truth - sums.mean);
};

/**
 * 1 - squared error / squared distance from the mean of the truths. Where all truths are equal: 1 for predictions without error,
 * else 0. NaN for fewer than two rows.
 */
const determination = ({ squared, spread, rows }: Sums): number => {
  if (rows < 2) return Number.NaN;
  if (spread === 0) return squared === 0 ? 1 : 0;
  return 1 - squared / spread;
};
