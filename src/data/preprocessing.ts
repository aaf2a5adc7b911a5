import { Type } from '@sinclair/typebox';
import type { Json } from '../system/json.ts';
import type { Described } from '../system/schema.ts';

const numbers = Type.Array(Type.Number());
const numberOrNull = Type.Union([Type.Number(), Type.Null()]);

/** scaled = (value - mean) * factor, with the statistics of the training part. */
const scale = { mean: Type.Number(), factor: Type.Number() };

/** How a column of a table becomes inputs, in the order of the inputs. */
const inputColumnSchema = Type.Union([
  Type.Object({
    name: Type.String(),
    kind: Type.Literal('number'),
    ...scale,
    /** What a missing value is replaced with, before it is scaled. */
    fill: Type.Number(),
    /** Whether another input follows that is 1 where the value is missing. */
    mask: Type.Boolean(),
  }),
  /**
   * One input for each label, 1 where the column has it; all of them are 0 for an unknown or missing one. With a size, one
   * input that the network embeds: the place of the label counted from 1, or 0.
   */
  Type.Object({
    name: Type.String(),
    kind: Type.Literal('category'),
    labels: Type.Array(Type.String()),
    embeddingSize: Type.Optional(Type.Number()),
  }),
]);

const scaledTargetSchema = Type.Object({ name: Type.String(), ...scale });

const pixelsSchema = Type.Object({
  kind: Type.Literal('pixels'),
  height: Type.Number(),
  width: Type.Number(),
  /** input = pixel / divide */
  divide: Type.Number(),
});

const tableSchema = Type.Object({
  kind: Type.Literal('table'),
  /** The columns of the file that are features; static columns are in `dataset.static`. */
  features: Type.Array(Type.String()),
  inputs: Type.Array(inputColumnSchema),
  /** Of targets that are scaled: prediction = output / factor + mean. Empty where outputs are in their own unit. */
  targets: Type.Array(scaledTargetSchema),
});

/** Texts as tokens, one text a row; `vocabulary.json` holds the tokens by index. */
const textSchema = Type.Object({
  kind: Type.Literal('text'),
  /** The index of every token that the vocabulary does not have. */
  unknown: Type.Number(),
  /** Whether `tokenizer.json` splits the texts. */
  tokenizer: Type.Boolean(),
  /** As of a table. */
  targets: Type.Array(scaledTargetSchema),
});

/** One long text as tokens; `vocabulary.json` holds the tokens by index. */
const streamSchema = Type.Object({
  kind: Type.Literal('stream'),
  /** The index of every token that the vocabulary does not have; null where each must be in it. */
  unknown: numberOrNull,
  /** Whether `tokenizer.json` splits the text. */
  tokenizer: Type.Boolean(),
});

/** By column, in the order of `columns`. */
const columnScales = {
  mean: numbers,
  factor: numbers,
  /** The means of the training part, in the unit of the file. */
  fill: numbers,
};

const timeStepSchema = Type.Union([
  Type.Object({ kind: Type.Literal('fixed'), length: Type.Number() }),
  Type.Object({ kind: Type.Literal('months'), months: Type.Number() }),
  Type.Object({ kind: Type.Literal('weekdays') }),
  Type.Object({ kind: Type.Literal('uneven') }),
]);

const seriesSchema = Type.Object({
  kind: Type.Literal('series'),
  timeKind: Type.Union([Type.Literal('number'), Type.Literal('date')]),
  step: timeStepSchema,
  /** The columns of numbers: targets, past and future. */
  columns: Type.Array(Type.String()),
  series: Type.Array(
    Type.Object({
      name: Type.String(),
      ...columnScales,
      /** What MASE divides by, by target; null where the training part is too short. */
      naiveErrors: Type.Array(numberOrNull),
    }),
  ),
  /** The scales of all series together, for one that is not listed. */
  others: Type.Object(columnScales),
  /** How static columns become inputs. */
  statics: Type.Array(
    Type.Union([
      Type.Object({ name: Type.String(), kind: Type.Literal('number'), ...scale }),
      Type.Object({ name: Type.String(), kind: Type.Literal('words'), words: Type.Array(Type.String()) }),
    ]),
  ),
  /** The times at which the training, validation and test part end; null: never. Nothing is filled from after an end. */
  ends: Type.Array(numberOrNull),
  /** The steps of a season; null where the training part has none. */
  season: numberOrNull,
  /** Whether outputs are scaled as their columns are. */
  scaledTargets: Type.Boolean(),
});

/** Data that the network reads as it is: generated, or of the user's own dataset. */
const noneSchema = Type.Object({ kind: Type.Literal('none') });

export const preprocessingSchema = Type.Union([
  pixelsSchema,
  tableSchema,
  textSchema,
  streamSchema,
  seriesSchema,
  noneSchema,
]);

/**
 * What a dataset does to values between a file and the network, as measured on its training part: pure data, so that
 * predictions on other files do the same. How files are read is in the dataset's parameters.
 */
export type Preprocessing = Described<typeof preprocessingSchema>;

export type PixelPreprocessing = Described<typeof pixelsSchema>;
export type TablePreprocessing = Described<typeof tableSchema>;
export type SeriesPreprocessing = Described<typeof seriesSchema>;

/** The same where targets are not scaled. */
export const withTargetsInOwnUnit = (preprocessing: Preprocessing): Preprocessing => {
  switch (preprocessing.kind) {
    case 'table':
    case 'text':
      return { ...preprocessing, targets: [] };
    case 'series':
      return { ...preprocessing, scaledTargets: false };
    case 'pixels':
    case 'stream':
    case 'none':
      return preprocessing;
  }
};

/** The name of a tokenizer's file in a folder of a model. */
export const tokenizerFile = 'tokenizer.json';

/**
 * A dataset's section without its data files: what decides how other files of the same form are read. A tokenizer is named
 * as in the folder of the model.
 */
export const readingSection = (
  { files = [] }: { readonly files?: readonly string[] },
  section: Section,
): Section => ({
  ...Object.fromEntries(Object.entries(section).filter(([key]) => !files.includes(key))),
  name: section.name,
  ...('tokenizer' in section && { tokenizer: section['tokenizer'] === null ? null : tokenizerFile }),
});

type Section = { readonly name: string } & Readonly<Record<string, Json>>;
