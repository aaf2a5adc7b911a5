import * as tokenizers from '@huggingface/tokenizers';
import { readRegularText } from '../../system/files.ts';
import { withinTime } from '../../system/within-time.ts';
import type { DataContext } from '../dataset.ts';
import { findDataFile, wrongFile } from '../files.ts';
import type { Tokenize } from './tokens.ts';

// Its own types are written for bundlers, and Node's module rules do not find them.
const { Tokenizer } = tokenizers as {
  readonly Tokenizer: new (tokenizer: object, settings: object) => { readonly tokenize: Tokenize };
};

/** The library prints parts of the file as they are, which could drive a terminal. */
/* eslint-disable no-console -- it is kept from printing */
const withoutWarnings = <T>(work: () => T): T => {
  const { warn } = console;
  console.warn = () => undefined;
  try {
    return work();
  } finally {
    console.warn = warn;
  }
};
/* eslint-enable no-console */

/** In a pattern: what alone takes exponential time. The patterns of known models have none. */
const quantifiedGroup = /\)[*+{]/;

/** From here on the check of the time costs less than the splitting. */
const longText = 2000;

/** How many times longer normalizers may make the input; those of known models keep its length. */
const mostGrowth = 64;

/** Keys of inserted strings: in the worst case, each multiplies the length of the input by its own. */
const insertions = new Set([
  ...['content', 'replacement', 'prepend', 'prefix', 'suffix'],
  ...['continuing_subword_prefix', 'end_of_word_suffix'],
]);

/** Throws where what is put into texts can make them so long that they fill the memory. */
const checkGrowth = (tokenizer: Readonly<Record<string, unknown>>): void => {
  let growth = 1;
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (insertions.has(key) && typeof inner === 'string') growth *= Math.max(1, inner.length);
      else if (key !== 'vocab' && key !== 'merges') visit(inner);
    }
  };
  for (const part of ['normalizer', 'pre_tokenizer', 'model']) visit(tokenizer[part]);
  if (growth > mostGrowth) throw new Error(`it can make a text more than ${mostGrowth} times as long`);
};

/** The splitting of a `tokenizer.json` of Hugging Face. Throws `DataError` where the file is no such tokenizer. */
export const tokenizerIn = async (name: string, context: DataContext): Promise<Tokenize> => {
  const file = await findDataFile(name, context, 'tokenizer');
  try {
    const written = readRegularText(file.path);
    const content = JSON.parse(written) as Readonly<Record<string, unknown>>;
    checkGrowth(content);
    const tokenizer = withoutWarnings(() => new Tokenizer(content, {}));
    tokenizer.tokenize('a');
    const mayBacktrack = quantifiedGroup.test(written);
    return (text) => {
      if (!mayBacktrack && text.length < longText) return tokenizer.tokenize(text);
      const done = withinTime(1000 + text.length / 100, () => tokenizer.tokenize(text));
      if (done) return done.value;
      throw wrongFile(file, `takes too long to split a text of ${text.length} characters.`, {
        expected: 'a tokenizer whose patterns do not backtrack for ever',
        help: 'A pattern such as (a+)+ tries every way to cut a text: write a+ in its place, or choose `tokens.unit` instead of `tokenizer`.',
      });
    };
  } catch (error) {
    throw wrongFile(file, `is not a tokenizer that can be read: ${(error as Error).message}.`, {
      expected: 'a tokenizer.json of Hugging Face',
      help: 'Name the tokenizer.json of a model, or leave out `tokenizer` and choose `tokens.unit`.',
    });
  }
};
