import { Type, type Static } from '@sinclair/typebox';
import { csvDelimiter } from './csv-sequences.ts';
import type { DatasetRow } from './dataset.ts';
import { formatOfTexts } from './text/format.ts';
import { fromText } from './text/from-text.ts';
import { asTable, checkTexts, columnParameters, fileParameters } from './text/parameters.ts';
import { checkTokenizer, tokenizerParameter, tokensParameter } from './text/tokens.ts';

const parameters = Type.Object(
  {
    ...fileParameters,
    ...columnParameters,
    tokens: tokensParameter,
    tokenizer: tokenizerParameter,
    delimiter: csvDelimiter,
  },
  { additionalProperties: false },
);

type Parameters = Static<typeof parameters>;

/** Texts from CSV files. */
export const csvText = {
  title: 'Texts from your own CSV files',
  description:
    'CSV with a header row and one text a row. Texts are split into tokens; the vocabulary has the tokens of the training part, and <unk> for all others. Bad rows are reported all at once, with file and line; none is skipped.',
  version: 1,
  parameters,
  check: (chosen) => [...checkTexts(chosen), ...checkTokenizer(chosen)],
  ...fromText(asTable<Parameters>, (chosen, context) =>
    formatOfTexts({
      chosen: asTable(chosen),
      context,
      key: ['csv', chosen.delimiter],
      reader: async () => (await import('./table/read-csv.ts')).csvReader(chosen.delimiter),
    }),
  ),
} as const satisfies DatasetRow<typeof parameters>;
