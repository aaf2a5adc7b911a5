import type { ColumnMetaData, PageHeader, SchemaTree, CompressionCodec } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel, isFlatColumn } from 'hyparquet/src/schema.js';
import { endOfNumber, endOfStruct, numberAt } from './structs.ts';
import { decompress as unzstd } from 'fzstd';
import { compressors } from 'hyparquet-compressors';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

/** What a file may become: each throws when it is more than the file can hold in earnest. */
export interface Allowance {
  readonly values: (count: number) => void;
  readonly bytes: (count: number) => void;
}

/** A column's part of a row group. */
export interface Chunk {
  readonly bytes: ArrayBuffer;
  readonly meta: ColumnMetaData;
  /** From the root of the schema to the column. */
  readonly path: SchemaTree[];
  /** Of the row group. */
  readonly rows: number;
}

type Decompress = (input: Uint8Array, length: number) => Uint8Array;

/**
 * Checks every size that the pages of a chunk claim, because the reader allocates and loops by these sizes, and
 * returns how to decompress them. Pages that are compressed are checked when they are decompressed.
 */
export const checkedPages = ({ bytes, meta, path, rows }: Chunk, allowance: Allowance): Decompress => {
  const view = new DataView(bytes);
  const levels = { repetition: getMaxRepetitionLevel(path), definition: getMaxDefinitionLevel(path) };
  const decompress = pageDecompressor(meta.codec);
  const checks = new Map<number, (page: Uint8Array) => void>();
  const isFlat = isFlatColumn(path);
  let seen = 0;
  // It ends where the reader does.
  for (let at = 0; at < view.byteLength - 1 && !(isFlat && seen >= rows);) {
    const start = endOfStruct(view, at);
    const header = parquetHeader({ view, offset: at });
    const { compressed_page_size: size, uncompressed_page_size: becomes } = header;
    if (!(size >= 0 && becomes >= 0 && size <= view.byteLength - start))
      throw new Error(`a page claims ${size} bytes where ${view.byteLength - start} are left`);
    at = start + size;
    const page: Page = { header, type: meta.type, levels, allowance };
    const { begin, values } = beginOf(page, new DataView(bytes, start, size));
    allowance.values(values * Math.max(1, levels.definition));
    if (header.type !== 'DICTIONARY_PAGE') seen += values;
    const check = (data: Uint8Array) =>
      checkData(page, new DataView(data.buffer, data.byteOffset, data.byteLength));
    const second = secondOf(header);
    const isPlain = second && (second.is_compressed === false || becomes === begin);
    if (decompress && !isPlain) checks.set(start + begin, check);
    else check(new Uint8Array(bytes, start + begin, size - begin));
  }
  return (input, length) => {
    if (!decompress) return input;
    const check = checks.get(input.byteOffset);
    if (check) allowance.bytes(length);
    const page = decompress(input, length);
    check?.(page);
    // A page that several parts of a row group need is decompressed for each, and checked once.
    checks.delete(input.byteOffset);
    return page;
  };
};

interface Page {
  readonly header: PageHeader;
  readonly type: ColumnMetaData['type'];
  readonly levels: { readonly repetition: number; readonly definition: number };
  readonly allowance: Allowance;
}

const firstOf = (header: PageHeader) => (header.type === 'DATA_PAGE' ? header.data_page_header : undefined);

const secondOf = (header: PageHeader) =>
  header.type === 'DATA_PAGE_V2' ? header.data_page_header_v2 : undefined;

/** Where the data of a page begins, after the levels of the second version, and how many values it claims. */
const beginOf = (
  { header, levels }: Page,
  view: DataView,
): { readonly begin: number; readonly values: number } => {
  const second = secondOf(header);
  const values = countOf((firstOf(header) ?? second ?? header.dictionary_page_header)?.num_values);
  if (!second) return { begin: 0, values };
  const repetition = countOf(second.repetition_levels_byte_length);
  const begin = repetition + countOf(second.definition_levels_byte_length);
  if (begin > view.byteLength) throw new Error(`the levels of a page claim ${begin} bytes`);
  if (Math.max(countOf(second.num_nulls), countOf(second.num_rows)) > values)
    throw new Error('a page has more nulls or rows than values');
  if (levels.repetition > 0) checkRuns(view, 0, { bits: bitsOf(levels.repetition), values });
  if (levels.definition > 0) checkRuns(view, repetition, { bits: bitsOf(levels.definition), values });
  return { begin, values };
};

const countOf = (count: number | undefined): number => {
  if (count !== undefined && count >= 0) return count;
  throw new Error(`a page claims ${count} values or bytes`);
};

/** The bits of the numbers up to one. */
const bitsOf = (most: number): number => 32 - Math.clz32(most);

