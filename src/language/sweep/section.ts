import { Type, type Static } from '@sinclair/typebox';
import { choice } from '../../parameters/schema.ts';
import type { Json } from '../../system/json.ts';

/** Most runs of a plan unless the spec or the command line allows more. */
export const defaultMaxRuns = 1000;

/** Rules of one kind: each is compared with every point. */
export const mostRules = 2000;

/** Paths and values. `read-sweep.ts` checks the paths against the registries. */
const assignments = (description: string, value: Json = 512) =>
  Type.Unsafe<Readonly<Record<string, unknown>>>({
    type: 'object',
    minProperties: 1,
    phrase: 'a mapping of paths such as model.hiddenSize to values',
    description,
    examples: [{ 'model.hiddenSize': value }],
  });

const minSteps = (least: string) =>
  Type.Integer({
    minimum: 1,
    description: `Training steps before runs are compared ${least}.`,
    examples: [100],
  });

const pruningMetric = Type.Optional(
  Type.String({
    pattern: '^val/[A-Za-z][\\w-]*$',
    phrase: 'a metric of the validation split, such as val/accuracy',
    description:
      'What runs are compared by, on the validation split. Default: the counterpart of the objective, val/accuracy for test/accuracy, or val/loss where it has none. The direction is that of the metric.',
    examples: ['val/accuracy'],
  }),
);

/** Both rules in one object. `read-sweep.ts` checks which keys belong to which rule, and reports the place of the key. */
export const pruningSchema = Type.Object(
  {
    name: choice(['asha', 'median'], {
      description:
        'asha: at minSteps, and at each step reductionFactor times later, only the best runs continue (asynchronous successive halving, Li et al. 2020). median: a run ends when its best value is worse than the median of the other runs (Golovin et al. 2017).',
      examples: ['asha'],
    }),
    minSteps: minSteps('for the first time'),
    reductionFactor: Type.Optional(
      Type.Integer({
        minimum: 2,
        maximum: 100,
        description: 'For asha: one run in this many continues, to this many times the steps (default 3).',
        examples: [3],
      }),
    ),
    everySteps: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'For median: steps between two comparisons (default: minSteps).',
        examples: [100],
      }),
    ),
    minRuns: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000,
        description: 'For median: no run is ended before this many are trained to their end (default 5).',
        examples: [5],
      }),
    ),
    metric: pruningMetric,
  },
  {
    additionalProperties: false,
    description:
      'Ends runs early that do worse than others. They keep a checkpoint and resume from it when they are promoted. Needs an objective and a validation split.',
    examples: [{ name: 'asha', minSteps: 100, reductionFactor: 3 }],
  },
);

/** The structure of a spec's `sweep` section. */
export const sweepSchema = Type.Object(
  {
    method: choice(['grid', 'random', 'quasi-random', 'tpe'], {
      default: 'grid',
      description:
        'grid: every combination of the axes. random: `samples` points drawn from them. quasi-random: the same, spread evenly (a Halton sequence, randomly shifted). tpe: points chosen by the results of those before (a tree-structured Parzen estimator); needs objective.',
    }),
    samples: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100_000,
        description: 'How many points the methods random, quasi-random and tpe take; not used by grid.',
        examples: [20],
      }),
    ),
    seed: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 4_294_967_295,
        description:
          'Decides which points are drawn (default 0); it has no influence on the runs themselves.',
        examples: [0],
      }),
    ),
    lookahead: Type.Integer({
      minimum: 1,
      maximum: 1024,
      default: 4,
      description:
        'For method tpe and pruning: how many points may be in training without waiting for each other. Decision n is taken from the results up to n - lookahead, so it is the same whatever the concurrency.',
      examples: [4],
    }),
    pruning: Type.Optional(pruningSchema),
    axes: Type.Optional(
      Type.Unsafe<Readonly<Record<string, unknown>>>({
        type: 'object',
        phrase: 'a mapping of paths such as model.hiddenSize to lists of values',
        description:
          'What varies: a path such as model.hiddenSize and its values. A plan has every combination, in the order of the file, the last axis fastest.',
        examples: [{ 'model.hiddenSize': [128, 256] }],
      }),
    ),
    zip: Type.Optional(
      Type.Array(assignments('Paths with lists of equal length: they advance together, value by value.'), {
        maxItems: mostRules,
        description: 'Groups of axes that advance together rather than in every combination.',
        examples: [[{ 'model.layers': [1, 2], 'model.dropout': [0, 0.3] }]],
      }),
    ),
    when: Type.Optional(
      Type.Array(
        Type.Object(
          {
            if: assignments('Paths and the values they must have for the axes below to be added.'),
            axes: assignments('Axes that only the points with these values have.', [128, 256]),
          },
          { additionalProperties: false, description: 'Further axes for some points only.' },
        ),
        {
          maxItems: mostRules,
          description: 'Axes that exist only for some points, such as a parameter of one model.',
          examples: [[{ if: { 'model.name': 'lstm' }, axes: { 'model.forgetBias': [0, 1] } }]],
        },
      ),
    ),
    exclude: Type.Optional(
      Type.Array(assignments('Paths and values: a point that has all of them is left out.'), {
        maxItems: mostRules,
        description: 'Points that are left out of the grid; a rule names as few values as it needs.',
        examples: [[{ 'model.hiddenSize': 512, 'optimizer.learningRate': 0.01 }]],
      }),
    ),
    add: Type.Optional(
      Type.Array(assignments('Paths and values of one more point; all else is as outside of the sweep.'), {
        maxItems: mostRules,
        description: 'Further points, after those of the axes. exclude has no influence on them.',
        examples: [[{ 'model.hiddenSize': 1024 }]],
      }),
    ),
    maxRuns: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: defaultMaxRuns,
      description:
        'The most runs that the plan may have, seeds included; more is an error unless --yes is given.',
      examples: [200],
    }),
  },
  {
    additionalProperties: false,
    description: 'Turns one spec into many runs. Without it, the spec is one run for each seed.',
  },
);

export type SweepSection = Static<typeof sweepSchema>;
