import { Type, type Static } from '@sinclair/typebox';
import { anyKeys, type Described } from '../system/schema.ts';
import { addedLater, choice, nullable } from '../parameters/schema.ts';
import type { ParameterIssue } from '../parameters/row.ts';
import { examplesPerStep } from '../data/batches.ts';
import { goalOf } from '../metrics/metrics.ts';
import { contradiction } from './goal.ts';

/** The three ways to set how long a training lasts; a spec uses exactly one. */
export const trainingEnds = ['trainingIters', 'epochs', 'steps'] as const;

export const earlyStoppingSchema = Type.Object(
  {
    metric: Type.String({
      pattern: '^val/[\\w-]+$',
      phrase: 'a metric such as val/loss or val/accuracy',
      default: 'val/loss',
      description: 'The metric that is watched at each evaluation, such as val/loss or val/accuracy.',
      examples: ['val/loss', 'val/accuracy'],
    }),
    // Without a default: it follows from the metric.
    goal: Type.Optional(
      choice(['minimize', 'maximize'], {
        description:
          'Whether a smaller or a larger value of the metric is better. Default: the direction of the metric; the other one is an error.',
        examples: ['minimize'],
      }),
    ),
    patience: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: 5,
      description: 'Evaluations without improvement before the training ends.',
      examples: [5],
    }),
    minDelta: Type.Number({
      minimum: 0,
      default: 0,
      description: 'The least change of the metric that counts as an improvement.',
      examples: [0.001],
    }),
    restoreBest: Type.Boolean({
      default: true,
      description:
        'Go back to the weights of the best evaluation when the training ends. The values of the run are then those of that evaluation.',
    }),
  },
  { additionalProperties: false },
);

const truncationSchema = Type.Object(
  {
    steps: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      description: 'How many time steps the error is carried back at most.',
      examples: [20],
    }),
    style: choice(['chunked', 'true'], {
      default: 'chunked',
      description:
        'chunked cuts the gradient of the state at fixed borders, every `steps` time steps; "true" carries the error of every time step back over the last `steps` ones.',
    }),
  },
  { additionalProperties: false },
);

const stopOnSchema = Type.Object(
  {
    lossAbove: Type.Number({
      exclusiveMinimum: 0,
      description: 'The largest loss of a minibatch that a run may have.',
      examples: [100],
    }),
  },
  {
    additionalProperties: false,
    description:
      'End the run as diverged when the loss of a minibatch is above a bound. A loss that is not finite always ends it; for patience see earlyStopping.',
    examples: [{ lossAbove: 100 }],
  },
);

const patternsSchema = (description: string, example: string) =>
  addedLater(
    Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
      maxItems: 1000,
      uniqueItems: true,
      default: [],
      description,
      examples: [[example]],
    }),
  );

