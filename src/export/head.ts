import { isNumberTask, isPerStep, labelsOf, outputsOf, targetSize } from '../data/task.ts';
import { middleOf } from '../data/quantiles.ts';
import type { TrainedModel } from './trained-model.ts';

/** How raw outputs become predictions, as plain data. */
export type Head =
  /** `probabilities` by the softmax of the logits of the classes, or by the logistic function of each. */
  | { readonly kind: 'softmax' | 'sigmoid' }
  | {
      readonly kind: 'numbers';
      /** The last axes of the predictions, with all numbers of an example or of a step. */
      readonly axes: readonly Axis[];
      readonly transform: 'none' | 'exp' | { readonly quantiles: number; readonly middle: number };
      /** By target: prediction = output / factor + mean. Undefined where outputs are in their own unit. */
      readonly scaling: HeadScaling | undefined;
    }
  /** A loss of a plugin may turn outputs into predictions in any way. */
  | { readonly kind: 'unknown' };

export interface Axis {
  readonly name: string;
  readonly size: number;
  /** What each place stands for; absent where it has no name. */
  readonly names?: readonly string[];
}

export type HeadScaling =
  | { readonly kind: 'fixed'; readonly mean: readonly number[]; readonly factor: readonly number[] }
  /** By the series of an example, whose scales the inputs have. */
  | { readonly kind: 'series'; readonly targets: number };

/** Built-in losses for numbers whose outputs are the predictions. */
const plainLosses: readonly string[] = ['mse', 'mae', 'huber', 'absolute'];

export const headOf = (model: TrainedModel): Head => {
  const { loss, shape } = model;
  switch (shape.task.kind) {
    case 'classification':
    case 'labelling':
    case 'next-step':
      return { kind: 'softmax' };
    case 'multi-label':
      return { kind: 'sigmoid' };
    case 'regression':
    case 'forecast': {
      const transform = transformOf(loss.name, model.quantiles);
      if (transform === undefined) return { kind: 'unknown' };
      return { kind: 'numbers', axes: axesOf(model), transform, scaling: scalingOf(model) };
    }
  }
};

type Transform = Extract<Head, { kind: 'numbers' }>['transform'];

const transformOf = (loss: string, quantiles: readonly number[] | undefined): Transform | undefined => {
  if (loss === 'quantile' && quantiles) return { quantiles: quantiles.length, middle: middleOf(quantiles) };
  if (loss === 'poisson') return 'exp';
  return plainLosses.includes(loss) ? 'none' : undefined;
};

/** Rows of numbers: `[horizon, targets]` or `[targets]`, and the quantiles of each where there are some. */
const axesOf = ({ shape: { task }, quantiles }: TrainedModel): readonly Axis[] => {
  const names = isNumberTask(task) ? task.targets : undefined;
  const size = task.kind === 'forecast' ? task.targets.length : targetSize(task);
  const axes: readonly Axis[] = [
    ...(task.kind === 'forecast' ? [{ name: 'horizon', size: task.horizon }] : []),
    { name: 'targets', size, ...(names && { names }) },
  ];
  return quantiles
    ? [...axes, { name: 'quantiles', size: quantiles.length, names: quantiles.map(String) }]
    : axes;
};

/** More names than that, such as those of a vocabulary, are left to the files of the model. */
const mostNames = 1000;

/** The names of the classes, targets and quantiles in the order that predictions have them, by the name of their axis. */
export const axisNames = (model: TrainedModel): Readonly<Record<string, readonly string[]>> => {
  const head = headOf(model);
  const classes = labelsOf(model.shape.task);
  const axes = head.kind === 'numbers' ? head.axes : [{ name: 'classes', names: classes }];
  return Object.fromEntries(
    axes.flatMap(({ name, names }) => (names && names.length <= mostNames ? [[name, names]] : [])),
  );
};

const scalingOf = ({ preprocessing, shape: { task } }: TrainedModel): HeadScaling | undefined => {
  switch (preprocessing.kind) {
    case 'table':
    case 'text':
      return preprocessing.targets.length === 0
        ? undefined
        : {
            kind: 'fixed',
            mean: preprocessing.targets.map(({ mean }) => mean),
            factor: preprocessing.targets.map(({ factor }) => factor),
          };
    case 'series':
      return preprocessing.scaledTargets && task.kind === 'forecast'
        ? { kind: 'series', targets: task.targets.length }
        : undefined;
    case 'pixels':
    case 'stream':
    case 'none':
      return undefined;
  }
};

/** The axes of raw outputs and of predictions before those of the numbers. */
export const leadingAxes = ({ shape: { task } }: TrainedModel): readonly string[] =>
  isPerStep(task) ? ['batch', 'time'] : ['batch'];

/** Raw outputs of an example or of a step. */
export const outputCount = ({ shape: { task }, outputsPerTarget }: TrainedModel): number =>
  outputsOf(task, { outputsPerTarget });
