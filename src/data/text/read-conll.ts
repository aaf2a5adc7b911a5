import { linesOf } from '../table/read-jsonl.ts';
import type { TableReader } from '../table/rows.ts';

/** What is read of a line of tokens; columns are counted from 1, `label` null is the last one. */
export interface ConllColumns {
  readonly token: number;
  readonly label: number | null;
}

/** The columns of the table that a file of tokens is read as: one row a sentence, its tokens and their labels. */
export const conllColumns = { text: 'token', label: 'label' } as const;

/**
 * Reads sentences in the form of the CoNLL shared tasks (Tjong Kim Sang and De Meulder 2003): a token and its labels on
 * each line, split by spaces or tabs, and a blank line between sentences. Comments (`# ` at the start of a sentence, as in
 * CoNLL-U) and `-DOCSTART-` lines are passed over.
 */
export const conllReader =
  ({ token, label }: ConllColumns): TableReader =>
  async (file, begin, problems) => {
    const sink = begin([conllColumns.text, conllColumns.label]);
    const places = sink.columns.map((name) => (name === conllColumns.text ? 0 : 1));
    let tokens: string[] = [];
    let labels: string[] = [];
    let [line, firstLine] = [0, 0];
    const endSentence = () => {
      const cells = [tokens, labels];
      if (tokens.length > 0)
        sink.add(
          places.map((place) => cells[place]),
          firstLine,
        );
      [tokens, labels] = [[], []];
    };
    for await (const text of linesOf(file)) {
      line++;
      const row = text.trim();
      if (row === '') {
        endSentence();
        continue;
      }
      if (row.startsWith('-DOCSTART-') || (tokens.length === 0 && /^#(\s|$)/.test(row))) continue;
      const columns = row.split(/\s+/);
      const found = [columns[token - 1], columns[(label ?? columns.length) - 1]];
      if (found.includes(undefined) || columns.length < 2) {
        const needed = Math.max(2, token, label ?? 0);
        problems.report(
          line,
          `${columns.length} ${columns.length === 1 ? 'column' : 'columns'} where at least ${needed} are needed`,
        );
        continue;
      }
      if (tokens.length === 0) firstLine = line;
      tokens.push(found[0] as string);
      labels.push(found[1] as string);
    }
    endSentence();
    sink.end();
  };
