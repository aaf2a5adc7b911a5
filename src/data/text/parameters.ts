import { Type, type Static, type TObject } from '@sinclair/typebox';
import type { ParameterIssue } from '../../parameters/row.ts';
import { choice } from '../../parameters/schema.ts';
import { checkTable } from '../table/check-table.ts';
import { tableParameters } from '../table/parameters.ts';
import { checkTokenizer, tokenizerParameter, tokensParameter } from './tokens.ts';

const { file, validationFile, testFile, validationFraction, testFraction, splitSeed, targets } =
  tableParameters;

/** The files of a dataset of texts, and how they are cut into parts. */
export const fileParameters = {
  file,
  validationFile,
  testFile,
  validationFraction,
  testFraction,
  splitSeed,
};

/** The columns of a table of texts. */
const columnParameters = {
  task: choice(['classification', 'regression'], {
    default: 'classification',
    description: 'What is predicted from each text: its class (classification) or numbers (regression).',
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

const checkColumns = (chosen: ColumnOfText): readonly ParameterIssue[] =>
  chosen.targets.includes(chosen.text)
    ? [
        {
          path: 'targets',
          with: ['text'],
          message: `The column ${JSON.stringify(chosen.text)} cannot be the text and a target.`,
          expected: 'another column than that of the text',
          help: 'Name another column in `targets`, or the column of the text in `text`.',
        },
      ]
    : checkTable(asTable(chosen));
