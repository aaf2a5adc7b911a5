import { setImmediate } from 'node:timers/promises';
import { wrongFile, type DataFile } from '../files.ts';
import { openParquet } from '../parquet/parquet-file.ts';
import type { TableReader } from './rows.ts';

/** At most this many rows are made of a row group at once. */
const rowsAtOnce = 1 << 18;

/** Reads a Parquet file, one row group after the other, and only the columns that are wanted. Rows are counted from 1. */
export const readParquet: TableReader = async (file, begin) => {
  const parquet = orWrong(file, () => openParquet(file.path));
  try {
    const sink = begin(parquet.columns);
    const there = new Set(parquet.columns);
    const allRows = parquet.groups.reduce((sum, count) => sum + count, 0);
    const cells = new Array<unknown>(sink.columns.length);
    let before = 0;
    for (const [group, count] of parquet.groups.entries()) {
      for (let from = 0; from < count; from += rowsAtOnce) {
        const to = Math.min(count, from + rowsAtOnce);
        const columns: (ArrayLike<unknown> | undefined)[] = [];
        for (const name of sink.columns)
          columns.push(
            there.has(name) ? orWrong(file, () => parquet.cells(name, group, { from, to })) : undefined,
          );
        for (let row = 0; row < to - from; row++) {
          for (let at = 0; at < cells.length; at++) cells[at] = plain(columns[at]?.[row]);
          sink.add(cells, before + from + row + 1);
        }
        // Reading holds up the process otherwise, and Ctrl-C with it.
        await setImmediate();
        file.reading?.({
          activity: 'packing',
          name: file.name,
          readBytes: Math.round((file.size * (before + to)) / allRows),
          totalBytes: file.size,
        });
      }
      before += count;
    }
    sink.end();
  } finally {
    parquet.close();
  }
};

/** Lists may be typed arrays. */
const plain = (cell: unknown): unknown =>
  ArrayBuffer.isView(cell) && !(cell instanceof DataView)
    ? [...(cell as ArrayBufferView & Iterable<unknown>)]
    : cell;

const orWrong = <T>(file: DataFile, work: () => T): T => {
  try {
    return work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw wrongFile(file, `cannot be read as Parquet: ${reason}.`, {
      expected: 'a Parquet file',
      help: 'Write it again, or name another file.',
    });
  }
};
