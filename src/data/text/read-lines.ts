import { linesOf } from '../table/read-jsonl.ts';
import type { TableReader } from '../table/rows.ts';

/** Reads a file with one text a line, as a table with the texts in a column. Empty lines are passed over. */
export const lineReader =
  (column: string): TableReader =>
  async (file, begin) => {
    const sink = begin([column]);
    const places = sink.columns.map((name) => name === column);
    let line = 0;
    for await (const text of linesOf(file)) {
      line++;
      if (text.trim() === '') continue;
      sink.add(
        places.map((isText) => (isText ? text : undefined)),
        line,
      );
    }
    sink.end();
  };