/** What a spec's `train` section may hold. */
export const trainSchema = Type.Object(
  {
    batchSize: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: 128,
      description: 'Examples in a minibatch: one update of the weights is made for each.',
      examples: [128],
    }),
    trainingIters: nullable(
      Type.Integer({
        minimum: 1,
        description:
          'How long to train, in examples seen: training continues while step * batchSize < trainingIters, counting steps from 1. Give exactly one of trainingIters, epochs and steps.',
        examples: [100000],
      }),
    ),
    epochs: nullable(
      Type.Number({
        exclusiveMinimum: 0,
        description:
          'How long to train, in passes over the training split; fractions are allowed. Give exactly one of trainingIters, epochs and steps.',
        examples: [3],
      }),
    ),
    steps: nullable(
      Type.Integer({
        minimum: 1,
        description:
          'How long to train, in updates of the weights. Give exactly one of trainingIters, epochs and steps.',
        examples: [1000],
      }),
    ),
    displayEvery: Type.Integer({
      minimum: 1,
      maximum: 1_000_000_000,
      default: 10,
      description: 'Steps between two lines of loss and accuracy of the minibatch.',
      examples: [10],
    }),
    shuffle: Type.Boolean({
      default: true,
      description:
        'Read the examples in a new random order in each pass; false reads them as they are stored.',
    }),
    bucketing: addedLater(
      Type.Boolean({
        default: false,
        description:
          'Put sequences of similar length into a batch, and compute only the steps of its longest one. Which sequences, and the order of the batches, are drawn anew in each pass.',
        examples: [true],
      }),
    ),
    stateful: addedLater(
      Type.Boolean({
        default: false,
        description:
          'Carry the state of a language model from batch to batch (datasets text and characters). The text is read as batchSize parallel streams (batchSize x accumulate with accumulate): a sequence begins with the state after the one before it, and no error is carried back into that one. Each pass begins with a state of zeros. An evaluation reads its part of the text in up to 250 streams of at least 20 sequences. Needs shuffle: false.',
        examples: [true],
      }),
    ),
    lastBatch: choice(['keep', 'drop', 'wrap'], {
      default: 'keep',
      description:
        'What happens to a last batch that is too small: keep it smaller, drop it, or wrap it around into the next pass.',
    }),
    evaluateEvery: nullable(
      Type.Integer({
        minimum: 1,
        description:
          'Steps between two evaluations on the validation split. null: only at the end, where the weights that the run keeps are always evaluated.',
        examples: [100],
      }),
    ),
    checkpointEvery: nullable(
      Type.Integer({
        minimum: 1,
        description: 'Steps between two checkpoints. null: often enough that little is lost.',
        examples: [500],
      }),
    ),
    keepCheckpoints: choice(['last', 'best', 'all', 'none'], {
      default: 'last',
      description:
        'What is kept in checkpoints/. last: the newest, which a stopped training resumes from and a longer one continues from. best: also the weights of the best evaluation, by the metric of earlyStopping, or by the lowest val/loss. all: also every one of checkpointEvery, under its step. none: nothing once the run is done.',
      examples: ['best'],
    }),
    earlyStopping: Type.Unsafe<Static<typeof earlyStoppingSchema> | null>({
      ...earlyStoppingSchema,
      type: ['object', 'null'],
      examples: [{ metric: 'val/loss', patience: 5 }],
      default: null,
      description:
        'End the training when a metric of the validation split has stopped improving. null: train to the end.',
    }),
    // Without a default: a spec without it keeps the ids of its runs.
    stopOn: Type.Optional(stopOnSchema),
    accumulate: addedLater(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        default: 1,
        description:
          'Minibatches whose gradients are added up for one update, as if they were one minibatch of accumulate x batchSize examples, in the memory of a single one. A step is then one update, and epochs and trainingIters count the examples of all of them. Each minibatch counts by its targets (where each step has one, by the steps within the lengths) and their weights, so the sum is that of the large minibatch; only what dropout draws is different.',
        examples: [4],
      }),
    ),
    precision: addedLater(
      choice(['float32', 'bfloat16'], {
        default: 'float32',
        description:
          "The operands of the matrix products of a training step, forward and backward: those of the recurrent layers and of the output layer. bfloat16 rounds them to 8 significant bits and adds up the products in float32; weights, states, gates, loss and updates stay in float32, and evaluations and predictions are computed in float32. Faster only on a processor with AMX or AVX512-BF16; others emulate it, no faster than float32. Only for networks that Unroll's own kernels can train.",
        examples: ['bfloat16'],
      }),
    ),
    ema: addedLater(
      nullable(
        Type.Number({
          exclusiveMinimum: 0,
          exclusiveMaximum: 1,
          description:
            'Average the weights over the steps, and evaluate and keep the averages: at each step, the average keeps this share of itself (exponential moving average; Polyak and Juditsky 1992, Tarvainen and Valpola 2017). The average is corrected for its start as the moments of Adam are (Kingma and Ba 2015), so the initial weights are no part of it and no warm-up is needed. null: keep the weights themselves.',
          examples: [0.99, 0.999],
        }),
      ),
    ),
    accuracyFirst128: Type.Optional(
      Type.Boolean({
        description:
          'Also record the accuracy on the first 128 test examples as test/accuracyFirst128, which the reference systems print. Classification only. Changes no run id: a run that is recorded without it is trained again only with --force.',
        examples: [true],
      }),
    ),
    predictions: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 10_000_000,
        description:
          'Record what the trained network predicts for this many sequences of the test part, in predictions.parquet. Changes no run id: a run that is recorded without it is trained again only with --force.',
        examples: [100_000],
      }),
    ),
    from: addedLater(
      nullable(
        Type.String({
          minLength: 1,
          maxLength: 4096,
          description:
            'The weights to start from, instead of weights drawn from the seed: the first characters of a run id, best:EXPERIMENT for the best run of an experiment, or a .safetensors file. Each variable of the network must be among them, in the same shape. The id of the run covers the SHA-256 of the weights.',
          examples: ['best:quickstart', 'weights/pretrained.safetensors'],
        }),
      ),
    ),
    reinitialize: patternsSchema(
      'The variables that are drawn from the seed although from is set, such as an output layer for other classes: names, or patterns in which * is any number of characters.',
      'output/*',
    ),
    freeze: patternsSchema(
      'The variables that are not trained: names, or patterns in which * is any number of characters. They keep their values bit for bit, have no optimizer state and no weight decay, and their gradients are no part of clipNorm.',
      'layer1/*',
    ),
    truncation: Type.Unsafe<Static<typeof truncationSchema> | null>({
      ...truncationSchema,
      type: ['object', 'null'],
      examples: [{ steps: 14 }],
      default: null,
      description:
        'Carry the error back through only some time steps (truncated backpropagation). null: through all.',
    }),
  },
  {
    additionalProperties: false,
    description: 'How long and in which batches each run trains.',
  },
);

