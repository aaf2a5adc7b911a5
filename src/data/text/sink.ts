import { checkColumns } from '../table/columns.ts';
import { createLabels } from '../table/labels.ts';
import { shown, textIn } from '../columns/cells.ts';
import type { RowSink } from '../table/rows.ts';
import { createNumberList, targetColumn, type SequenceContext } from '../table/sequence.ts';
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
  const { settings, problems, writer } = context;
  const { targets, task } = settings;
  checkColumns(context.name, available, { text: [text], targets });
  const known = createLabels(text, { name: context.name, most: Infinity });
  const values = createNumberList();
  const readers = new Map(targets.map((column) => [column, targetColumn(context, column)]));

  /** The tokens of a cell; nothing where it is reported. */
  const tokensIn = (cell: unknown, line: number): readonly string[] | undefined => {
    const cased = lowercase ? inLowerCase(cell) : cell;
    const tokens = Array.isArray(cased) ? cased.map(textIn) : (tokenize?.(textIn(cased)) ?? []);
    if (tokens.length > 0 && !tokens.includes('')) return tokens.slice(0, maxLength ?? Infinity);
    problems.report(line, `column ${JSON.stringify(text)}: ${shown(cell)} has no tokens`);
    return undefined;
  };

  /** One label a token, as a list of the same length. */
  const labelsIn = (cell: unknown, tokens: readonly string[], line: number): readonly unknown[] => {
    const labels: readonly unknown[] = Array.isArray(cell) ? cell : [];
    const same = Math.min(labels.length, maxLength ?? Infinity) === tokens.length;
    if (!same)
      problems.report(
        line,
        `column ${JSON.stringify(targets[0])}: ${shown(cell)} is not a list of ${tokens.length} labels`,
      );
    return labels.slice(0, tokens.length);
  };

  const targetsIn = (cells: readonly unknown[], tokens: readonly string[], line: number): number[] => {
    const found = task === 'labelling' ? labelsIn(cells[1], tokens, line) : cells.slice(1);
    return found.map((cell, at) => {
      const column = targets[task === 'labelling' ? 0 : at] as string;
      const target = readers.get(column)?.read(cell, line);
      if (target === undefined && textIn(cell) === '')
        problems.report(line, `column ${JSON.stringify(column)}: ${shown(cell)} is no target`);
      return target ?? Number.NaN;
    });
  };

  return {
    columns: [text, ...targets],
    add: (cells, line) => {
      const tokens = tokensIn(cells[0], line);
      if (!tokens) return;
      values.clear();
      for (const token of tokens) values.push(known.idOf(token));
      const found = targetsIn(cells, tokens, line);
      if (problems.count() > 0) return;
      writer.add({
        ...{ values: values.numbers(), targets: found },
        ...{ statics: [], weight: undefined, key: undefined, name: undefined },
      });
    },
    end: () =>
      context.describe({
        ...{ features: [text], statics: [], tokens: known.texts(), key: null },
        targets:
          task === 'labelling' ? { count: 1, each: 'step' } : { count: targets.length, each: 'sequence' },
      }),
  };
};

const inLowerCase = (cell: unknown): unknown =>
  Array.isArray(cell) ? cell.map(inLowerCase) : typeof cell === 'string' ? cell.toLowerCase() : cell;
