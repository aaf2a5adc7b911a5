import type { DataContext } from '../dataset.ts';
import { fileDigest, findDataFile } from '../files.ts';
import type { TableFormat } from '../table/ensure-pack.ts';
import { settled, type TableParameters } from '../table/parameters.ts';
import type { TableReader } from '../table/rows.ts';
import { tokenizers, type Tokenize, type Unit } from './tokens.ts';

interface ChosenText extends TableParameters {
  readonly text: string;
  readonly tokenizer: string | null;
  readonly tokens: { readonly unit: Unit; readonly lowercase: boolean; readonly maxLength: number | null };
}

/** How a table with one text a row is read. `key` is what decides of the reader. */
export const formatOfTexts = async ({
  chosen,
  context,
  key,
  reader,
}: {
  readonly chosen: ChosenText;
  readonly context: DataContext;
  readonly key: readonly string[];
  readonly reader: () => Promise<TableReader>;
}): Promise<TableFormat> => {
  const { text, task, targets, tokenizer, tokens } = chosen;
  const [read, { textSink }] = await Promise.all([reader(), import('./sink.ts')]);
  const split =
    tokenizer === null ? tokens.unit : await fileDigest(await findDataFile(tokenizer, context, 'tokenizer'));
  const tokenize: Tokenize =
    tokenizer === null
      ? tokenizers[tokens.unit]
      : await (await import('./tokenizer-file.ts')).tokenizerIn(tokenizer, context);
  const { lowercase, maxLength } = tokens;
  return {
    settings: settled(chosen),
    read,
    layOut: (sequences, available) =>
      textSink(sequences, available, { text, tokenize, lowercase, maxLength }),
    key: [...key, 'text', text, task, targets, split, lowercase, maxLength],
  };
};
