import { Type } from '@sinclair/typebox';
import type { DatasetRow } from './dataset.ts';
import { fromColumnOfText } from './text/format.ts';
import { columnOfText } from './text/parameters.ts';

const parameters = Type.Object(columnOfText, { additionalProperties: false });

/** Texts from files of JSON lines. */
export const jsonlText = {
  title: 'Texts from your own JSON lines files',
  description:
    'One JSON object a line. The text is a string, which is split into tokens, or a list of tokens. The vocabulary has the tokens of the training part, and <unk> for all others. Bad rows are reported all at once, with file and line; none is skipped.',
  version: 1,
  parameters,
  ...fromColumnOfText<typeof parameters.static>({
    key: () => ['jsonl'],
    reader: async () => (await import('./table/read-jsonl.ts')).readJsonl,
  }),
} as const satisfies DatasetRow<typeof parameters>;
