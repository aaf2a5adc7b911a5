import { DataError } from '../dataset.ts';
import { wrongFile, type DataFile } from '../files.ts';
import type { RowSink, TableReader } from './rows.ts';
import { withoutTraces } from '../../system/without-traces.ts';
import { textOf } from './text.ts';
import { parseExactly } from '../../system/exact-json.ts';
import { isObject } from '../../system/json.ts';

/** A row of a file before its columns are known. */
interface Row {
  readonly row: Readonly<Record<string, unknown>>;
  readonly line: number;
}

/** As much of a file is read to find a column that its first object lacks. */
const mostHeld = { rows: 1000, characters: 16 << 20 } as const;

/**
 * Reads JSON lines: one object a line, UTF-8. The columns are the keys of the first object; where it lacks one that is needed,
 * those of the first objects together. Empty lines are passed over.
 */
export const readJsonl: TableReader = async (file, begin, problems) => {
  let sink: RowSink | undefined;
  let cells: unknown[] = [];
  let inherited: readonly boolean[] = [];
  const held: Row[] = [];
  let heldCharacters = 0;

  const add = (to: RowSink, { row, line }: Row) => {
    for (let at = 0; at < cells.length; at++) {
      const column = to.columns[at] as string;
      // A key such as "constructor" that a line lacks would be that of every object.
      cells[at] = inherited[at] === true && !Object.hasOwn(row, column) ? undefined : row[column];
    }
    to.add(cells, line);
  };
  const started = (begun: RowSink): RowSink => {
    cells = new Array<unknown>(begun.columns.length);
    inherited = begun.columns.map((column) => column in Object.prototype);
    for (const one of held.splice(0)) add(begun, one);
    return begun;
  };
  const beginWithAll = () => started(begin([...new Set(held.flatMap(({ row }) => Object.keys(row)))]));

  let line = 0;
  for await (const text of linesOf(file)) {
    line++;
    if (text.trim() === '') continue;
    const row = problems.count() > mostParsed && !/^\s*\{/.test(text) ? notAnObject : parseObject(text);
    if (typeof row === 'string') {
      problems.report(line, row);
      continue;
    }
    if (sink) {
      add(sink, { row, line });
      continue;
    }
    held.push({ row, line });
    heldCharacters += text.length;
    if (held.length === 1) {
      const begun = whereFitting(() => begin(Object.keys(row)));
      sink = begun && started(begun);
    } else if (held.length === mostHeld.rows || heldCharacters > mostHeld.characters) sink = beginWithAll();
  }
  if (!sink && held.length > 0) sink = beginWithAll();
  if (sink) sink.end();
  else if (problems.count() === 0) {
    throw wrongFile(file, 'has no rows.', {
      expected: 'one JSON object a line',
      help: 'Add rows, or name another file.',
    });
  }
};

/** What an action returns; undefined where it refuses the columns. */
const whereFitting = (action: () => RowSink): RowSink | undefined => {
  try {
    return action();
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
};

/** After this many bad lines, those that cannot be an object are only counted: an error of the parser costs much. */
const mostParsed = 1000;

const notAnObject = 'not a JSON object';

/** The object, or what is wrong with the line. */
const parseObject = (text: string): Readonly<Record<string, unknown>> | string => {
  try {
    const value = withoutTraces(() => parseExactly(text));
    return isObject(value) ? value : notAnObject;
  } catch (error) {
    return `not valid JSON: ${(error as Error).message}`;
  }
};

/** `node:readline` would also break lines at U+2028, which JSON allows inside a string. */
export const linesOf = async function* (file: DataFile): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of textOf(file)) {
    const [begin = '', ...lines] = chunk.split('\n');
    rest += begin;
    for (const line of lines) {
      yield rest;
      rest = line;
    }
  }
  if (rest !== '') yield rest;
};
