import type { Task } from '../data/dataset.ts';
import { isNumberTask } from '../data/task.ts';
import { topSize } from './class-counts.ts';
import { topAccuracyName } from './class-measure.ts';

/** Which end of a metric's range is the better one. */
export type Goal = 'minimize' | 'maximize';

/** The part of a dataset that a metric is measured on: the first half of its name, as in `val/loss`. */
export type Part = 'train' | 'val' | 'test';

export interface Metric {
  readonly goal: Goal;
  readonly unit: string;
  /** The least and the largest possible value. */
  readonly range: readonly [number, number];
  readonly parts: readonly Part[];
  readonly tasks: readonly Task['kind'][];
  /** A task with fewer classes has no such metric. */
  readonly moreClassesThan?: number;
  /** Measured only where a spec has its name under `train`. */
  readonly onRequest?: true;
  readonly description: string;
}

const allParts = ['train', 'val', 'test'] as const;
/** The parts that are evaluated whole; of `train` single minibatches are measured. */
const evaluated = ['val', 'test'] as const;
const withClasses = ['classification', 'labelling', 'next-step'] as const;
const withLabels = [...withClasses, 'multi-label'] as const;
const withNumbers = ['regression', 'forecast'] as const;

/** Every metric by its name. All that compares, stops or searches by a metric takes its direction from here. */
export const metrics: Readonly<Record<string, Metric>> = {
  loss: {
    goal: 'minimize',
    unit: 'nats; of numbers the squared unit of the targets as they are scaled for the training',
    range: [0, Infinity],
    parts: allParts,
    tasks: [...withLabels, ...withNumbers],
    description:
      'What the training minimizes: by default the mean cross-entropy, or the mean squared error of targets as they are scaled for the training.',
  },
  accuracy: {
    goal: 'maximize',
    unit: 'fraction',
    range: [0, 1],
    parts: allParts,
    tasks: withLabels,
    description:
      'How often the largest output is that of the true class; of several labels, how often all of them are right.',
  },
  perplexity: {
    goal: 'minimize',
    unit: 'tokens',
    range: [1, Infinity],
    parts: allParts,
    tasks: ['next-step'],
    description: 'e to the mean cross-entropy: as if that many tokens were equally likely.',
  },
  mae: {
    goal: 'minimize',
    unit: 'the unit of the target',
    range: [0, Infinity],
    parts: allParts,
    tasks: withNumbers,
    description: 'Mean absolute error.',
  },
  mse: {
    goal: 'minimize',
    unit: 'the squared unit of the target',
    range: [0, Infinity],
    parts: evaluated,
    tasks: withNumbers,
    description: 'Mean squared error.',
  },
  skill: {
    goal: 'maximize',
    unit: 'fraction',
    range: [-Infinity, 1],
    parts: evaluated,
    tasks: ['forecast'],
    description:
      '1 - mae / the mae of the best baseline (the last value, the season before, or the mean of the training part): above 0 the network beats all of them.',
  },
  [topAccuracyName]: {
    goal: 'maximize',
    unit: 'fraction',
    range: [0, 1],
    parts: evaluated,
    tasks: withClasses,
    moreClassesThan: topSize,
    description: `How often the true class is among the ${topSize} largest outputs.`,
  },
  macroF1: {
    goal: 'maximize',
    unit: 'fraction',
    range: [0, 1],
    parts: evaluated,
    tasks: withLabels,
    description:
      'Mean F1 score of the classes that occur in the part, as a label or as a prediction, each with the same weight: the metric for classes of unequal size.',
  },
  accuracyFirst128: {
    goal: 'maximize',
    unit: 'fraction',
    range: [0, 1],
    parts: ['test'],
    tasks: ['classification'],
    onRequest: true,
    description:
      'The accuracy of the first 128 examples, which the reference systems print; only with `accuracyFirst128: true` in `train`.',
  },
};

/** The settings of `train` by which a spec asks for further metrics. */
export interface MetricRequests {
  readonly accuracyFirst128?: boolean;
}

/** The full names of what is measured of a task on one part, such as `val/loss`. */
export const metricsOf = (task: Task, part: Part, requests: MetricRequests = {}): readonly string[] =>
  Object.entries(metrics)
    .filter(
      ([name, { parts, tasks, moreClassesThan = 0, onRequest }]) =>
        (!onRequest || requests[name as keyof MetricRequests] === true) &&
        parts.includes(part) &&
        tasks.includes(task.kind) &&
        (isNumberTask(task) || task.classes > moreClassesThan),
    )
    .map(([name]) => `${part}/${name}`);

/** The entry of a metric by its full name, such as `val/loss`. */
const metricOf = (metric: string): Metric | undefined => {
  const name = metric.slice(metric.indexOf('/') + 1);
  return Object.hasOwn(metrics, name) ? metrics[name] : undefined;
};

/** The setting of `train` that asks for a metric of a task; undefined where none does, or none is needed. */
export const requestOf = (metric: string, task: Task): string | undefined => {
  const name = metric.slice(metric.indexOf('/') + 1);
  const part = metric.slice(0, -name.length - 1) as Part;
  const onRequest = Object.hasOwn(metrics, name) && metrics[name]?.onRequest;
  return onRequest && metricsOf(task, part, { [name]: true }).includes(metric) ? name : undefined;
};

/** The direction of a metric by its full name, such as `val/loss`; undefined where there is no such metric. */
export const goalOf = (metric: string): Goal | undefined => metricOf(metric)?.goal;

/** The least and the largest possible value of a metric by its full name; infinite where nothing bounds it. */
export const rangeOf = (metric: string): Metric['range'] => metricOf(metric)?.range ?? [-Infinity, Infinity];

/** The metric of the same name on the validation part, where that has it. */
export const validationCounterpart = (metric: string): string | undefined =>
  metricOf(metric)?.parts.includes('val') ? `val/${metric.slice(metric.indexOf('/') + 1)}` : undefined;
