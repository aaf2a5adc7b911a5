import { Type, type Static } from '@sinclair/typebox';
import { choice } from '../parameters/schema.ts';
import { artifactGroupNames, artifactGroups } from './artifact-groups.ts';
import { runSchema } from './run-section.ts';
import { sweepSchema } from './sweep/section.ts';

/** Variables that every spec may read: none of them holds a secret that a record would keep. */
export const openVariables = ['MLFLOW_TRACKING_URI', 'MLFLOW_EXPERIMENT_NAME', 'USER', 'HOSTNAME'] as const;

/** The version of the spec language that this program understands. */
export const specVersion = 1;

const metric = (description: string) =>
  Type.String({
    pattern: '^(train|val|test)/[A-Za-z][\\w-]*$',
    phrase: 'a split and a metric, such as test/accuracy or val/loss',
    description,
    examples: ['test/accuracy', 'val/loss'],
  });

const objectiveSchema = Type.Object(
  {
    metric: metric('The metric that runs are compared by, such as test/accuracy.'),
    goal: Type.Optional(
      choice(['maximize', 'minimize'], {
        description:
          'Whether a larger or a smaller value is better. Default: the direction of the metric; the other one is an error.',
        examples: ['maximize'],
      }),
    ),
  },
  {
    additionalProperties: false,
    description:
      'What runs are compared by. Default: test/accuracy for classification and labelling, test/perplexity for next-step prediction, test/loss for regression.',
    examples: [{ metric: 'val/accuracy' }],
  },
);

export const expectationSchema = Type.Object(
  {
    metric: metric('The metric that must keep its bounds.'),
    baseline: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'What to compare with: the beginning of the id of a recorded run, or an experiment, of which the best finished run counts. The bounds are then those of the difference, value minus baseline.',
        examples: ['quickstart'],
      }),
    ),
    gte: Type.Optional(
      Type.Number({
        description:
          'The least allowed value (greater than or equal); with a baseline the least difference to it.',
        examples: [0.97],
      }),
    ),
    lte: Type.Optional(
      Type.Number({
        description:
          'The largest allowed value (less than or equal); with a baseline the largest difference to it.',
        examples: [0.1],
      }),
    ),
  },
  { additionalProperties: false },
);

const expectSchema = Type.Array(expectationSchema, {
  default: [],
  maxItems: 1000,
  phrase: 'a list of metrics with their bounds',
  description: 'What every run must reach; otherwise the command ends with exit code 1.',
  examples: [
    [{ metric: 'test/accuracy', gte: 0.97 }],
    [{ metric: 'test/accuracy', baseline: 'quickstart', gte: -0.005 }],
  ],
});

export const mlflowSchema = Type.Object(
  {
    uri: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Address of the MLflow server. Default: the variable MLFLOW_TRACKING_URI.',
        examples: ['http://127.0.0.1:5000', '${MLFLOW_TRACKING_URI}'],
      }),
    ),
    experiment: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'The MLflow experiment. Default: the name of the spec.',
        examples: ['mnist-rows'],
      }),
    ),
    tags: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'Tags of the sweep and of each run on the server: strings by name.',
        examples: [{ team: 'vision' }],
      }),
    ),
    artifacts: Type.Optional(
      Type.Array(choice(artifactGroupNames), {
        description: `What of a run is sent to the server besides its metrics: ${artifactGroupNames.map((group) => `${group} (${artifactGroups[group]})`).join(', ')}. Default: all but checkpoints and metrics.`,
        examples: [['model', 'plots']],
      }),
    ),
    everySeconds: Type.Optional(
      Type.Number({
        minimum: 0.1,
        maximum: 3600,
        description: 'Seconds between two transmissions. Default: 4.',
        examples: [5],
      }),
    ),
  },
  {
    additionalProperties: false,
    examples: [{ uri: 'http://127.0.0.1:5000' }],
    description: 'Sends runs to an MLflow server; the local files stay complete.',
  },
);

const trackingSchema = Type.Object(
  { mlflow: Type.Optional(mlflowSchema) },
  {
    additionalProperties: false,
    default: {},
    examples: [{ mlflow: { uri: 'http://127.0.0.1:5000' } }],
    description:
      'Where runs are recorded besides their local directories. ' +
      `Environment variables are allowed here as \${NAME} or \${NAME:-default}: ${openVariables.join(', ')}, and those that you allow by name with --allow-variable.`,
  },
);

const seedsSchema = Type.Unsafe<number | readonly number[]>({
  type: ['integer', 'array'],
  minimum: 1,
  maximum: 10_000,
  minItems: 1,
  items: { type: 'integer', minimum: 0, maximum: 4_294_967_295, examples: [1] },
  phrase: 'how many seeds, or a list of seeds such as [1, 2, 3]',
  default: [1],
  description:
    'Replicates: each point of the sweep is trained once for each seed, and comparison shows mean and interval over them. A number n means 1 to n.',
  examples: [[1, 2, 3], 3],
});

export const nameSchema = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
  phrase: 'up to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit',
  description: 'The name of the experiment: a folder under runs/, and the experiment on MLflow.',
  examples: ['mnist-rows'],
});

const extendsSchema = Type.String({
  minLength: 1,
  description:
    'Another spec, by its path from this file. Mappings are merged key by key, everything else is replaced, null deletes.',
  examples: ['./base.yaml'],
});

const namedSection = (kind: string, example: string) =>
  Type.Unsafe<Readonly<Record<string, unknown>>>({
    type: 'object',
    phrase: `a mapping with the name of ${kind} and its parameters`,
    examples: [{ name: example }],
  });

/**
 * The structure of a whole spec. The registries know the rest of `dataset`, `model`, `optimizer` and `loss`; `train` is checked
 * by itself, because a sweep may vary it.
 */
export const specSchema = Type.Object(
  {
    version: Type.Literal(specVersion, {
      description: 'The version of the spec language; 1.',
      examples: [specVersion],
    }),
    name: nameSchema,
    extends: Type.Optional(extendsSchema),
    dataset: namedSection('a dataset', 'mnist-rows'),
    model: namedSection('a model', 'lstm'),
    optimizer: namedSection('an optimizer', 'adam'),
    loss: Type.Optional(namedSection('a loss', 'cross-entropy')),
    train: Type.Unsafe<Readonly<Record<string, unknown>>>({
      type: 'object',
      phrase: 'a mapping that sets how long to train',
      examples: [{ batchSize: 128, epochs: 1 }],
    }),
    objective: Type.Optional(objectiveSchema),
    sweep: Type.Optional(sweepSchema),
    seeds: seedsSchema,
    run: runSchema,
    tracking: trackingSchema,
    expect: expectSchema,
  },
  { additionalProperties: false },
);

export type SpecStructure = Static<typeof specSchema>;