/** Checks the sizes within the data of a page. */
const checkData = (page: Page, view: DataView): void => {
  const { header, levels } = page;
  const first = firstOf(header);
  const second = secondOf(header);
  if (first) {
    let [at, values] = [0, first.num_values];
    if (levels.repetition > 0) at = endOfLevels(view, at, { bits: bitsOf(levels.repetition), values });
    if (levels.definition > 0) {
      const bits = bitsOf(levels.definition);
      const end = endOfLevels(view, at, { bits, values });
      const found = new Array<number>(values);
      readRleBitPackedHybrid({ view, offset: at }, bits, found);
      values = found.reduce((sum, level) => (level === levels.definition ? sum + 1 : sum), 0);
      at = end;
    }
    checkValues(page, view, { at, values, encoding: first.encoding });
  } else if (second) {
    const values = second.num_values - second.num_nulls;
    checkValues(page, view, { at: 0, values, encoding: second.encoding });
  } else if ((header.dictionary_page_header?.num_values ?? 0) > 8 * view.byteLength)
    throw new Error('a dictionary has fewer entries than it claims');
};

interface Runs {
  readonly bits: number;
  readonly values: number;
}

/** Levels of the first version, which begin with their length. */
const endOfLevels = (view: DataView, start: number, runs: Runs): number => {
  checkRuns(view, start + 4, runs);
  return start + 4 + view.getUint32(start, true);
};

interface Values {
  readonly at: number;
  readonly values: number;
  readonly encoding: string;
}

const checkValues = (
  { header, type, allowance }: Page,
  view: DataView,
  { at, values, encoding }: Values,
): void => {
  if (values === 0) return;
  switch (encoding) {
    case 'PLAIN':
    case 'BYTE_STREAM_SPLIT':
      return;
    case 'RLE':
    case 'PLAIN_DICTIONARY':
    case 'RLE_DICTIONARY': {
      // Only truth values begin with the length of their runs.
      if (type === 'BOOLEAN') {
        checkRuns(view, at + 4, { bits: 1, values });
        return;
      }
      const bits = view.getUint8(at);
      if (bits > 0 || secondOf(header)) checkRuns(view, at + 1, { bits, values });
      return;
    }
    case 'DELTA_BINARY_PACKED':
    case 'DELTA_LENGTH_BYTE_ARRAY':
      endOfDeltas(view, at, values);
      return;
    case 'DELTA_BYTE_ARRAY': {
      // Each text may repeat the one before it, so that few bytes become very many.
      endOfDeltas(view, endOfDeltas(view, at, values), values);
      const [shared, own] = [new Int32Array(values), new Int32Array(values)];
      const reader = { view, offset: at };
      deltaBinaryUnpack(reader, values, shared);
      deltaBinaryUnpack(reader, values, own);
      allowance.bytes(shared.reduce((sum, length, one) => sum + length + (own[one] ?? 0), 0));
      return;
    }
    default:
      throw new Error(`the encoding ${encoding} is not supported`);
  }
};

/** Checks that no run of equal or packed numbers is longer than what is left of the values. */
const checkRuns = (view: DataView, start: number, { bits, values }: Runs): void => {
  if (bits > 32) throw new Error(`numbers of ${bits} bits`);
  let at = start;
  for (let seen = 0; seen < values;) {
    const { value: head, end: body } = numberAt(view, at);
    const isPacked = head % 2 === 1;
    const count = isPacked ? ((head - 1) / 2) * 8 : head / 2;
    // Packed numbers come by eight, and the last ones may be cut.
    if (count > values - seen + (isPacked ? 504 : 0))
      throw new Error(`a run claims ${count} of ${values} values`);
    seen += count;
    at = body + (isPacked ? (count / 8) * bits : (bits + 7) >> 3);
  }
};

/** No writer makes larger blocks of differences. */
const largestBlock = 1 << 20;

/** Where numbers that are kept as differences end. */
const endOfDeltas = (view: DataView, start: number, values: number): number => {
  const block = numberAt(view, start);
  const parts = numberAt(view, block.end);
  const size = block.value / parts.value;
  if (block.value > largestBlock || !(size >= 8 && size % 8 === 0))
    throw new Error(`blocks of ${block.value} values in ${parts.value} parts`);
  let at = endOfNumber(view, endOfNumber(view, parts.end));
  for (let left = values - 1; left > 0;) {
    const widths = endOfNumber(view, at);
    at = widths + parts.value;
    for (let part = 0; part < parts.value && left > 0; part++, left -= size)
      at += (size * view.getUint8(widths + part)) / 8;
  }
  return at;
};

/** Decompresses pages to the length that they claim, or less; undefined where they are not compressed. */
const pageDecompressor = (
  codec: CompressionCodec,
): ((input: Uint8Array, length: number) => Uint8Array) | undefined => {
  switch (codec) {
    case 'UNCOMPRESSED':
      return undefined;
    case 'GZIP':
      return (input, length) => gunzipSync(input, { maxOutputLength: Math.max(1, length) });
    case 'BROTLI':
      return (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) });
    case 'ZSTD':
      // With the space that it needs, it does not allocate what its own header claims.
      return (input, length) => unzstd(input, new Uint8Array(length));
    case 'SNAPPY':
    case 'LZ4':
    case 'LZ4_RAW':
    case 'LZO':
    default: {
      const decompress = compressors[codec];
      if (!decompress) throw new Error(`the compression ${codec} is not supported`);
      return decompress;
    }
  }
};
