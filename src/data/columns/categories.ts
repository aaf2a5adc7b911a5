import { Type } from '@sinclair/typebox';

/** How a column of categories is read: an input for each category, or a trained vector of a size. */
type CategoryForm = 'one-hot' | number;

/** Columns of categories: all of them one-hot, or each in a form of its own. */
export type CategoricalSetting = readonly string[] | Readonly<Record<string, CategoryForm>> | null;

const form = Type.Unsafe<CategoryForm>({
  type: ['string', 'integer'],
  pattern: '^one-hot$',
  minimum: 1,
  maximum: 4096,
  phrase: 'one-hot, or the size of an embedding from 1 to 4096',
  description: 'How the categories of the column are read: one-hot, or as trained vectors of this size.',
  examples: ['one-hot', 4],
});

export const categoricalParameter = Type.Unsafe<CategoricalSetting>({
  type: ['array', 'object', 'null'],
  items: { type: 'string', minLength: 1 },
  minItems: 1,
  uniqueItems: true,
  minProperties: 1,
  additionalProperties: form,
  phrase: 'a list of columns, or a mapping of each column to one-hot or to the size of its embedding',
  default: null,
  description:
    'Columns of categories, at each step or static. A list, or one-hot: an input for each category of the training part, which is 1 where a step has it. A number: the model learns a vector of that size for each category (an embedding). A category that the training part lacks is unknown: its one-hot inputs are all 0, and its vector is one of its own, zero at first, which it shares with missing values.',
  examples: [['weather'], { weather: 'one-hot', region: 4 }],
});

/** The columns of categories, in the order of the spec. */
export const categoricalColumns = (categorical: CategoricalSetting): readonly string[] =>
  isList(categorical) ? categorical : Object.keys(categorical ?? {});

/** The size of a column's embedding; undefined where it is one-hot. */
export const embeddingSizeOf = (categorical: CategoricalSetting, column: string): number | undefined => {
  if (categorical === null || isList(categorical) || !Object.hasOwn(categorical, column)) return undefined;
  const chosen = categorical[column];
  return typeof chosen === 'number' ? chosen : undefined;
};

/** Where a message puts a column of this setting. */
export const categoricalPath = (categorical: CategoricalSetting, column: string): string =>
  isList(categorical) ? `categorical.${categorical.indexOf(column)}` : `categorical.${column}`;

/** `Array.isArray` does not narrow a list that is read-only. */
const isList = (categorical: CategoricalSetting): categorical is readonly string[] =>
  Array.isArray(categorical);
