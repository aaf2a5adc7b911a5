import type { DecodedArray, FileMetaData, RowGroup, SchemaTree } from 'hyparquet';
import { parquetMetadata, parquetSchema } from 'hyparquet';
import { assembleNested } from 'hyparquet/src/assemble.js';
import { readColumn } from 'hyparquet/src/column.js';
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { getTreePath } from 'hyparquet/src/schema.js';
import { closeSync, fstatSync } from 'node:fs';
import { mostBytesOf, mostRowsOf, mostValuesOf } from '../columns/growth.ts';
import { openRegular, readFully } from '../../system/files.ts';
import { checkedPages, type Allowance } from './pages.ts';
import { endOfStruct } from './structs.ts';

/** Rows of a row group, counted from 0. */
interface RowRange {
  readonly from: number;
  readonly to: number;
}

/** An open Parquet file. All throw an `Error` with the reason where the file is damaged or hostile. */
export interface ParquetFile {
  readonly columns: readonly string[];
  /** The number of rows of each row group. */
  readonly groups: readonly number[];
  /** The cells of a column in a range of rows of a row group. */
  readonly cells: (column: string, group: number, range: RowRange) => ArrayLike<unknown>;
  readonly close: () => void;
}

export const openParquet = (path: string): ParquetFile => {
  const file = openRegular(path);
  try {
    return parquetIn(file);
  } catch (error) {
    closeSync(file);
    throw error;
  }
};

const parquetIn = (file: number): ParquetFile => {
  const { size } = fstatSync(file);
  const read = readerOf(file, size);
  const metadata = metadataIn(read, size);
  const tree = parquetSchema(metadata);
  checkDepth(tree);
  const allowance: Allowance = {
    values: limited('values', mostValuesOf(size)),
    bytes: limited('bytes', mostBytesOf(size)),
  };
  const groups = metadata.row_groups.map((group) => Number(group.num_rows));
  groups.forEach(limited('rows', mostRowsOf(size)));
  const chunks = chunkReader({ tree, read, allowance });
  return {
    columns: tree.children.map(({ element }) => element.name),
    groups,
    cells: (column, group, range) => {
      const child = tree.children.find(({ element }) => element.name === column);
      const chosen = metadata.row_groups[group];
      if (!child || !chosen) throw new Error(`there is no column ${column}`);
      const parts = new Map<string, DecodedArray>();
      for (const chunk of chunks(column, chosen)) parts.set(chunk.name, chunk.cells(range));
      if (child.children.length > 0) assembleNested(parts, child, DEFAULT_PARSERS);
      const cells = parts.get(column);
      if (!cells || cells.length < range.to - range.from)
        throw new Error(`a column has ${cells?.length ?? 0} values for ${range.to - range.from} rows`);
      return cells;
    },
    close: () => closeSync(file),
  };
};

type Read = (start: number, length: number) => ArrayBuffer;

const readerOf =
  (file: number, size: number): Read =>
  (start, length) => {
    if (!(start >= 0 && length >= 0 && start + length <= size))
      throw new Error(`it claims bytes ${start} to ${start + length} of ${size}`);
    const bytes = new Uint8Array(length);
    if (readFully(file, bytes, start) < length) throw new Error('unexpected end of file');
    return bytes.buffer;
  };

/** Ends a file. */
const magic = 'PAR1';

const metadataIn = (read: Read, size: number): FileMetaData => {
  const end = new DataView(read(Math.max(0, size - 8), Math.min(8, size)));
  if (size < 12 || Buffer.from(end.buffer).toString('latin1', 4) !== magic)
    throw new Error(`it does not end with ${magic}`);
  const length = end.getUint32(0, true) + 8;
  const bytes = read(size - length, length);
  endOfStruct(new DataView(bytes, 0, length - 8), 0);
  return parquetMetadata(bytes, { geoparquet: false });
};

const deepestSchema = 16;

const checkDepth = ({ children, element }: SchemaTree, depth = 0): void => {
  if (depth > deepestSchema) throw new Error('its columns are too deep in each other');
  // A damaged file may lack what the format requires.
  if (depth > 0 && typeof (element.name as unknown) !== 'string') throw new Error('a column has no name');
  // Its values may name each other, so that few bytes become very many.
  if (element.logical_type?.type === 'VARIANT') throw new Error('columns of variants are not supported');
  for (const child of children) checkDepth(child, depth + 1);
};

/** Throws when a sum becomes more than it may be. */
const limited = (what: string, most: number): ((count: number) => void) => {
  let sum = 0;
  return (count) => {
    if (!(count >= 0)) throw new Error(`it claims ${count} ${what}`);
    sum += count;
    if (sum > most) throw new Error(`it claims more than ${most} ${what}, far more than its size can hold`);
  };
};

/** A column that has no columns in it. */
interface OpenChunk {
  readonly name: string;
  readonly cells: (range: RowRange) => DecodedArray;
}

/** Reads the chunks of a column; those of the last row group are kept, because its parts are read one after the other. */
const chunkReader = ({
  tree,
  read,
  allowance,
}: {
  readonly tree: SchemaTree;
  readonly read: Read;
  readonly allowance: Allowance;
}) => {
  let kept: RowGroup | undefined;
  const opened = new Map<string, readonly OpenChunk[]>();
  return (column: string, group: RowGroup): readonly OpenChunk[] => {
    if (kept !== group) opened.clear();
    kept = group;
    const known = opened.get(column);
    if (known) return known;
    const found: OpenChunk[] = [];
    for (const { file_path: elsewhere, meta_data: meta } of group.columns) {
      if (meta?.path_in_schema[0] !== column) continue;
      if (elsewhere) throw new Error('its data is in another file');
      found.push(openChunk(meta, group));
    }
    opened.set(column, found);
    return found;
  };

  function openChunk(
    meta: NonNullable<RowGroup['columns'][number]['meta_data']>,
    group: RowGroup,
  ): OpenChunk {
    const path = getTreePath(tree, meta.path_in_schema);
    const start = Number(meta.dictionary_page_offset || meta.data_page_offset);
    const bytes = read(start, Number(meta.total_compressed_size));
    const rows = Number(group.num_rows);
    const decompress = checkedPages({ bytes, meta, path, rows }, allowance);
    const element = path.at(-1)?.element ?? tree.element;
    const decoder = {
      ...{ pathInSchema: meta.path_in_schema, type: meta.type, element, schemaPath: path },
      ...{ codec: meta.codec, parsers: DEFAULT_PARSERS, compressors: { [meta.codec]: decompress } },
    };
    return {
      name: meta.path_in_schema.join('.'),
      cells: ({ from, to }) => {
        const range = { groupStart: 0, groupRows: rows, selectStart: from, selectEnd: to };
        const { data, skipped } = readColumn({ view: new DataView(bytes), offset: 0 }, range, decoder);
        return joined(data).slice(from - skipped, to - skipped);
      },
    };
  }
};

const joined = (pages: readonly DecodedArray[]): DecodedArray => {
  const [first] = pages;
  if (pages.length === 1 && first) return first;
  const all: unknown[] = [];
  for (const page of pages) for (let at = 0; at < page.length; at++) all.push(page[at]);
  return all;
};
