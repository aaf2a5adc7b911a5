import { stepsOf } from './steps.ts';
import { defaultPatience, watchedMetric, type Schedule } from '../optimizers/common.ts';
import { examplesPerStep } from '../data/batches.ts';
import { metricsOf, type OwnMetrics } from '../metrics/metrics.ts';
import { defaultLoss } from '../losses/loss.ts';
import { inWords } from '../diagnostic/in-words.ts';
import type { ParameterIssue } from '../parameters/row.ts';
import { findRow, type Registry } from '../registry/rows.ts';
import type { SectionIssue } from './blame.ts';
import { nearMetric, whyNotMeasured } from './check-metrics.ts';
import { inSection } from '../language/sections.ts';
import type { Json } from '../system/json.ts';
import type { DatasetParts, SequenceShape } from '../data/dataset.ts';
import type { NamedSection, TrainConfig } from '../language/config.ts';

/** Rules between sections, which none can check alone. */
export const checkTogether = (registry: Registry, together: Together): readonly SectionIssue[] => {
  const { dataset, model, optimizer, loss, train, shape } = together;
  const row = findRow(registry.model, model.name);
  const ofModel = row?.checkWith?.(model, { shape, truncation: train.truncation ?? undefined }) ?? [];
  const sections = { dataset, model, optimizer, loss: loss ?? {}, train };
  const of = (section: keyof typeof sections) => (issue: ParameterIssue) => ({
    ...inSection(issue, sections[section]),
    section,
  });
  return [
    ...checkEmbedded(registry, together).map(of('model')),
    ...ofModel.map((issue) => of(isOfTrain(issue) ? 'train' : 'model')(issue)),
    ...[
      ...checkBatches(together),
      ...checkBucketing(together),
      ...checkFirst(together),
      ...checkValidation(together),
      ...checkWatched(together),
    ].map(of('train')),
    ...checkStateful(registry, together).map(({ section, ...issue }) => of(section ?? 'train')(issue)),
    ...checkPrecision(registry, together).map(({ section, ...issue }) => of(section ?? 'train')(issue)),
    ...[...checkWarmUp(together), ...checkPlateau(together)].map(of('optimizer')),
    ...checkLoss(registry, together).map(of('loss')),
  ];
};

/** What two sections make useless together, although a run can be trained with it. */
export const warnTogether = ({
  optimizer,
  train,
}: Pick<Together, 'optimizer' | 'train'>): readonly SectionIssue[] => {
  const schedule = (optimizer['schedule'] ?? {}) as Partial<Schedule>;
  const { earlyStopping } = train;
  if (schedule.name !== 'plateau' || !earlyStopping) return [];
  const patience = schedule.patience ?? defaultPatience;
  const comesFirst =
    watchedMetric(schedule, train) === earlyStopping.metric &&
    earlyStopping.patience <= patience &&
    earlyStopping.minDelta >= (schedule.minDelta ?? 0);
  if (!comesFirst) return [];
  const issue = {
    path: 'earlyStopping.patience',
    message: `Early stopping ends the training before the schedule "plateau" lowers the learning rate: both count the same evaluations, and the schedule waits for ${patience} without improvement.`,
    expected: `more than ${patience}, the patience of the schedule`,
    help: 'Raise `patience` of earlyStopping, or lower `patience` of the schedule.',
  };
  return [{ ...inSection(issue, train), section: 'train' }];
};

/** That the model can embed the categories which the dataset leaves to it: to another one they look like quantities. */
const checkEmbedded = (
  registry: Registry,
  { model: { name }, shape: { input } }: Together,
): readonly ParameterIssue[] => {
  const columns = (input.kind === 'values' ? (input.embedded ?? []) : []).map((column) => column.name);
  if (columns.length === 0 || findRow(registry.model, name)?.embedsCategories) return [];
  return [
    {
      path: 'name',
      message: `The model ${name} does not embed categories.`,
      expected: 'a recurrent model of Unroll, or one-hot categories',
      got: `${columns.length === 1 ? 'the embedded column' : 'the embedded columns'} ${columns.map((one) => JSON.stringify(one)).join(', ')}`,
      help: 'Write `one-hot` in place of the size in `categorical` of the dataset.',
    },
  ];
};

