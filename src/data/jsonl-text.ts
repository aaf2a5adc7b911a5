import { Type, type Static } from '@sinclair/typebox';
import type { DatasetRow } from './dataset.ts';
import { formatOfTexts } from './text/format.ts';
import { fromText } from './text/from-text.ts';
import { asTable, checkTexts, columnParameters, fileParameters } from './text/parameters.ts';
import { checkTokenizer, tokenizerParameter, tokensParameter } from './text/tokens.ts';

const parameters = Type.Object(
  { ...fileParameters, ...columnParameters, tokens: tokensParameter, tokenizer: tokenizerParameter },
  { additionalProperties: false },
);

type Parameters = Static<typeof parameters>;

/** Texts from files of JSON lines. */
export const jsonlText = {
  title: 'Texts from your own JSON lines files',
  description:
    'One JSON object a line, with a text: a string, which is split into tokens, or a list of tokens. The vocabulary has the tokens of the training part, and <unk> for all others. Bad rows are reported all at once, with file and line; none is skipped.',
  version: 1,
  parameters,
  check: (chosen) => [...checkTexts(chosen), ...checkTokenizer(chosen)],
  ...fromText(asTable<Parameters>, (chosen, context) =>
    formatOfTexts({
      chosen: asTable(chosen),
      context,
      key: ['jsonl'],
      reader: async () => (await import('./table/read-jsonl.ts')).readJsonl,
    }),
  ),
} as const satisfies DatasetRow<typeof parameters>;
