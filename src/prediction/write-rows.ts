import { closeSync, rmSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { columnType, type Cell } from '../training/predicted-row.ts';
import { csvField } from '../system/csv-field.ts';
import { openToWrite, writeFully } from '../system/files.ts';
import { ignoringSystemErrors, named, onFile } from '../system/system-error.ts';
import type { OutputFormat } from './formats.ts';
import type { PredictedCells } from './rows.ts';

/** Writes rows of predictions as they come. */
export interface RowOutput {
  readonly add: (row: PredictedCells) => void;
  /** Writes what is left, once all rows are there. */
  readonly finish: () => Promise<void>;
  /** Removes the incomplete file. */
  readonly abandon: () => void;
}

/** This many rows are kept in memory before they are written. */
const rowsAtOnce = 5000;

/** Rows as text, handed on in pieces. */
export const textRows = (format: 'csv' | 'jsonl', write: (text: string) => void): RowOutput => {
  let text = '';
  let kept = 0;
  let isFirst = true;
  const flush = () => {
    if (text !== '') write(text);
    text = '';
    kept = 0;
  };
  const line = (row: PredictedCells) => (format === 'csv' ? csvRow(row) : `${jsonRow(row)}\n`);
  return {
    add: (row) => {
      if (isFirst && format === 'csv') text += `${[...row.keys()].map(csvField).join(',')}\r\n`;
      isFirst = false;
      text += line(row);
      if (++kept >= rowsAtOnce) flush();
    },
    finish: () => {
      flush();
      return Promise.resolve();
    },
    abandon: () => undefined,
  };
};

/** A row as a JSON object. */
export const jsonRow = (row: PredictedCells): string =>
  JSON.stringify(Object.fromEntries([...row].map(([name, cell]) => [name, jsonCell(cell)])));

const csvRow = (row: PredictedCells): string => {
  let line = '';
  let separator = '';
  for (const cell of row.values()) {
    line += separator + csvCell(cell);
    separator = ',';
  }
  return `${line}\r\n`;
};

const csvCell = (cell: Cell): string => (typeof cell === 'string' ? csvField(cell) : String(cell));

const jsonCell = (cell: Cell): Cell | null =>
  typeof cell === 'number' && !Number.isFinite(cell) ? null : cell;

/** Rows in a file, which is there once all of them are. */
export const fileRows = async (path: string, format: OutputFormat): Promise<RowOutput> => {
  const beside = `${path}.${process.pid}.tmp`;
  const rows = format === 'parquet' ? await parquetRows(beside) : undefined;
  const inner = onFile(path, () => rows?.() ?? plainRows(beside, format as 'csv' | 'jsonl'));
  return {
    add: (row) => onFile(path, () => inner.add(row)),
    finish: async () => {
      try {
        await inner.finish();
        await rename(beside, path);
      } catch (error) {
        throw named(error, path);
      }
    },
    abandon: () => ignoringSystemErrors(() => rmSync(beside, { force: true })),
  };
};

const plainRows = (path: string, format: 'csv' | 'jsonl'): RowOutput => {
  const file = openToWrite(path);
  const rows = textRows(format, (text) => writeFully(file, Buffer.from(text)));
  return {
    ...rows,
    finish: async () => {
      await rows.finish();
      closeSync(file);
    },
  };
};

const parquetRows = async (path: string): Promise<() => RowOutput> => {
  const { ParquetWriter, fileWriter, schemaFromColumnData } = await import('hyparquet-writer');
  return () => {
    const writer = fileWriter(path);
    let columns = new Map<string, Cell[]>();
    let parquet: InstanceType<typeof ParquetWriter> | undefined;
    let kept = 0;
    const flush = () => {
      const columnData = [...columns].map(([name, data]) => ({ name, data, type: columnType(data[0]) }));
      parquet ??= new ParquetWriter({ writer, schema: schemaFromColumnData({ columnData }) });
      void parquet.write({ columnData, rowGroupSize: kept });
      columns = new Map([...columns.keys()].map((name) => [name, []]));
      kept = 0;
    };
    return {
      add: (row) => {
        for (const [name, cell] of row) {
          const column = columns.get(name);
          if (column) column.push(cell);
          else columns.set(name, [cell]);
        }
        if (++kept >= rowsAtOnce) flush();
      },
      finish: async () => {
        if (kept > 0) flush();
        await parquet?.finish();
      },
      abandon: () => undefined,
    };
  };
};
