import { totalSteps } from '../data/batches.ts';
import type { TrainConfig } from '../language/config.ts';

/** The steps of a training; undefined where it counts epochs of a dataset whose size is not known. */
export const stepsOf = (train: TrainConfig, trainSize?: number): number | undefined =>
  train.epochs !== null && trainSize === undefined
    ? undefined
    : totalSteps(train, { ...train, size: trainSize ?? 0 });