/** That the loss fits the task, and its parameters the data. */
const checkLoss = (registry: Registry, { loss, shape, smallest }: Together): readonly ParameterIssue[] => {
  const row = loss && findRow(registry.loss, loss.name);
  if (!row) return [];
  const { task } = shape;
  if (row.tasks.includes(task.kind)) return row.checkWith?.(loss, { task, smallest }) ?? [];
  const fitting = Object.entries(registry.loss).flatMap(([name, { tasks }]) =>
    tasks.includes(task.kind) ? [name] : [],
  );
  return [
    {
      path: 'name',
      message: `The loss ${loss.name} is for ${inWords(row.tasks)}, and the dataset for ${task.kind}.`,
      expected: fitting.join(', '),
      help: `Write \`name: ${defaultLoss(task)}\`, or remove the section loss for the same.`,
    },
  ];
};

/** `section` was not required for truncation, which only `train` has. */
const isOfTrain = ({ section, path }: ParameterIssue): boolean =>
  section === 'train' || path.startsWith('truncation');

const checkBatches = ({ train, parts }: Together): readonly ParameterIssue[] => {
  const size = parts?.trainSize;
  if (size === undefined || train.lastBatch !== 'drop' || examplesPerStep(train) <= size) return [];
  return [
    {
      path: 'batchSize',
      with: ['lastBatch', ...(train.accumulate === undefined ? [] : ['accumulate'])],
      message: `With lastBatch: drop no batch of ${examplesPerStep(train)} is left of ${size} training examples.`,
      expected: `at most ${size} with lastBatch: drop`,
      help: 'Lower batchSize, or use lastBatch: keep.',
    },
  ];
};

const checkBucketing = ({ train, shape }: Together): readonly ParameterIssue[] =>
  train.bucketing && !shape.variableLength
    ? [
        {
          path: 'bucketing',
          message: `All sequences have ${shape.steps} steps, so there is nothing to sort by length.`,
          expected: 'a dataset of sequences of different lengths, or no bucketing',
          help: 'Remove `bucketing`.',
        },
      ]
    : [];

const checkFirst = ({ train, shape }: Together): readonly ParameterIssue[] =>
  train.accuracyFirst128 && shape.task.kind !== 'classification'
    ? [
        {
          path: 'accuracyFirst128',
          message: `There is no accuracyFirst128: the dataset is for ${shape.task.kind}.`,
          expected: 'a dataset for classification',
          help: 'Remove `accuracyFirst128` from train.',
        },
      ]
    : [];

const checkValidation = ({ train, parts }: Together): readonly ParameterIssue[] => {
  if (train.evaluateEvery === null || parts?.validation !== false) return [];
  return [
    {
      path: 'evaluateEvery',
      message: 'There is nothing to evaluate on: the dataset keeps no validation part.',
      expected: 'a dataset with a validation part, or no evaluateEvery',
      help: 'Give the dataset a validation part (validationSize or validationFraction above 0, or a validationFile), or remove `evaluateEvery`.',
    },
  ];
};

/** That what early stopping watches is measured at all. */
const checkWatched = ({ train, shape, own, parts }: Together): readonly ParameterIssue[] => {
  const { earlyStopping, evaluateEvery } = train;
  if (!earlyStopping || evaluateEvery === null) return [];
  const issues = [...checkMeasured(earlyStopping.metric, { shape, own }, 'earlyStopping.metric')];
  const steps = stepsOf(train, parts?.trainSize);
  if (steps !== undefined && evaluateEvery > steps) {
    issues.push({
      path: 'evaluateEvery',
      with: ['earlyStopping'],
      message: `earlyStopping never sees an evaluation: the training has only ${steps} steps.`,
      expected: `at most ${steps}`,
      help: 'Lower evaluateEvery, or train for longer.',
    });
  }
  return issues;
};