/** A resolved `train` section as runs record it. */
export const trainConfigSchema = Type.Object({
  ...trainSchema.properties,
  earlyStopping: Type.Union([
    Type.Object({ ...earlyStoppingSchema.properties, goal: choice(['minimize', 'maximize']) }),
    Type.Null(),
  ]),
  stopOn: Type.Optional(anyKeys(stopOnSchema)),
  truncation: Type.Union([anyKeys(truncationSchema), Type.Null()]),
});

/** How long and how a run trains, every default resolved. Exactly one of the three ends is a number. */
export type TrainConfig = Described<typeof trainConfigSchema>;

/** Ends a training that has stopped getting better on a metric of the validation split; `goal` is resolved. */
export type EarlyStopping = NonNullable<TrainConfig['earlyStopping']>;

/** A `train` section as it is written, with every default but the goal. */
export type WrittenTrain = Readonly<Static<typeof trainSchema>>;

/** Whether `train.from` is the path of a file. */
export const isWeightsFile = (from: unknown): from is string =>
  typeof from === 'string' && from.endsWith('.safetensors');

/** Fills in the goal of `earlyStopping`, which follows from its metric. */
export const withGoal = (train: WrittenTrain): TrainConfig => {
  if (!train.earlyStopping) return { ...train, earlyStopping: null };
  const { metric, goal, ...rest } = train.earlyStopping;
  // If there is no such metric, any goal will do: `checkTogether` reports it.
  return { ...train, earlyStopping: { metric, goal: goal ?? goalOf(metric) ?? 'minimize', ...rest } };
};

