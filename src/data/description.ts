import { Type } from '@sinclair/typebox';
import type { ParameterIssue } from '../parameters/row.ts';
import type { Described } from '../system/schema.ts';

/** What comes in at each step. Of many names only the first are kept. */
const inputSchema = Type.Union([
  Type.Object({
    kind: Type.Literal('values'),
    features: Type.Number(),
    names: Type.Optional(Type.Array(Type.String())),
  }),
  Type.Object({ kind: Type.Literal('tokens'), vocabulary: Type.Number() }),
]);

const each = Type.Union([Type.Literal('sequence'), Type.Literal('step')]);

/** What is predicted, for each sequence or at each of its steps. Of many labels only the first are kept. */
const targetSchema = Type.Union([
  Type.Object({
    kind: Type.Literal('classes'),
    each,
    classes: Type.Number(),
    labels: Type.Optional(Type.Array(Type.String())),
  }),
  Type.Object({
    kind: Type.Literal('numbers'),
    each,
    outputs: Type.Number(),
    names: Type.Optional(Type.Array(Type.String())),
    /** Of a forecast: how many steps ahead; each of the outputs has one number for each. */
    horizon: Type.Optional(Type.Number()),
  }),
  Type.Object({
    kind: Type.Literal('labels'),
    each,
    classes: Type.Number(),
    labels: Type.Optional(Type.Array(Type.String())),
  }),
]);

/** What a part holds; a field is absent where it is known only after the data is loaded. */
const partSchema = Type.Object({
  sequences: Type.Number(),
  steps: Type.Optional(Type.Object({ min: Type.Number(), median: Type.Number(), max: Type.Number() })),
  /** Of texts: their tokens, and how many of these the vocabulary of the training part does not have. */
  tokens: Type.Optional(Type.Object({ count: Type.Number(), unknown: Type.Number() })),
  /** How many values of each column are categories that the training part lacks; columns without one are absent. */
  unknown: Type.Optional(Type.Record(Type.String(), Type.Number())),
  /** How often each class is a target, or each label present, by class; absent where there are too many classes. */
  counts: Type.Optional(Type.Array(Type.Number())),
  /** The most frequent class and its share of the targets, by their weights if `weighted`: the accuracy of always answering it. */
  majority: Type.Optional(
    Type.Object({ label: Type.String(), share: Type.Number(), weighted: Type.Optional(Type.Boolean()) }),
  ),
  /** Of each output. */
  ranges: Type.Optional(
    Type.Array(Type.Object({ min: Type.Number(), mean: Type.Number(), max: Type.Number() })),
  ),
});

export type PartDescription = Described<typeof partSchema>;

export const partNames = ['train', 'validation', 'test'] as const;
export type PartName = (typeof partNames)[number];

/** The parts as sentences name them. */
export const partWords: Readonly<Record<PartName, string>> = {
  train: 'training',
  validation: 'validation',
  test: 'test',
};

export const dataDescriptionSchema = Type.Object({
  inputs: inputSchema,
  target: targetSchema,
  /** How many values of each column are missing in all parts together; columns without one are absent. */
  missing: Type.Optional(Type.Record(Type.String(), Type.Number())),
  /** Files of pretrained vectors, and how many tokens of the vocabulary they have. */
  vectors: Type.Optional(
    Type.Array(Type.Object({ file: Type.String(), tokens: Type.Number(), found: Type.Number() })),
  ),
  /** In the order training, validation, test; a part that the dataset does not have is absent. */
  parts: Type.Object({
    train: Type.Optional(partSchema),
    validation: Type.Optional(partSchema),
    test: Type.Optional(partSchema),
  }),
});

/** What a dataset holds, as plain data: shown before it is trained on, and recorded with every run. */
export type DataDescription = Described<typeof dataDescriptionSchema>;

/** A description, and what is suspicious in the data although it can be trained on. */
export interface DataInspection {
  readonly description: DataDescription;
  readonly warnings: readonly ParameterIssue[];
}
