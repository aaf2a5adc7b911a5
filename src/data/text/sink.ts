import { checkColumns } from '../table/columns.ts';
import { createLabels } from '../table/labels.ts';
import { isPerStep } from '../table/parameters.ts';
import { shown, textIn } from '../columns/cells.ts';
import type { RowSink } from '../table/rows.ts';
import {
  createNumberList,
  namedOf,
  onceColumns,
  onceParts,
  onceReader,
  targetColumn,
  type OnceColumn,
  type Roles,
  type SequenceContext,
} from '../table/sequence.ts';
import type { Tokenize } from './tokens.ts';

/** How a cell becomes the tokens of a sequence. */
export interface TextOptions {
  /** The column of the text. */
  readonly text: string;
  /** Splits a string; absent where every cell is a list of tokens. */
  readonly tokenize?: Tokenize;
  readonly lowercase: boolean;
  /** The tokens that are read of each text, at most; null: all. */
  readonly maxLength: number | null;
}

/**
 * One row a text. The cell of the text is a string, or (JSON) a list of tokens. Each step of the sequence has one number:
 * which of the file's tokens it is, in the order in which they first come.
 */
export const textSink = (
  context: SequenceContext,
  available: readonly string[],
  { text, tokenize, lowercase, maxLength }: TextOptions,
): RowSink => {
  const { settings, problems, writer, fileId } = context;
  const { targets, weight, splitBy: key } = settings;
  const roles: Roles = { features: [text], statics: [], targets, weight, key };
  checkColumns(context.name, available, { text: [text], targets, weight: [weight], splitBy: [key] });
  const known = context.tokens ?? createLabels(text, { name: context.name, most: Infinity });
  const values = createNumberList();
  const labels = isPerStep(settings) ? targetColumn(context, targets[0] as string) : undefined;
  const once = onceColumns(context, roles);
  const readOnce = onceReader(context, once, 'column');
  const firstOnce = labels ? 2 : 1;
  let row = 0;
  context.describe({ ...namedOf(context, roles, {}), tokens: [] });

  /** The tokens of a cell; nothing where it is reported. */
  const tokensIn = (cell: unknown, line: number): readonly string[] | undefined => {
    const cased = lowercase ? inLowerCase(cell) : cell;
    const tokens = Array.isArray(cased) ? cased.map(textIn) : (tokenize?.(textIn(cased)) ?? []);
    if (tokens.length > 0 && !tokens.includes('')) return tokens.slice(0, maxLength ?? Infinity);
    problems.report(line, `column ${JSON.stringify(text)}: ${shown(cell)} has no tokens`);
    return undefined;
  };

  /** A label for each token, from a list of the same length. */
  const labelsIn = (
    { column, read }: OnceColumn,
    cell: unknown,
    { tokens, line }: { readonly tokens: readonly string[]; readonly line: number },
  ): readonly number[] => {
    const found: readonly unknown[] = Array.isArray(cell) ? cell : [];
    if (Math.min(found.length, maxLength ?? Infinity) !== tokens.length)
      problems.report(
        line,
        `column ${JSON.stringify(column)}: ${shown(cell)} is not a list of ${tokens.length} labels`,
      );
    return found.slice(0, tokens.length).map((label) => {
      const target = read(label, line);
      if (target === undefined)
        problems.report(line, `column ${JSON.stringify(column)}: ${shown(label)} is no target`);
      return target ?? Number.NaN;
    });
  };

  return {
    columns: [text, ...(labels ? [labels.column] : []), ...once.map(({ column }) => column)],
    add: (cells, line) => {
      row++;
      const tokens = tokensIn(cells[0], line);
      if (!tokens) return;
      values.clear();
      for (const token of tokens) values.push(known.idOf(token));
      const given = readOnce(cells.slice(firstOnce), line);
      const found = labels && labelsIn(labels, cells[1], { tokens, line });
      if (problems.count() > 0) return;
      writer.add({
        ...onceParts(context, roles, { values: given, key: undefined }),
        values: values.numbers(),
        ...(found && { targets: found }),
        name: fileId === undefined ? undefined : `${fileId}/${row}`,
      });
    },
    end: () => context.describe({ ...namedOf(context, roles, {}), tokens: known.texts() }),
  };
};

const inLowerCase = (cell: unknown): unknown =>
  Array.isArray(cell) ? cell.map(inLowerCase) : typeof cell === 'string' ? cell.toLowerCase() : cell;
