import { wrongFile, type DataFile } from '../files.ts';
import type { RowSink, TableReader } from './rows.ts';
import { withoutTraces } from '../../system/without-traces.ts';
import { textOf } from './text.ts';
import { parseExactly } from '../../system/exact-json.ts';
import { isObject } from '../../system/json.ts';

/** Reads JSON lines: one object a line, UTF-8. The columns are the keys of the first object. Empty lines are passed over. */
export const readJsonl: TableReader = async (file, begin, problems) => {
  let sink: RowSink | undefined;
  let cells: unknown[] = [];
  let inherited: readonly boolean[] = [];
  let line = 0;
  for await (const text of linesOf(file)) {
    line++;
    if (text.trim() === '') continue;
    const row = problems.count() > mostParsed && !/^\s*\{/.test(text) ? notAnObject : parseObject(text);
    if (typeof row === 'string') {
      problems.report(line, row);
      continue;
    }
    if (!sink) {
      sink = begin(Object.keys(row));
      cells = new Array<unknown>(sink.columns.length);
      inherited = sink.columns.map((column) => column in Object.prototype);
    }
    for (let at = 0; at < cells.length; at++) {
      const column = sink.columns[at] as string;
      // A key such as "constructor" that a line lacks would be that of every object.
      cells[at] = inherited[at] === true && !Object.hasOwn(row, column) ? undefined : row[column];
    }
    sink.add(cells, line);
  }
  if (sink) sink.end();
  else if (problems.count() === 0) {
    throw wrongFile(file, 'has no rows.', {
      expected: 'one JSON object a line',
      help: 'Add rows, or name another file.',
    });
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
