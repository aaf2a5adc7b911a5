import { linesOf } from '../table/read-jsonl.ts';
import type { TableReader } from '../table/rows.ts';
import { conllColumns } from './parameters.ts';

/** What is read of a line of tokens; columns are counted from 1, `label` null is the last one. */
export interface ConllColumns {
  readonly token: number;
  readonly label: number | null;
}

/** Longer ones are files of another kind. */
const longestLine = 100_000;
const longestSentence = 1_000_000;

/**
 * Reads sentences in the form of the CoNLL shared tasks (Tjong Kim Sang and De Meulder 2003): a token and its labels on
 * each line, split by spaces or tabs, and a blank line between sentences. Comments (`# ` at the start of a sentence, as in
 * CoNLL-U) are passed over. `-DOCSTART-` and `# newdoc` start a document; documents are counted.
 */
export const conllReader =
  ({ token, label }: ConllColumns): TableReader =>
  async (file, begin, problems) => {
    const columns = Object.values(conllColumns);
    const sink = begin(columns);
    const places = sink.columns.map((name) => columns.findIndex((column) => column === name));
    // Predictions need none.
    const wantsLabels = places.includes(columns.indexOf(conllColumns.label));
    let tokens: string[] = [];
    let labels: string[] = [];
    let [line, firstLine, document] = [0, 0, 0];
    const endSentence = () => {
      const cells = [tokens, labels, document];
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
      const isComment = tokens.length === 0 && /^#(\s|$)/.test(row);
      const startsDocument = row.startsWith('-DOCSTART-') || (isComment && /^#\s*newdoc\b/.test(row));
      if (startsDocument) document++;
      if (startsDocument || isComment) continue;
      if (row.length > longestLine || tokens.length === longestSentence) {
        const what = row.length > longestLine ? 'characters in a line' : 'tokens without a blank line';
        const most = row.length > longestLine ? longestLine : longestSentence;
        problems.report(line, `more than ${most} ${what}`);
        continue;
      }
      const words = row.split(/\s+/);
      const found = [words[token - 1], words[(label ?? words.length) - 1]];
      const needed = wantsLabels ? Math.max(2, token, label ?? 0) : token;
      if (words.length < needed) {
        problems.report(
          line,
          `${words.length} ${words.length === 1 ? 'column' : 'columns'} where at least ${needed} are needed`,
        );
        continue;
      }
      if (tokens.length === 0) firstLine = line;
      tokens.push(found[0] as string);
      labels.push(found[1] ?? '');
    }
    endSentence();
    sink.end();
  };
