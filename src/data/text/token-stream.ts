import type { DataContext } from '../dataset.ts';
import type { DataFile } from '../files.ts';
import { textOf } from '../table/text.ts';
import { splitterOf } from './splitter.ts';
import type { StreamFormat, StreamParameters } from './stream.ts';
import { streamTokenizers, type Tokenize, type Unit, type VocabularyRules } from './tokens.ts';
import { indicesIn, unknownToken, vocabularyOf } from './vocabulary.ts';

/** Raised whenever the same text would make other tokens. */
const tokensVersion = 1;

export interface TokenStreamParameters extends StreamParameters {
  readonly tokenizer: string | null;
  readonly tokens: VocabularyRules & { readonly unit: Unit; readonly lowercase: boolean };
}

const unitNames: Readonly<Record<Unit, string>> = { words: 'word', characters: 'character', bytes: 'byte' };

/** Splits a file into tokens; the vocabulary has those of the training part. */
export const tokenStream = async (
  chosen: TokenStreamParameters,
  context: DataContext,
): Promise<StreamFormat> => {
  const { tokenizer, tokens } = chosen;
  const { unit, lowercase } = tokens;
  const { name, tokenize } = await splitterOf({ tokenizer, unit }, streamTokenizers, context);
  return {
    chosen,
    key: ['tokens', tokensVersion, name, lowercase],
    split: (file) => tokensOf(file, (text) => tokenize(lowercase ? text.toLowerCase() : text)),
    unit: tokenizer === null ? unitNames[unit] : 'token',
    vocabularyOf: (texts, counts) => vocabularyOf(texts, counts(), tokens),
    indicesIn,
    unknown: unknownToken,
  };
};

/** A line longer than this is cut between two tokens that may belong together. */
const longestLine = 1 << 20;

/** No token reaches over the end of a line, so that the text can be split in pieces of whole lines. */
const tokensOf = async function* (file: DataFile, tokenize: Tokenize): AsyncGenerator<readonly string[]> {
  let rest = '';
  for await (const chunk of textOf(file)) {
    const text = rest + chunk;
    const end = text.lastIndexOf('\n') + 1;
    rest = text.slice(end);
    if (end > 0) yield tokenize(text.slice(0, end));
    if (rest.length > longestLine) {
      yield tokenize(rest);
      rest = '';
    }
  }
  if (rest !== '') yield tokenize(rest);
};
