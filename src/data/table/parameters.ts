import { Type, type Static, type TObject } from '@sinclair/typebox';
import { addedLater, choice, nullable } from '../../parameters/schema.ts';
import { categoricalParameter } from '../columns/categories.ts';
import { missingParameter, shortestSetting } from '../columns/missing.ts';
import type { DatasetParts } from '../dataset.ts';

const text = (description: string, example: string) =>
  nullable(Type.String({ minLength: 1, description, examples: [example] }));

const fraction = (part: string) =>
  nullable(
    Type.Number({
      minimum: 0,
      exclusiveMaximum: 1,
      description: `The fraction of the sequences in file that is kept for ${part === 'test' ? 'testing' : part}. Default 0.1, or 0 with ${part}File.`,
      examples: [0.2],
    }),
  );

const columnList = (description: string, example: readonly string[]) =>
  nullable(
    Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      uniqueItems: true,
      description,
      examples: [example],
    }),
  );

export const splits = ['random', 'stratified', 'grouped', 'chronological', 'column'] as const;

const splitMeanings: Readonly<Record<(typeof splits)[number], string>> = {
  random: 'drawn by splitSeed',
  stratified: 'drawn so that each class has the same share of every part',
  grouped: 'all sequences of a group are in the same part',
  chronological: 'the latest are the test part, those before them the validation part',
  column: 'as a column names them, with train, validation and test',
};

/** The parameters that `csv-sequences` and `jsonl-sequences` share. */
export const tableParameters = {
  file: Type.String({
    minLength: 1,
    description:
      'The data to train on: a file, plain or compressed with gzip or zstd, a folder, or a pattern such as sensors/*.csv. A relative path starts at the folder of the spec that contains it.',
    examples: ['data/train.csv', 'sensors/*.csv'],
  }),
  validationFile: text(
    'A file of the same form for validation, instead of a fraction of file.',
    'data/validation.csv',
  ),
  testFile: text('A file of the same form for testing, instead of a fraction of file.', 'data/test.csv'),
  validationFraction: fraction('validation'),
  testFraction: fraction('test'),
  splitSeed: Type.Integer({
    minimum: 0,
    maximum: 4_294_967_295,
    default: 1,
    description:
      'Decides which sequences the fractions take; apart from the seed of a run, so that replicates agree.',
  }),
  task: choice(['classification', 'labelling', 'regression', 'multi-label'], {
    default: 'classification',
    description:
      'What is learnt: one class a sequence (classification), any number of labels a sequence (multi-label), one class a step (labelling) or numbers (regression).',
  }),
  layout: choice(['long', 'wide'], {
    default: 'long',
    description: 'long: one row a step. wide: one row a sequence.',
  }),
  sequence: text(
    'long: the column that identifies the sequence of a row. Rows of one sequence must be adjacent. null with a folder or a pattern as file: each file is a sequence.',
    'id',
  ),
  order: text(
    'long: a column of numbers, ISO dates or date-times that orders the steps of a sequence. null: they are in the order of the file.',
    'time',
  ),
  features: nullable(
    Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      uniqueItems: true,
      description:
        'The columns of input numbers. null: every column that is not named otherwise, in the order of the file.',
      examples: [['x', 'y']],
    }),
  ),
  targets: Type.Array(Type.String({ minLength: 1 }), {
    minItems: 1,
    uniqueItems: true,
    description:
      'The column of the label, or the columns of the numbers to predict (regression). multi-label: one column of labels, or a column of 0 and 1 for each label.',
    examples: [['label']],
  }),
  standardize: Type.Boolean({
    default: true,
    description:
      'Shift and scale each feature to mean 0 and standard deviation 1, measured on the training part only.',
  }),
  standardizeTargets: addedLater(
    Type.Unsafe<boolean | null>({
      type: ['boolean', 'null'],
      default: null,
      description:
        'regression: train on targets of mean 0 and standard deviation 1, measured on the training part only. Metrics stay in the unit of the target. null: true for a regression.',
      examples: [false],
    }),
  ),
  perStep: addedLater(
    Type.Boolean({
      default: false,
      description: 'regression: predict the targets at each step of a sequence.',
    }),
  ),
  labelSeparator: addedLater(
    Type.String({
      minLength: 1,
      default: '|',
      description: 'multi-label with one column of labels: what separates the labels of a sequence.',
      examples: ['|', ' '],
    }),
  ),
  missing: addedLater(missingParameter),
  deltaTime: addedLater(
    Type.Boolean({
      default: false,
      description:
        'long: a further input with the time since the step before, 0 at the first one: in seconds where order has dates, else in its unit.',
    }),
  ),
  categorical: addedLater(categoricalParameter),
  static: addedLater(
    columnList(
      'Columns with one value for a whole sequence, which is an input at each of its steps. In the long layout, the value may be on one row only.',
      ['age', 'region'],
    ),
  ),
  weight: addedLater(
    text('The column with the weight of a sequence in the loss and the metrics of its part.', 'weight'),
  ),
  split: addedLater(
    choice(splits, {
      default: 'random',
      description: `How sequences are divided into parts: ${splits.map((one) => `${one}: ${splitMeanings[one]}`).join('; ')}.`,
    }),
  ),
  splitBy: addedLater(
    text(
      'The column that split uses: of the group (grouped), of a time (chronological; null: the first time in order, or the order of the file), or of the part (column).',
      'patient',
    ),
  ),
  folds: addedLater(
    nullable(
      Type.Integer({
        minimum: 2,
        maximum: 1000,
        description:
          'Cross-validation: the sequences are divided into this many test parts, of which fold chooses one.',
        examples: [5],
      }),
    ),
  ),
  fold: addedLater(
    nullable(
      Type.Integer({
        minimum: 1,
        maximum: 1000,
        description:
          'Which of the folds is the test part, counted from 1. null: each in turn, as replicates.',
        examples: [1],
      }),
    ),
  ),
  labelsFile: addedLater(
    text(
      'long: a second CSV table with one row a sequence, whose columns can be used as targets, static, weight and splitBy.',
      'labels.csv',
    ),
  ),
  labelsKey: addedLater(
    text(
      'The column of labelsFile with the value of sequence, or with the name of the file where each file is a sequence. null: its first column.',
      'id',
    ),
  ),
  fileName: addedLater(
    text(
      'How the names of the files are composed, where file is a folder or a pattern. Each name in braces is a column with that part of the name.',
      '{label}-{subject}.csv',
    ),
  ),
};

