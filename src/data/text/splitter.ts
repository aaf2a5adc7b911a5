import type { DataContext } from '../dataset.ts';
import { fileDigest, findDataFile } from '../files.ts';
import type { Tokenize, Unit } from './tokens.ts';

/** What splits text, and what names it in the key of a pack: a unit, or the digest of a tokenizer's file. */
interface Splitter {
  readonly name: string;
  readonly tokenize: Tokenize;
}

/** The splitter that a spec asks for: that of a unit, unless it names a tokenizer. Throws `DataError` if that cannot be read. */
export const splitterOf = async (
  { tokenizer, unit }: { readonly tokenizer: string | null; readonly unit: Unit },
  byUnit: Readonly<Record<Unit, Tokenize>>,
  context: DataContext,
): Promise<Splitter> => {
  if (tokenizer === null) return { name: unit, tokenize: byUnit[unit] };
  const { tokenizerIn } = await import('./tokenizer-file.ts');
  return {
    name: await fileDigest(await findDataFile(tokenizer, context, 'tokenizer')),
    tokenize: await tokenizerIn(tokenizer, context),
  };
};
