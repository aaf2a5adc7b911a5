import { Type, type Static } from '@sinclair/typebox';
import type { DatasetRow } from './dataset.ts';
import { checkStream, fromStream, streamProperties } from './text/stream-row.ts';
import { checkTokenizer, streamTokensParameter, tokenizerParameter } from './text/tokens.ts';

const parameters = Type.Object(
  { ...streamProperties('token'), tokens: streamTokensParameter, tokenizer: tokenizerParameter },
  { additionalProperties: false },
);

/** A language model of one long text. */
export const text = {
  title: 'The next word or character of your own text file',
  description:
    'The text is split into tokens and cut into sequences; at each token the target is the next one. Training, validation and test part follow one another in the text. The vocabulary has the tokens of the training part, and <unk> for all others.',
  version: 1,
  parameters,
  files: ['file', 'tokenizer'],
  digest: async (chosen, context) => {
    const { filesDigest, findDataFile } = await import('./files.ts');
    const { file, tokenizer } = chosen;
    return filesDigest([
      await findDataFile(file, context, 'file'),
      ...(tokenizer === null ? [] : [await findDataFile(tokenizer, context, 'tokenizer')]),
    ]);
  },
  check: (chosen) => [...checkStream(chosen), ...checkTokenizer(chosen)],
  ...fromStream<Static<typeof parameters>>(async (chosen, context) =>
    (await import('./text/token-stream.ts')).tokenStream(chosen, context),
  ),
} as const satisfies DatasetRow<typeof parameters>;