/** What a schema cannot express of `train`: exactly one end, and what needs `evaluateEvery`. */
export const checkTrain = (train: WrittenTrain): readonly ParameterIssue[] => {
  const given = trainingEnds.filter((name) => train[name] !== null);
  const issues: ParameterIssue[] = [];
  if (given.length === 0) {
    issues.push({
      path: '',
      message: 'The training has no end.',
      expected: 'one of trainingIters, epochs or steps',
      help: 'Add for example `epochs: 3` or `steps: 1000`.',
    });
  } else if (given.length > 1) {
    issues.push({
      path: given.at(-1) ?? '',
      with: given.slice(0, -1),
      message: `Set only one of ${given.join(' and ')}.`,
      expected: 'exactly one of trainingIters, epochs and steps',
      help: `Keep one of ${given.join(' and ')} and remove the other.`,
    });
  }
  if (train.trainingIters !== null && given.length === 1 && train.trainingIters <= examplesPerStep(train)) {
    issues.push({
      path: 'trainingIters',
      with: ['batchSize', ...(train.accumulate === undefined ? [] : ['accumulate'])],
      message:
        train.accumulate === undefined
          ? 'trainingIters is not larger than batchSize, so the run would have no steps.'
          : 'trainingIters is not larger than batchSize x accumulate, so the run would have no steps.',
      expected:
        train.accumulate === undefined
          ? `more than batchSize (${train.batchSize})`
          : `more than batchSize x accumulate (${examplesPerStep(train)})`,
      help: `Raise trainingIters, or lower batchSize${train.accumulate === undefined ? '' : ' or accumulate'}.`,
    });
  }
  if (train.bucketing && !train.shuffle) {
    issues.push({
      path: 'bucketing',
      with: ['shuffle'],
      message: 'bucketing draws the order of the batches, and shuffle: false keeps the order of the data.',
      expected: 'shuffle: true, or no bucketing',
      help: 'Remove `shuffle`, or remove `bucketing`.',
    });
  }
  if (train.stateful) issues.push(...checkStateful(train));
  if (train.keepCheckpoints === 'best' && train.evaluateEvery === null) {
    issues.push({
      path: 'keepCheckpoints',
      message: 'keepCheckpoints: best needs evaluations during the training.',
      expected: 'evaluateEvery to be set',
      help: 'Add for example `evaluateEvery: 100` to train.',
    });
  }
  if (train.keepCheckpoints === 'all' && train.checkpointEvery === null) {
    issues.push({
      path: 'keepCheckpoints',
      message: 'keepCheckpoints: all needs checkpointEvery.',
      expected: 'checkpointEvery to be set',
      help: 'Add for example `checkpointEvery: 500` to train.',
    });
  }
  if (train.earlyStopping && train.evaluateEvery === null) {
    issues.push({
      path: 'earlyStopping',
      message: 'earlyStopping needs evaluations during the training.',
      expected: 'evaluateEvery to be set',
      help: 'Add for example `evaluateEvery: 100` to train.',
    });
  }
  const { metric = '', goal } = train.earlyStopping ?? {};
  const words = contradiction(metric, goal);
  if (words) issues.push({ path: 'earlyStopping.goal', with: ['earlyStopping.metric'], ...words });
  return issues;
};

/** What leaves no order in which a state could be carried on. */
const checkStateful = ({
  shuffle,
  bucketing,
  lastBatch,
  truncation,
}: WrittenTrain): readonly ParameterIssue[] => {
  const issues: ParameterIssue[] = [];
  if (bucketing)
    issues.push({
      path: 'stateful',
      with: ['bucketing'],
      message: 'stateful reads the text in its order, and bucketing draws the order of the batches.',
      expected: 'shuffle: false without bucketing',
      help: 'Remove `bucketing`, or remove `stateful`.',
    });
  else if (shuffle)
    issues.push({
      path: 'stateful',
      with: ['shuffle'],
      message: 'stateful reads the text in its order, and shuffle: true draws a new one in each pass.',
      expected: 'shuffle: false beside stateful: true',
      help: 'Write `shuffle: false`, or do without `stateful`.',
    });
  if (lastBatch === 'wrap')
    issues.push({
      path: 'stateful',
      with: ['lastBatch'],
      message:
        'stateful begins each pass with a state of zeros, and lastBatch: wrap mixes two passes in a batch.',
      expected: 'lastBatch: keep or drop',
      help: 'Use `lastBatch: keep`, or remove `stateful`.',
    });
  if (truncation?.style === 'true')
    issues.push({
      path: 'truncation.style',
      with: ['stateful'],
      message:
        'True truncation reads the steps before each output once more, and stateful keeps none of the sequence before.',
      expected: 'truncation with style: chunked, or none',
      help: 'Use `style: chunked`, or remove `stateful`.',
    });
  return issues;
};
