import type { DataContext } from '../dataset.ts';
import type { TableFormat } from '../table/ensure-pack.ts';
import { settled, withTargetScaling } from '../table/parameters.ts';
import type { TableReader } from '../table/rows.ts';
import { fromText } from './from-text.ts';
import { asTable, checkTexts, type ColumnOfText } from './parameters.ts';
import { splitterOf } from './splitter.ts';
import { tokenizers } from './tokens.ts';

/** How the rows of a kind of file are read. */
interface FileFormat<P> {
  /** What decides how a file is read. */
  readonly key: (chosen: P) => readonly string[];
  readonly reader: (chosen: P) => Promise<TableReader>;
}

/** What the rows for a table with one text a row have in common: only how a file is read differs. */
export const fromColumnOfText = <P extends ColumnOfText>(file: FileFormat<P>) => ({
  check: checkTexts,
  configured: withTargetScaling<P>,
  ...fromText(asTable<P>, (chosen, context) => formatOf(chosen, { file, context })),
});

/** Raised whenever the same rows would make another pack. */
const textVersion = 2;

const formatOf = async <P extends ColumnOfText>(
  chosen: P,
  { file, context }: { readonly file: FileFormat<P>; readonly context: DataContext },
): Promise<TableFormat> => {
  const { text, tokenizer, tokens } = chosen;
  const { unit, lowercase, maxLength } = tokens;
  const [read, { textSink }, { name, tokenize }] = await Promise.all([
    file.reader(chosen),
    import('./sink.ts'),
    splitterOf({ tokenizer, unit }, tokenizers, context),
  ]);
  return {
    settings: settled(asTable(chosen)),
    read,
    layOut: (sequences, available) =>
      textSink(sequences, available, { text, tokenize, lowercase, maxLength }),
    key: [...file.key(chosen), 'text', textVersion, text, name, lowercase, maxLength],
  };
};