/** That a metric of the validation part is measured at all. */
const checkMeasured = (
  metric: string,
  { shape, own }: Pick<Together, 'shape' | 'own'>,
  path: string,
): readonly ParameterIssue[] => {
  const measured = metricsOf(shape.task, 'val', { own });
  if (measured.includes(metric)) return [];
  const near = nearMetric(metric, measured);
  return [
    {
      path,
      message: whyNotMeasured(metric, shape, own),
      expected: measured.join(', '),
      help:
        near === undefined ? `Write for example \`metric: ${measured[0] ?? ''}\`.` : `Did you mean ${near}?`,
    },
  ];
};

/** That the schedule `plateau` has evaluations to watch, of a metric that is measured. */
const checkPlateau = ({ optimizer, train, shape, own, parts }: Together): readonly ParameterIssue[] => {
  const schedule = (optimizer['schedule'] ?? {}) as { readonly name?: string; readonly metric?: string };
  if (schedule.name !== 'plateau') return [];
  const { evaluateEvery } = train;
  if (evaluateEvery === null)
    return [
      {
        path: 'schedule.name',
        message: 'The schedule "plateau" needs evaluations during the training.',
        expected: 'evaluateEvery in train to be set',
        help: 'Add for example `evaluateEvery: 100` to train.',
      },
    ];
  const steps = stepsOf(train, parts?.trainSize);
  if (steps !== undefined && evaluateEvery > steps)
    return [
      {
        path: 'schedule.name',
        message: `The schedule "plateau" never sees an evaluation: evaluateEvery is ${evaluateEvery}, and the training has only ${steps} steps.`,
        expected: `evaluateEvery of at most ${steps}`,
        help: 'Lower evaluateEvery, or train for longer.',
      },
    ];
  return schedule.metric ? checkMeasured(schedule.metric, { shape, own }, 'schedule.metric') : [];
};

const checkWarmUp = ({ optimizer, train, parts }: Together): readonly ParameterIssue[] => {
  const { warmupSteps = 0 } = (optimizer['schedule'] ?? {}) as { readonly warmupSteps?: number };
  const steps = stepsOf(train, parts?.trainSize);
  if (steps === undefined || warmupSteps === 0 || warmupSteps < steps) return [];
  return [
    {
      path: 'schedule.warmupSteps',
      message: `The training ends before the warm-up: it has only ${steps} steps.`,
      expected: `less than ${steps}`,
      help: 'Lower warmupSteps, or train for longer.',
    },
  ];
};

/** In `train` where `section` is absent. */
type PrecisionIssue = Omit<ParameterIssue, 'section'> & { readonly section?: 'model' };

/** That there are kernels for the model in the precision of `train`. */
const checkPrecision = (
  registry: Registry,
  { model, train: { precision, truncation } }: Pick<Together, 'model' | 'train'>,
): readonly PrecisionIssue[] => {
  if (precision === undefined) return [];
  const row = findRow(registry.model, model.name);
  if (!row?.kernels)
    return [
      {
        section: 'model',
        path: 'name',
        message: `The model ${model.name} has no kernels for ${precision}.`,
        expected: Object.keys(registry.model)
          .filter((name) => registry.model[name]?.kernels)
          .join(', '),
        help: 'Remove `precision` from train, or choose such a model.',
      },
    ];
  const { kernels, parameters } = row;
  const defaults = parameters.properties;
  const isPossible = (given: typeof model) => kernels(given, precision).length > 0;
  if (!isPossible(model)) {
    const usual = Object.fromEntries(
      Object.entries(defaults).map(([name, schema]) => [name, (schema['default'] ?? null) as Json]),
    );
    const isGuilty = (name: string) => !isPossible({ ...model, ...usual, [name]: model[name] ?? null });
    return Object.keys(defaults)
      .filter(isGuilty)
      .map((name) => ({
        section: 'model',
        path: name,
        message: `No kernel computes \`${name}: ${JSON.stringify(model[name])}\` with ${precision}.`,
        expected: `${JSON.stringify(usual[name])} with ${precision}`,
        help: `Write \`${name}: ${JSON.stringify(usual[name])}\`, or do without \`precision\`.`,
      }));
  }
  if (truncation?.style !== 'true') return [];
  return [
    {
      path: 'truncation.style',
      with: ['precision'],
      message: `True truncation reads the state of every step from a kernel that has no ${precision}.`,
      expected: 'truncation with style: chunked, or none',
      help: 'Use `style: chunked`, or remove `precision`.',
    },
  ];
};

