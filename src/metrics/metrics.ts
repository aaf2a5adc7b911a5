import { isNumberTask, type Task } from '../data/task.ts';
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
  /** Recorded with every run, but not among the metrics that tables and lines show by default. */
  readonly recordedOnly?: true;
  readonly description: string;
}

const allParts = ['train', 'val', 'test'] as const;
/** The parts that are evaluated whole; of `train` single minibatches are measured. */
const evaluated = ['val', 'test'] as const;
const withClasses = ['classification', 'labelling', 'next-step'] as const;
const withLabels = [...withClasses, 'multi-label'] as const;
const withNumbers = ['regression', 'forecast'] as const;

/** Tasks whose metrics may rank all examples of a part. */
const withScores = ['classification', 'multi-label'] as const;

/** What most of the metrics have that are recorded only. */
const fraction = {
  goal: 'maximize',
  unit: 'fraction',
  range: [0, 1],
  parts: evaluated,
  recordedOnly: true,
} as const;

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
  balancedAccuracy: {
    ...fraction,
    tasks: withClasses,
    description: 'Mean recall of the classes that occur in the part: 1 / classes for guessing.',
  },
  weightedF1: {
    ...fraction,
    tasks: withLabels,
    description: 'Mean F1 score of the classes, each with the weight of its examples.',
  },
  mcc: {
    ...fraction,
    range: [-1, 1],
    tasks: withClasses,
    description:
      "Matthews' correlation coefficient of classes and predictions (Gorodkin 2004); 0 for guessing, and where only one class occurs or is predicted.",
  },
  kappa: {
    ...fraction,
    range: [-1, 1],
    tasks: withClasses,
    description:
      "Cohen's kappa: the accuracy beyond that of guessing with the same frequencies; NaN where a single class occurs and is predicted.",
  },
  rocAuc: {
    ...fraction,
    tasks: withScores,
    description:
      'Area under the receiver operating characteristic, one class against the others: the mean over the classes that some examples have and others have not; NaN without any. Equal scores count one half.',
  },
  prAuc: {
    ...fraction,
    tasks: withScores,
    description:
      'Average precision, one class against the others: the mean over the classes that some examples have; NaN without any.',
  },
  logLoss: {
    ...fraction,
    goal: 'minimize',
    unit: 'nats',
    range: [0, Infinity],
    tasks: withLabels,
    description:
      'Mean of minus the logarithm of the probability of the true class, whatever the loss; of several labels the mean over the labels.',
  },
  calibrationError: {
    ...fraction,
    goal: 'minimize',
    tasks: withClasses,
    description:
      'Expected calibration error: how far the probability of the prediction is from its accuracy, in 15 equal intervals (Guo et al. 2017).',
  },
  rmse: {
    ...fraction,
    goal: 'minimize',
    unit: 'the unit of the target',
    range: [0, Infinity],
    tasks: withNumbers,
    description: 'Root of the mean squared error.',
  },
  r2: {
    ...fraction,
    range: [-Infinity, 1],
    tasks: withNumbers,
    description:
      'Coefficient of determination, the mean over the numbers of a target: 0 for answering the mean. Where all targets are equal 1 without any error, else 0; NaN for a single example.',
  },
  smape: {
    ...fraction,
    goal: 'minimize',
    range: [0, 2],
    tasks: ['forecast'],
    description:
      'Symmetric mean absolute percentage error as a fraction: the mean of 2 |error| / (|target| + |prediction|); 0 where both are 0.',
  },
  mase: {
    ...fraction,
    goal: 'minimize',
    unit: 'errors of the seasonal naive forecast',
    range: [0, Infinity],
    tasks: ['forecast'],
    description:
      'Mean absolute scaled error (Hyndman and Koehler 2006): the absolute error as a part of that of the seasonal naive forecast on the training part; NaN where that has none.',
  },
  coverage: {
    ...fraction,
    tasks: withNumbers,
    description:
      'The part of the targets between the lowest and the highest quantile, only with the loss quantile; should be the difference of the two, 0.8 for 0.1 to 0.9.',
  },
  pinball: {
    ...fraction,
    goal: 'minimize',
    unit: 'the unit of the target',
    range: [0, Infinity],
    tasks: withNumbers,
    description: 'Mean pinball loss over the quantiles, only with the loss quantile.',
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

/**
 * Settings that change during the training and are recorded beside the metrics, as `train/learningRate`. None of their
 * values is a better one, so nothing compares, stops or searches by them.
 */
export const recordedSettings: Readonly<Record<string, RecordedSetting>> = {
  learningRate: {
    range: [0, Infinity],
    parts: ['train'],
    description:
      'The learning rate of the update, recorded where `optimizer.schedule` changes it. A setting, not a result: no objective, early stopping or expectation can name it.',
  },
};

export type RecordedSetting = Pick<Metric, 'range' | 'parts' | 'description'>;

/** What is known of a metric by its name alone. */
export type MetricFacts = Pick<Metric, 'goal' | 'range' | 'unit'>;

/** The metrics of the user's configs and of recorded runs, beside those that come with Unroll. */
const remembered = new Map<string, MetricFacts>();

/** Takes over metrics of the user's own, so that all that compares by a metric knows its direction. */
export const rememberMetrics = (found: Readonly<Record<string, MetricFacts>> = {}): void => {
  for (const [name, facts] of Object.entries(found)) remembered.set(name, facts);
};

/** The metrics that the user's config adds, by name. */
export type OwnMetrics = Readonly<Record<string, Metric>>;

/** The settings of `train` by which a spec asks for further metrics. */
export interface MetricRequests {
  readonly accuracyFirst128?: boolean;
}

/** The full names of what is measured of a task on one part, such as `val/loss`. */
export const metricsOf = (
  task: Task,
  part: Part,
  { requests = {}, own = {} }: { readonly requests?: MetricRequests; readonly own?: OwnMetrics } = {},
): readonly string[] =>
  Object.entries({ ...metrics, ...own })
    .filter(
      ([name, { parts, tasks, moreClassesThan = 0, onRequest }]) =>
        (!onRequest || requests[name as keyof MetricRequests] === true) &&
        parts.includes(part) &&
        tasks.includes(task.kind) &&
        (isNumberTask(task) || task.classes > moreClassesThan),
    )
    .map(([name]) => `${part}/${name}`);

/** What is measured, by the full name. */
export const nameIn = (metric: string): string => metric.slice(metric.indexOf('/') + 1);

/** The entry of a metric by its full name, such as `val/loss`. */
const metricOf = (metric: string): (MetricFacts & Partial<Metric>) | undefined => {
  const name = nameIn(metric);
  return Object.hasOwn(metrics, name) ? metrics[name] : remembered.get(name);
};

/** The setting of `train` that asks for a metric of a task; undefined where none does, or none is needed. */
export const requestOf = (metric: string, task: Task): string | undefined => {
  const name = nameIn(metric);
  const part = metric.slice(0, -name.length - 1) as Part;
  const onRequest = Object.hasOwn(metrics, name) && metrics[name]?.onRequest;
  return onRequest && metricsOf(task, part, { requests: { [name]: true } }).includes(metric)
    ? name
    : undefined;
};

/** The direction of a metric by its full name, such as `val/loss`; undefined where there is no such metric. */
export const goalOf = (metric: string): Goal | undefined => metricOf(metric)?.goal;

/** The least and the largest possible value of a metric by its full name; infinite where nothing bounds it. */
export const rangeOf = (metric: string): Metric['range'] =>
  metricOf(metric)?.range ?? recordedSettings[nameIn(metric)]?.range ?? [-Infinity, Infinity];

/** Whether tables and lines show a metric that nobody asked for by name. */
export const isShown = (metric: string): boolean =>
  !isRecordedSetting(metric) && metricOf(metric)?.recordedOnly !== true;

/** Whether a full name such as `train/learningRate` is that of a setting. */
export const isRecordedSetting = (metric: string): boolean => Object.hasOwn(recordedSettings, nameIn(metric));

/** The metric of the same name on the validation part, where that has it. */
export const validationCounterpart = (metric: string): string | undefined =>
  (metricOf(metric)?.parts ?? (goalOf(metric) ? evaluated : [])).some((part) => part === 'val')
    ? `val/${nameIn(metric)}`
    : undefined;
