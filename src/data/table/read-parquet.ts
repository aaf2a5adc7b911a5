import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { wrongFile, type DataFile } from '../files.ts';
import type { RowSink, TableReader } from './rows.ts';

/** At most so many rows are made of a row group at once. */
const rowsAtOnce = 1 << 18;

/** Reads a Parquet file, one row group after the other, and only the columns that are wanted. Rows are counted from 1. */
export const readParquet: TableReader = async (file, begin) => {
  const buffer = await orWrong(file, asyncBufferFromFile(file.path));
  const metadata = await orWrong(file, parquetMetadataAsync(buffer));
  const names = parquetSchema(metadata).children.map(({ element }) => element.name);
  const sink = begin(names);
  const there = new Set(names);
  const columns = [...new Set(sink.columns.filter((column) => there.has(column)))];
  let groupStart = 0;
  for (const { num_rows: count } of metadata.row_groups) {
    const groupEnd = groupStart + Number(count);
    for (let rowStart = groupStart; rowStart < groupEnd; rowStart += rowsAtOnce) {
      const rowEnd = Math.min(groupEnd, rowStart + rowsAtOnce);
      const rows = await orWrong(
        file,
        parquetReadObjects({ file: buffer, metadata, columns, rowStart, rowEnd, compressors }),
      );
      addRows(rows, { sink, rowStart });
      file.reading?.({
        activity: 'packing',
        name: file.name,
        readBytes: Math.round((file.size * rowEnd) / Number(metadata.num_rows)),
        totalBytes: file.size,
      });
    }
    groupStart = groupEnd;
  }
  sink.end();
};

const addRows = (
  rows: readonly Readonly<Record<string, unknown>>[],
  { sink, rowStart }: { readonly sink: RowSink; readonly rowStart: number },
): void => {
  const cells = new Array<unknown>(sink.columns.length);
  rows.forEach((row, at) => {
    for (let column = 0; column < cells.length; column++)
      cells[column] = plain(row[sink.columns[column] as string]);
    sink.add(cells, rowStart + at + 1);
  });
};

/** Lists may be typed arrays. */
const plain = (cell: unknown): unknown =>
  ArrayBuffer.isView(cell) && !(cell instanceof DataView)
    ? Array.from(cell as unknown as ArrayLike<unknown>)
    : cell;

const orWrong = async <T>(file: DataFile, work: Promise<T>): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw wrongFile(file, `cannot be read as Parquet: ${reason}.`, {
      expected: 'a Parquet file',
      help: 'Write it again, or name another file.',
    });
  }
};