export type TableParameters = Static<TObject<typeof tableParameters>>;

/** Parameters with a value for each that a run may leave out. */
export type TableSettings = Required<TableParameters> & { readonly standardizeTargets: boolean };

export const settled = (chosen: TableParameters): TableSettings => {
  const presets = Object.entries(tableParameters).map(([key, schema]) => [key, schema.default as unknown]);
  const { standardizeTargets = false, task } = chosen;
  return {
    ...(Object.fromEntries(presets) as TableSettings),
    ...chosen,
    // Runs that were recorded before the setting was there have raw targets: absent is false, and null the default.
    standardizeTargets: task === 'regression' && (standardizeTargets ?? true),
  };
};

type FixedBySeries = 'layout' | 'sequence' | 'order' | 'features' | 'targets';

/** The table of a dataset whose rows are series `x`, each with one `label`, which is a class where no task is chosen. */
export const labelledSeries = (
  chosen: Omit<TableParameters, FixedBySeries | 'task'> & Partial<Pick<TableParameters, 'task'>>,
): TableParameters => ({
  task: 'classification',
  ...chosen,
  ...{ layout: 'wide', sequence: null, order: null, features: ['x'], targets: ['label'] },
});

/** What a spec without `standardizeTargets` means, in a run's configuration: false is left out, as before it was there. */
export const withTargetScaling = <P extends Pick<TableParameters, 'task' | 'standardizeTargets'>>(
  chosen: P,
): P => {
  const { standardizeTargets, ...others } = chosen;
  const isScaled = chosen.task === 'regression' && standardizeTargets !== false;
  return (isScaled ? { ...others, standardizeTargets: true } : others) as P;
};

/** The parameters as a run's configuration has them. */
export const configuredTable = <P extends TableParameters>(chosen: P): P =>
  withShortestMissing(withTargetScaling(chosen), inputsOf(chosen));

/** The inputs as far as the spec names all of them. */
const inputsOf = ({ features, static: statics }: TableParameters): readonly string[] =>
  features ? [...features, ...(statics ?? [])] : [];

/** `missing` in its shortest form; the default is left out, as before the setting was there. */
const withShortestMissing = <P extends TableParameters>(chosen: P, inputs: readonly string[]): P => {
  const { missing, ...others } = chosen;
  if (missing === undefined) return chosen;
  const shortest = shortestSetting(missing, inputs);
  return (shortest === 'error' ? others : { ...others, missing: shortest }) as P;
};

export const isPerStep = ({ task, perStep }: Pick<TableSettings, 'task' | 'perStep'>): boolean =>
  task === 'labelling' || (task === 'regression' && perStep);

export const tableParts = (chosen: TableParameters): DatasetParts => ({
  trainSize: undefined,
  validation: chosen.validationFile !== null || fractions(chosen).validation > 0,
});

/** The fractions of `file` that are kept, with their defaults. */
export const fractions = ({
  validationFile,
  testFile,
  validationFraction,
  testFraction,
}: TableParameters): { readonly validation: number; readonly test: number } => ({
  validation: validationFraction ?? (validationFile === null ? 0.1 : 0),
  test: testFraction ?? (testFile === null ? 0.1 : 0),
});
