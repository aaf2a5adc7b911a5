import type { Batch, SequenceShape, Split } from '../data/dataset.ts';
import { bestBaseline } from '../data/forecast-part.ts';
import { isClassTask, isNumberTask, isPerStep, outputsOf, targetSize } from '../data/task.ts';
import type { Loss } from '../losses/loss.ts';
import type { CalibrationBin } from '../metrics/calibration.ts';
import { classScores, confusionRows, type ClassScore } from '../metrics/class-counts.ts';
import { classMeasure } from '../metrics/class-measure.ts';
import { labelMeasure } from '../metrics/label-measure.ts';
import type { Measure, Rows } from '../metrics/measure.ts';
import { metricsOf, type Part } from '../metrics/metrics.ts';
import type { OwnMetricRow } from '../metrics/own-metric.ts';
import { numberMeasure } from '../metrics/number-measure.ts';
import type { Metrics } from '../record/events.ts';

/** A batch that was predicted. */
export interface PredictedBatch {
  readonly batch: Batch;
  /** The network's raw outputs. */
  readonly outputs: Float32Array;
  /** The mean loss of the batch. */
  readonly loss: number;
  /** Which examples of its part the batch has. */
  readonly indices: ArrayLike<number>;
}

/** Sums over batches from which a part's metrics follow, so that a part of any size is evaluated in one pass. */
export interface Tally {
  readonly add: (predicted: PredictedBatch) => void;
  /** The metrics of the part by their full names, such as `test/loss`. */
  readonly metrics: () => Metrics;
  /** The scores of each class; undefined for a task without classes. */
  readonly scores: () => readonly ClassScore[] | undefined;
  /** `[truth][prediction]` counts; nothing without classes, or for more than a hundred. */
  readonly confusion: () => readonly (readonly number[])[] | undefined;
  /** Accuracy by the probability of the prediction; undefined for a task without classes. */
  readonly calibration: () => readonly CalibrationBin[] | undefined;
}

/** The tally of a part of a dataset, or of some of its examples. */
export const createTally = (
  { task, steps }: SequenceShape,
  loss: Loss,
  {
    part,
    split,
    own = {},
  }: {
    readonly part: Part;
    readonly split: Pick<Split, 'scaling' | 'naiveError' | 'forecast'>;
    /** The metrics of the user's own that the run measures. */
    readonly own?: Readonly<Record<string, OwnMetricRow>>;
  },
): Tally => {
  const wanted = metricsOf(task, part, { own });
  const isWanted = (name: string) => wanted.includes(`${part}/${name}`);
  const classes = isClassTask(task) ? classMeasure(task, isWanted) : undefined;
  const numbers = isNumberTask(task) ? numberMeasure(task, loss) : undefined;
  const measure: Measure = classes ?? numbers ?? labelMeasure(task as LabelTask, isWanted);
  const { quantiles } = loss;
  const ownMeasures = Object.entries(own)
    .filter(([name]) => isWanted(name))
    .map(([name, row]) => ({ name, measure: row.build({ task, quantiles }) }));
  const rowsOf = rowReader({ task, steps }, loss, split);
  let lossSum = 0;
  let counted = 0;
  return {
    add: (predicted) => {
      const rows = rowsOf(predicted);
      measure.add(rows);
      for (const one of ownMeasures) one.measure.add(rows);
      const weight = lossWeight(predicted.batch, { task, steps }, loss.classWeights);
      lossSum += predicted.loss * weight;
      counted += weight;
    },
    metrics: () => {
      const meanLoss = lossSum / counted;
      const values: Measure['values'] = {
        ...measure.values,
        loss: () => meanLoss,
        perplexity: () => Math.exp(meanLoss),
        ...Object.fromEntries(ownMeasures.map((one) => [one.name, one.measure.value])),
        ...skillOf(measure, split),
        // The same bits as the loss.
        ...(loss.isSquaredError && !split.scaling && { mse: () => meanLoss }),
      };
      return Object.fromEntries(
        wanted.flatMap((metric) => {
          const value = values[metric.slice(part.length + 1)];
          return value ? [[metric, value()]] : [];
        }),
      );
    },
    scores: () => classes && classScores(classes.counts),
    confusion: () => classes && confusionRows(classes.counts),
    calibration: () => classes?.calibration(),
  };
};

/** Only where the data gives baselines to compare with. */
const skillOf = ({ values }: Measure, { forecast }: Pick<Split, 'forecast'>): Measure['values'] => {
  const best = forecast && bestBaseline(forecast.baselines());
  const { mae } = values;
  return best && mae ? { skill: () => 1 - mae() / best.mae } : {};
};

type LabelTask = Parameters<typeof labelMeasure>[0];

/** Takes the rows that count out of a predicted batch, with numbers in their own unit. */
const rowReader = (
  { task, steps }: Pick<SequenceShape, 'task' | 'steps'>,
  loss: Loss,
  { scaling, naiveError }: Pick<Split, 'scaling' | 'naiveError'>,
) => {
  const width = targetSize(task);
  const perNumber = loss.quantiles?.length ?? 1;
  const outputWidth = outputsOf(task, { outputsPerTarget: perNumber });
  const targetCount = task.kind === 'forecast' ? task.targets.length : width;
  return ({ batch, outputs: raw, indices }: PredictedBatch): Rows => {
    const stepsEach = isPerStep(task) ? (batch.steps ?? steps) : 1;
    const rows = countedRows(batch, stepsEach);
    const exampleOf = (row: number) => Math.floor((rows[row] as number) / stepsEach);
    const isWhole = rows.length === batch.size * stepsEach;
    const take = (values: ArrayLike<number>, each: number) =>
      isWhole ? values : gathered(values, rows, each);
    const truths = take(batch.targets, width);
    const outputs = take(loss.predictions?.(raw) ?? raw, outputWidth);
    const inOwnUnit = (values: ArrayLike<number>, each: number, perTarget: number) =>
      scaling
        ? Float64Array.from({ length: rows.length * each }, (_, at) => {
            const { mean, factor } = scaling(indices[exampleOf(Math.floor(at / each))] as number);
            const target = Math.floor((at % each) / perTarget) % targetCount;
            return (values[at] as number) / (factor[target] as number) + (mean[target] as number);
          })
        : values;
    const { weights } = batch;
    return {
      size: rows.length,
      truths: inOwnUnit(truths, width, 1),
      outputs: inOwnUnit(outputs, outputWidth, perNumber),
      weights: weights && Float64Array.from(rows, (_, row) => weights[exampleOf(row)] as number),
      naiveErrors:
        naiveError &&
        Float64Array.from({ length: rows.length * targetCount }, (_, at) => {
          const errors = naiveError(indices[exampleOf(Math.floor(at / targetCount))] as number);
          return errors[at % targetCount] as number;
        }),
    };
  };
};

/** The rows of a batch that count, by their places: all sequences, or the steps within their lengths. */
const countedRows = ({ size, lengths }: Batch, stepsEach: number): Int32Array => {
  if (stepsEach === 1) return Int32Array.from({ length: size }, (_, row) => row);
  const rows = new Int32Array(size * stepsEach);
  let count = 0;
  for (let example = 0; example < size; example++)
    for (let step = 0; step < (lengths[example] as number); step++)
      rows[count++] = example * stepsEach + step;
  return rows.subarray(0, count);
};

const gathered = (values: ArrayLike<number>, rows: Int32Array, width: number): Float64Array => {
  const taken = new Float64Array(rows.length * width);
  rows.forEach((row, to) => {
    for (let at = 0; at < width; at++) taken[to * width + at] = values[row * width + at] as number;
  });
  return taken;
};

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