/** Without a section it is in train. */
type StatefulIssue = Omit<ParameterIssue, 'section'> & { readonly section?: 'dataset' | 'model' };

/** That the sequences of `train.stateful` follow one another, and that the network has a state to carry. */
export const checkStateful = (
  registry: Registry,
  { dataset, model, train, parts }: Pick<Together, 'dataset' | 'model' | 'train' | 'parts'>,
): readonly StatefulIssue[] => {
  if (!train.stateful) return [];
  const row = findRow(registry.dataset, dataset.name);
  if (!row?.consecutive)
    return [
      {
        path: 'stateful',
        message: `The sequences of the dataset ${dataset.name} do not follow one another, so no state can be carried from one to the next.`,
        expected: `a dataset of one long text: ${namesWhere(registry.dataset, 'consecutive').join(' or ')}`,
        help: 'Remove `stateful` from train, or choose such a dataset.',
      },
    ];
  const issues: StatefulIssue[] = [];
  if (!row.consecutive(dataset))
    issues.push({
      section: 'dataset',
      path: 'stride',
      message: 'The sequences overlap or leave gaps, so none begins with the state after the one before it.',
      expected: `null, or ${JSON.stringify(dataset['length'])} as \`length\``,
      help: 'Remove `stride` from dataset, or `stateful` from train.',
    });
  if (!findRow(registry.model, model.name)?.carriesState)
    issues.push({
      section: 'model',
      path: 'name',
      message: `The model ${model.name} cannot carry its state from batch to batch.`,
      expected: namesWhere(registry.model, 'carriesState').join(', '),
      help: 'Choose such a model, or remove `stateful` from train.',
    });
  const streams = examplesPerStep(train);
  const size = parts?.trainSize;
  if (size !== undefined && size < 2 * streams)
    issues.push({
      path: 'stateful',
      with: ['batchSize', ...(train.accumulate === undefined ? [] : ['accumulate'])],
      message: `${size} training sequences in ${streams} streams leave no stream two of them, so no state is ever carried.`,
      expected: `at least ${2 * streams} training sequences, or at most ${Math.floor(size / 2)} streams (batchSize${train.accumulate === undefined ? '' : ' x accumulate'})`,
      help: 'Lower `batchSize` or the `length` of the sequences, or use a longer text.',
    });
  return issues;
};

const namesWhere = <K extends string>(
  rows: Readonly<Record<string, Partial<Record<K, unknown>>>>,
  key: K,
): readonly string[] => Object.keys(rows).filter((name) => rows[name]?.[key] !== undefined);

/** The sections of a point, each sound by itself, and what is known of its dataset. */
export interface Together {
  readonly dataset: NamedSection;
  readonly model: NamedSection;
  readonly optimizer: NamedSection;
  /** Undefined where the task decides. */
  readonly loss: NamedSection | undefined;
  readonly train: TrainConfig;
  readonly shape: SequenceShape;
  /** The metrics of the user's config. */
  readonly own: OwnMetrics;
  /** The smallest number that is a target in the training part, if it is known. */
  readonly smallest: number | undefined;
  /** Undefined where nothing is known before the data is read. */
  readonly parts: DatasetParts | undefined;
}
