import type { ClassTask } from '../data/task.ts';
import { createCalibration, type CalibrationBin } from './calibration.ts';
import {
  accuracyOf,
  classScores,
  countRow,
  createClassCounts,
  macroF1,
  topAccuracyOf,
  topSize,
  type ClassCounts,
} from './class-counts.ts';
import type { Measure } from './measure.ts';
import { createRanking } from './ranking.ts';

export const topAccuracyName = `top${topSize}Accuracy`;

/** A measure whose counts can be read, for the confusion matrix and the reliability plot. */
export interface ClassMeasure extends Measure {
  readonly counts: ClassCounts;
  readonly calibration: () => readonly CalibrationBin[];
}

/** Which metrics are wanted decides what is added up: some need all scores of the part. */
export const classMeasure = (
  task: ClassTask,
  isWanted: (name: string) => boolean = () => true,
): ClassMeasure => {
  const { classes } = task;
  const counts = createClassCounts(classes);
  const ranking = isWanted('rocAuc') ? createRanking(classes) : undefined;
  const needsProbabilities = isWanted('logLoss') || isWanted('calibrationError');
  const calibration = createCalibration();
  let nats = 0;
  return {
    counts,
    calibration: calibration.bins,
    add: ({ size, truths, outputs, weights }) => {
      for (let row = 0; row < size; row++) {
        const weight = weights?.[row] ?? 1;
        if (weight === 0) continue;
        const truth = truths[row] as number;
        countRow(counts, outputs, { row, truth, weight });
        if (!needsProbabilities) continue;
        const { prediction, largest, logSum } = logSumOf(outputs, row * classes, classes);
        const logProbability = (outputs[row * classes + truth] as number) - logSum;
        nats -= weight * logProbability;
        calibration.add(Math.exp(largest - logSum), prediction === truth, weight);
        ranking?.add(outputs, row * classes, { logSum, weight, isPositive: (label) => label === truth });
      }
    },
    values: {
      accuracy: () => accuracyOf(counts),
      [topAccuracyName]: () => topAccuracyOf(counts),
      balancedAccuracy: () => meanOf(occurring(counts).map(({ recall }) => recall)),
      macroF1: () => macroF1(counts),
      weightedF1: () => {
        const total = sum(counts.truths);
        return classScores(counts).reduce((found, { f1, support }) => found + (f1 * support) / total, 0);
      },
      mcc: () => matthews(counts),
      kappa: () => cohen(counts),
      logLoss: () => nats / sum(counts.truths),
      calibrationError: calibration.error,
      rocAuc: () => ranking?.rocAuc() ?? Number.NaN,
      prAuc: () => ranking?.averagePrecision() ?? Number.NaN,
    },
  };
};

/** The first of the largest of some logits, and the logarithm of the sum of their exponentials. */
const logSumOf = (outputs: ArrayLike<number>, from: number, count: number) => {
  let largest = outputs[from] as number;
  let prediction = 0;
  for (let at = 1; at < count; at++) {
    const output = outputs[from + at] as number;
    if (!(output > largest)) continue;
    largest = output;
    prediction = at;
  }
  let total = 0;
  for (let at = from; at < from + count; at++) total += Math.exp((outputs[at] as number) - largest);
  return { prediction, largest, logSum: largest + Math.log(total) };
};

const occurring = (counts: ClassCounts) => classScores(counts).filter(({ support }) => support > 0);

const sum = (numbers: ArrayLike<number>): number => {
  let total = 0;
  for (let at = 0; at < numbers.length; at++) total += numbers[at] as number;
  return total;
};

const meanOf = (numbers: readonly number[]): number => sum(numbers) / numbers.length;

const product = (a: Float64Array, b: Float64Array): number =>
  a.reduce((total, one, at) => total + one * (b[at] as number), 0);

/**
 * Matthews' correlation coefficient for several classes (Gorodkin 2004): with s rows, c right ones, t_k rows of a class and
 * p_k predictions of it, (c s - sum t_k p_k) / sqrt((s^2 - sum p_k^2) (s^2 - sum t_k^2)); 0 where a divisor is 0.
 */
const matthews = ({ truths, predictions, hits }: ClassCounts): number => {
  const [total, right] = [sum(truths), sum(hits)];
  const spread = (total ** 2 - product(predictions, predictions)) * (total ** 2 - product(truths, truths));
  return spread === 0 ? 0 : (right * total - product(truths, predictions)) / Math.sqrt(spread);
};

/** Cohen's kappa: (accuracy - e) / (1 - e) with e the accuracy of guessing by the same frequencies; NaN where e is 1. */
const cohen = ({ truths, predictions, hits }: ClassCounts): number => {
  const total = sum(truths);
  const expected = product(truths, predictions) / total ** 2;
  return (sum(hits) / total - expected) / (1 - expected);
};
