import { Type } from '@sinclair/typebox';
import type { SequenceShape } from './dataset.ts';
import type { Task } from './task.ts';

const classes = { classes: Type.Number(), labels: Type.Optional(Type.Array(Type.String())) };

const taskSchema = Type.Union([
  Type.Object({ kind: Type.Literal('classification'), ...classes }),
  Type.Object({ kind: Type.Literal('labelling'), ...classes }),
  Type.Object({ kind: Type.Literal('next-step'), ...classes }),
  Type.Object({ kind: Type.Literal('multi-label'), ...classes }),
  Type.Object({
    kind: Type.Literal('regression'),
    outputs: Type.Number(),
    perStep: Type.Optional(Type.Literal(true)),
    targets: Type.Optional(Type.Array(Type.String())),
  }),
  Type.Object({
    kind: Type.Literal('forecast'),
    horizon: Type.Number(),
    targets: Type.Array(Type.String()),
    readsAhead: Type.Optional(Type.Literal(true)),
    hasGaps: Type.Optional(Type.Literal(true)),
  }),
]);

const categorySchema = Type.Object({
  feature: Type.Number(),
  name: Type.String(),
  categories: Type.Number(),
  size: Type.Number(),
});

/** A recorded shape. */
export const shapeSchema = Type.Unsafe<SequenceShape>(
  Type.Object({
    steps: Type.Number(),
    input: Type.Union([
      Type.Object({
        kind: Type.Literal('values'),
        features: Type.Number(),
        embedded: Type.Optional(Type.Array(categorySchema)),
      }),
      Type.Object({ kind: Type.Literal('tokens'), vocabulary: Type.Number() }),
    ]),
    variableLength: Type.Boolean(),
    task: Type.Unsafe<Task>(taskSchema),
  }),
);
