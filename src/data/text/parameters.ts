import { Type, type Static, type TObject } from '@sinclair/typebox';
import type { ParameterIssue } from '../../parameters/row.ts';
import { choice, withOptions } from '../../parameters/schema.ts';
import { checkTable } from '../table/check-table.ts';
import { tableParameters } from '../table/parameters.ts';
import { checkTokenizer, tokenizerParameter, tokensParameter } from './tokens.ts';

const { file, validationFile, testFile, validationFraction, testFraction, splitSeed, folds, fold } =
  tableParameters;
const { targets, weight, split, splitBy, standardizeTargets, labelSeparator } = tableParameters;

/** The files of a dataset of texts, and how they are cut into parts. */
export const fileParameters = {
  file,
  validationFile,
  testFile,
  validationFraction,
  testFraction,
  splitSeed,
  folds,
  fold,
};

/** The columns of a table of texts. */
const columnParameters = {
  task: choice(['classification', 'regression', 'multi-label'], {
    default: 'classification',
    description:
      'What is predicted from each text: its class (classification), numbers (regression), or any number of labels (multi-label).',
  }),
  text: Type.String({
    minLength: 1,
    default: 'text',
    description: 'The column of the text.',
    examples: ['text'],
  }),
  targets: Type.Array(targets.items, {
    ...targets,
    default: ['label'],
  }),
  labelSeparator: withOptions(labelSeparator, {
    description: 'multi-label with one column of labels: what separates the labels of a text.',
  }),
  standardizeTargets,
  weight: withOptions(weight, {
    description: 'The column with the weight of a text in the loss and the metrics of its part.',
  }),
  split,
  splitBy: withOptions(splitBy, {
    description:
      'The column that split uses: of the group (grouped), of a time (chronological; null: the order of the file), or of the part (column).',
    examples: ['author'],
  }),
};

/** What the table machinery needs to know of a dataset that has one text a row. */
export const asTable = <P extends { readonly text: string }>(chosen: P) => ({
  ...chosen,
  features: [chosen.text],
  layout: 'wide' as const,
  sequence: null,
  order: null,
  standardize: false,
});

/** The parameters of every table with one text a row. */
export const columnOfText = {
  ...fileParameters,
  ...columnParameters,
  tokens: tokensParameter,
  tokenizer: tokenizerParameter,
};

export type ColumnOfText = Static<TObject<typeof columnOfText>>;

/** Combinations that make no sense, whatever the files hold. */
export const checkTexts = (chosen: ColumnOfText): readonly ParameterIssue[] => [
  ...checkColumns(chosen),
  ...checkTokenizer(chosen),
];

/** Where the column of the text is named once more, and what it would be there. */
const otherUses = { targets: 'a target', weight: 'the weight', splitBy: 'what the split uses' } as const;

const checkColumns = (chosen: ColumnOfText): readonly ParameterIssue[] => {
  const twice = (['targets', 'weight', 'splitBy'] as const).filter((path) =>
    [chosen[path] ?? []].flat().includes(chosen.text),
  );
  return twice.length === 0
    ? checkTable(asTable(chosen))
    : twice.map((path) => ({
        path,
        with: ['text'],
        message: `The column ${JSON.stringify(chosen.text)} cannot be the text and ${otherUses[path]}.`,
        expected: 'another column than that of the text',
        help: `Name another column in \`${path}\`, or the column of the text in \`text\`.`,
      }));
};

/** The columns of the table that a file of tokens is read as: one row a sentence, its tokens, their labels, and its document. */
export const conllColumns = { text: 'token', label: 'label', document: '-DOCSTART-' } as const;
