import { Type } from '@sinclair/typebox';
import { csvDelimiter } from './csv-sequences.ts';
import type { DatasetRow } from './dataset.ts';
import { fromColumnOfText } from './text/format.ts';
import { columnOfText } from './text/parameters.ts';

const parameters = Type.Object({ ...columnOfText, delimiter: csvDelimiter }, { additionalProperties: false });

/** Texts from CSV files. */
export const csvText = {
  title: 'Texts from your own CSV files',
  description:
    'CSV with a header row and one text a row. Texts are split into tokens; the vocabulary has the tokens of the training part, and <unk> for all others. Bad rows are reported all at once, with file and line; none is skipped.',
  version: 1,
  parameters,
  ...fromColumnOfText<typeof parameters.static>({
    key: ({ delimiter }) => ['csv', delimiter],
    reader: async ({ delimiter }) => (await import('./table/read-csv.ts')).csvReader(delimiter),
  }),
} as const satisfies DatasetRow<typeof parameters>;
