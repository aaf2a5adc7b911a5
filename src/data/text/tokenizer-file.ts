import * as tokenizers from '@huggingface/tokenizers';
import { readRegularText } from '../../system/files.ts';
import type { DataContext } from '../dataset.ts';
import { findDataFile, wrongFile } from '../files.ts';
import type { Tokenize } from './tokens.ts';

// Its own types are written for bundlers, and Node's module rules do not find them.
const { Tokenizer } = tokenizers as {
  readonly Tokenizer: new (tokenizer: object, settings: object) => { readonly tokenize: Tokenize };
};

/** The splitting of a `tokenizer.json` of Hugging Face. Throws `DataError` where the file is no such tokenizer. */
export const tokenizerIn = async (name: string, context: DataContext): Promise<Tokenize> => {
  const file = await findDataFile(name, context, 'tokenizer');
  try {
    const tokenizer = new Tokenizer(JSON.parse(readRegularText(file.path)) as object, {});
    tokenizer.tokenize('a');
    return (text) => tokenizer.tokenize(text);
  } catch (error) {
    throw wrongFile(file, `is not a tokenizer that can be read: ${(error as Error).message}.`, {
      expected: 'a tokenizer.json of Hugging Face',
      help: 'Name the tokenizer.json of a model, or leave out `tokenizer` and choose `tokens.unit`.',
    });
  }
};
