import { losses, type Registry } from '../../src/registry/rows.ts';
import { Type } from '@sinclair/typebox';
import { DataError, type DatasetRow, type SequenceShape } from '../../src/data/dataset.ts';
import type { ModelRow } from '../../src/models/model.ts';
import type { OptimizerRow } from '../../src/optimizers/optimizer.ts';
import { choice, nullable } from '../../src/parameters/schema.ts';

/**
 * A small registry that never changes, so that what is written about messages and plans stays as it is while the real
 * rows grow. Its rows can be checked and planned with, but not trained.
 */
const notBuilt = () => Promise.reject(new Error('These rows are for tests of specs only.'));

const rows: SequenceShape = {
  steps: 28,
  input: { kind: 'values', features: 28 },
  variableLength: false,
  task: { kind: 'classification', classes: 10 },
};

const imageParameters = Type.Object({
  trainSize: nullable(
    Type.Integer({ minimum: 1, maximum: 55_000, description: 'Images to train on. null: all of them.' }),
  ),
});

const mnistRows: DatasetRow<typeof imageParameters> = {
  title: 'Digits, row by row',
  description: 'Images of 28 rows of 28 pixels.',
  version: 1,
  parameters: imageParameters,
  shape: () => rows,
  parts: ({ trainSize }) => ({ trainSize: trainSize ?? 55_000, validation: true }),
  digest: () => 'a'.repeat(64),
  load: notBuilt,
};

const toyParameters = Type.Object({
  minLength: Type.Integer({ minimum: 1, default: 3, description: 'Steps of the shortest sequence.' }),
  maxLength: Type.Integer({ minimum: 1, default: 20, description: 'Steps of the longest sequence.' }),
});

const toySequences: DatasetRow<typeof toyParameters> = {
  title: 'Toy sequences',
  description: 'Sequences that count up, or are random.',
  version: 1,
  parameters: toyParameters,
  check: ({ minLength, maxLength }) =>
    minLength > maxLength
      ? [
          {
            path: 'minLength',
            with: ['maxLength'],
            message: `minLength ${minLength} is larger than maxLength ${maxLength}.`,
            expected: `at most ${maxLength}`,
            help: 'Lower minLength or raise maxLength.',
          },
        ]
      : [],
  shape: ({ maxLength }) => ({ ...rows, steps: maxLength, variableLength: true }),
  parts: () => ({ trainSize: 1000, validation: false }),
  digest: (parameters) => JSON.stringify(parameters),
  load: notBuilt,
};

const csvParameters = Type.Object({
  path: Type.String({
    minLength: 1,
    description: 'The file, from the folder of the spec.',
    examples: ['data.csv'],
  }),
});

const csvSequences: DatasetRow<typeof csvParameters> = {
  title: 'Sequences from a CSV file',
  description: 'One row a step.',
  version: 1,
  parameters: csvParameters,
  shape: ({ path }) => {
    const message = `There is no file ${path}.`;
    throw new DataError({
      path: 'path',
      message,
      expected: 'the path of a file',
      help: 'Check the path; it begins at the folder of the spec.',
    });
  },
  digest: () => '',
  load: notBuilt,
};

const networkProperties = {
  hiddenSize: Type.Integer({
    minimum: 1,
    maximum: 16_384,
    default: 128,
    description: 'Units of the hidden state.',
    examples: [128, 256],
  }),
  layers: Type.Integer({ minimum: 1, maximum: 64, default: 1, description: 'Layers on top of each other.' }),
  bidirectional: Type.Boolean({ default: false, description: 'A second cell reads backwards.' }),
  merge: choice(['concat', 'sum', 'mean'], {
    default: 'concat',
    description: 'How two directions become one.',
  }),
  dropout: Type.Number({
    minimum: 0,
    exclusiveMaximum: 1,
    default: 0,
    description: 'Share of outputs left out.',
  }),
};

const gruParameters = Type.Object(networkProperties);
const lstmParameters = Type.Object({
  ...networkProperties,
  forgetBias: Type.Number({
    minimum: -10,
    maximum: 10,
    default: 1,
    description: 'Added inside the forget gate.',
  }),
});

const model = {
  description: 'A recurrent network.',
  version: 1,
  check: ({ layers, dropout }: { layers: number; dropout: number }) =>
    dropout > 0 && layers === 1
      ? [
          {
            path: 'dropout',
            with: ['layers'],
            message: 'dropout lies between layers, and there is only one.',
            expected: '0, or at least 2 layers',
            help: 'Set layers to 2 or more, or dropout to 0.',
          },
        ]
      : [],
  checkWith: (
    _: object,
    { shape, truncation }: { shape: SequenceShape; truncation: { steps: number } | undefined },
  ) =>
    truncation && truncation.steps > shape.steps
      ? [
          {
            path: 'truncation.steps',
            message: `The sequences have only ${shape.steps} steps.`,
            expected: `at most ${shape.steps}`,
            help: 'Lower steps, or remove truncation.',
          },
        ]
      : [],
  parameterCount: () => 0,
  build: notBuilt,
};

const common = {
  learningRate: Type.Number({
    exclusiveMinimum: 0,
    maximum: 1000,
    description: 'Size of an update.',
    examples: [1e-3],
  }),
  schedule: Type.Object(
    {
      name: choice(['constant', 'step', 'cosine'], {
        default: 'constant',
        description: 'How the rate changes.',
      }),
      warmupSteps: Type.Integer({ minimum: 0, default: 0, description: 'Updates of linear warm-up.' }),
    },
    { default: {}, description: 'How the learning rate changes.' },
  ),
};
const sgdParameters = Type.Object({
  ...common,
  momentum: Type.Number({
    minimum: 0,
    exclusiveMaximum: 1,
    default: 0,
    description: 'Part of the last update kept.',
  }),
});
const adamParameters = Type.Object({
  ...common,
  beta1: Type.Number({ minimum: 0, exclusiveMaximum: 1, default: 0.9, description: 'Decay of the mean.' }),
});
const optimizer = { description: 'An optimizer.', version: 1, slots: () => [], build: notBuilt };

export const testRegistry: Registry = {
  dataset: { 'mnist-rows': mnistRows, 'toy-sequences': toySequences, 'csv-sequences': csvSequences },
  model: {
    lstm: { ...model, title: 'LSTM', parameters: lstmParameters } satisfies ModelRow<typeof lstmParameters>,
    gru: { ...model, title: 'GRU', parameters: gruParameters } satisfies ModelRow<typeof gruParameters>,
  },
  loss: losses,
  optimizer: {
    sgd: { ...optimizer, title: 'SGD', parameters: sgdParameters } satisfies OptimizerRow<
      typeof sgdParameters
    >,
    adam: { ...optimizer, title: 'Adam', parameters: adamParameters } satisfies OptimizerRow<
      typeof adamParameters
    >,
  },
};
