import { Type, type Static } from '@sinclair/typebox';
import { choice } from '../../parameters/schema.ts';

/** Most runs of a plan unless the spec or the command line allows more. */
export const defaultMaxRuns = 1000;

/** Paths and values; which paths exist is told by the registries, see `read-sweep.ts`. */
const assignments = (description: string) =>
  Type.Unsafe<Readonly<Record<string, unknown>>>({
    type: 'object',
    minProperties: 1,
    phrase: 'a mapping of paths such as model.hiddenSize to values',
    description,
    examples: [{ 'model.hiddenSize': 512 }],
  });

/** The structure of a spec's `sweep` section. */
export const sweepSchema = Type.Object(
  {
    method: choice(['grid', 'random', 'quasi-random', 'tpe'], {
      default: 'grid',
      description:
        'grid: every combination of the axes. random: `samples` points drawn from them. quasi-random: the same, spread evenly (a Halton sequence, randomly shifted). tpe: not available yet.',
    }),
    samples: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: 'How many points the methods random and quasi-random draw; not used by grid.',
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
        description: 'Groups of axes that advance together rather than in every combination.',
        examples: [[{ 'model.layers': [1, 2], 'model.dropout': [0, 0.3] }]],
      }),
    ),
    when: Type.Optional(
      Type.Array(
        Type.Object(
          {
            if: assignments('Paths and the values they must have for the axes below to be added.'),
            axes: assignments('Axes that only the points with these values have.'),
          },
          { additionalProperties: false, description: 'Further axes for some points only.' },
        ),
        {
          description: 'Axes that exist only for some points, such as a parameter of one model.',
          examples: [[{ if: { 'model.name': 'lstm' }, axes: { 'model.forgetBias': [0, 1] } }]],
        },
      ),
    ),
    exclude: Type.Optional(
      Type.Array(assignments('Paths and values: a point that has all of them is left out.'), {
        description: 'Points that are left out of the grid; a rule names as few values as it needs.',
        examples: [[{ 'model.hiddenSize': 512, 'optimizer.learningRate': 0.01 }]],
      }),
    ),
    add: Type.Optional(
      Type.Array(assignments('Paths and values of one more point; all else is as outside of the sweep.'), {
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
