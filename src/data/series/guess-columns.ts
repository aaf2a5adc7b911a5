import { closeSync, readSync } from 'node:fs';
import { constants, gunzipSync } from 'node:zlib';
import Papa from 'papaparse';
import { openRegular } from '../../system/files.ts';
import { hasDecimalComma, numberIn, numberInGroups, textIn } from '../columns/cells.ts';
import { createTimeReader } from '../columns/dates.ts';
import { isMissing } from '../columns/missing.ts';
import type { DataFile } from '../files.ts';
import { usualDelimiter } from '../table/read-csv.ts';
import type { SeriesFormat } from './format.ts';
import { findTimeStep, stepsBetween } from './time-step.ts';

/** Settings of a series dataset that its file suggests, for a new spec. */
export type GuessedSettings = Readonly<Record<string, unknown>>;

export type Cells = Readonly<Record<string, unknown>>;

/** A shorter series has few windows of the default length to train on. */
const stepsForDefault = 100;

const headBytes = 1 << 18;

/** The settings that fit the first rows of a file of CSV or JSON lines; none where there is nothing to guess from. */
export const guessSeriesSettings = (file: WithRows, format: SeriesFormat['kind']): GuessedSettings => {
  if (format === 'parquet') return {};
  const text = headOf(file);
  const { rows, ...marks } = format === 'csv' ? csvRows(text) : { rows: jsonRows(text) };
  const columns = Object.keys(rows[0] ?? {});
  const time = timeColumn(rows, columns);
  if (time === undefined) return {};
  const others = columns.filter((column) => column !== time);
  const series = seriesColumn(rows, time, others);
  const numbers = others.filter((column) => column !== series && isNumbers(rows, column));
  const target = numbers.find((column) => targetNames.test(column)) ?? numbers[0];
  if (target === undefined) return {};
  const past = numbers.filter((column) => column !== target);
  const hasHoles =
    hasGaps(rows, time, series) ||
    rows.some((row) => [target, ...past].some((column) => isMissing(row[column])));
  const steps = new Set(rows.map((row) => textIn(row[time]))).size;
  return {
    ...marks,
    time,
    ...(series !== undefined && { series }),
    targets: [target],
    ...(past.length > 0 && { past }),
    ...(steps < stepsForDefault && { window: Math.max(1, Math.floor(steps / 4)) }),
    ...(hasHoles && { missing: 'interpolate' }),
  };
};

/** Whether the first rows of some series are further apart than one step. */
const hasGaps = (rows: readonly Cells[], time: string, series: string | undefined): boolean => {
  const reader = createTimeReader();
  const timesOf = new Map<string, number[]>();
  for (const row of rows) {
    const key = series === undefined ? '' : textIn(row[series]);
    const times = timesOf.get(key) ?? [];
    timesOf.set(key, times);
    times.push(reader.read(row[time]) as number);
  }
  const each = [...timesOf.values()].map((times) => Float64Array.from(times).sort());
  const starts = [0];
  for (const { length } of each) starts.push((starts.at(-1) as number) + length);
  const times = Float64Array.from(each.flatMap((one) => [...one]));
  const step = findTimeStep({ kind: reader.kind() ?? 'number', times, starts });
  return each.some((one) =>
    one.some((at, row) => row > 0 && stepsBetween(step, one[row - 1] as number, at) > 1),
  );
};

/** The first rows of a CSV file, and the settings of what separates its cells and decimals, where they are not the usual ones. */
export const firstCsvRows = (path: string) => csvRows(headOf({ path }));

type WithRows = Pick<DataFile, 'path' | 'content'>;

/** So many bytes become at most 16 MB. */
const compressedHeadBytes = 1 << 14;

/** The first whole lines of a file, plain or compressed with gzip. */
const headOf = (file: WithRows): string => {
  const begin = beginningOf(file);
  const isGzip = begin[0] === 0x1f && begin[1] === 0x8b;
  const bytes = isGzip ? unzippedHead(begin) : begin;
  const text = new TextDecoder().decode(bytes.subarray(0, headBytes));
  const isWhole = isGzip ? begin.length < compressedHeadBytes : bytes.length < headBytes;
  return isWhole ? text : text.slice(0, text.lastIndexOf('\n') + 1);
};

const beginningOf = ({ path, content }: WithRows): Uint8Array => {
  if (content) return content.subarray(0, headBytes);
  const file = openRegular(path);
  try {
    const bytes = Buffer.alloc(headBytes);
    return bytes.subarray(0, readSync(file, bytes, 0, headBytes, 0));
  } finally {
    closeSync(file);
  }
};

const unzippedHead = (bytes: Uint8Array): Uint8Array => {
  try {
    return gunzipSync(bytes.subarray(0, compressedHeadBytes), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    // Who reads the whole file reports what is wrong with it.
    return new Uint8Array(0);
  }
};

const csvRows = (text: string) => {
  const { data, meta } = Papa.parse<Cells>(text, {
    header: true,
    skipEmptyLines: true,
    delimitersToGuess: [',', ';', '\t', '|'],
    transformHeader: (name) => name.trim(),
  });
  const { delimiter } = meta;
  const hasCommas = delimiter !== usualDelimiter && hasDecimalCommas(data);
  return {
    rows: hasCommas ? data.map(withPoints) : data,
    ...(delimiter !== usualDelimiter && { delimiter }),
    ...(hasCommas && { decimal: ',' }),
  };
};

/** Whether a comma cannot be one between thousands, as it may be in 1,234. */
const hasCertainComma = (cell: unknown): boolean =>
  hasDecimalComma(cell) && (Number.isNaN(numberInGroups(cell)) || /^\s*[+-]?0/.test(textIn(cell)));

const hasDecimalCommas = (rows: readonly Cells[]): boolean => {
  const cells = rows.flatMap((row) => Object.values(row));
  return cells.some(hasCertainComma) && !cells.some((cell) => /^\s*[+-]?\d*\.\d+\s*$/.test(textIn(cell)));
};

const withPoints = (row: Cells): Cells =>
  Object.fromEntries(
    Object.entries(row).map(([name, cell]) => [
      name,
      hasDecimalComma(cell) ? textIn(cell).replace(',', '.') : cell,
    ]),
  );

const jsonRows = (text: string): readonly Cells[] =>
  text.split('\n').flatMap((line): readonly Cells[] => {
    try {
      const row = JSON.parse(line) as unknown;
      return typeof row === 'object' && row !== null ? [row as Cells] : [];
    } catch {
      return [];
    }
  });

const timeNames = /^(date|time|timestamp|date_?time|ds|day|week|month|quarter|year|hour|t|step|period)$/i;
const targetNames = /^(y|value|target|close|sales|demand|load|count)$/i;

/** A column of times: by its name, else the first of dates, else the first of different numbers. */
export const timeColumn = (rows: readonly Cells[], columns: readonly string[]): string | undefined => {
  const kinds = new Map(columns.map((column) => [column, timeKindOf(rows, column)]));
  const ofTimes = columns.filter((column) => kinds.get(column) !== undefined);
  return (
    ofTimes.find((column) => timeNames.test(column)) ??
    ofTimes.find((column) => kinds.get(column) === 'date') ??
    ofTimes.find((column) => new Set(rows.map((row) => row[column])).size === rows.length)
  );
};

const timeKindOf = (rows: readonly Cells[], column: string) => {
  const reader = createTimeReader();
  return rows.every((row) => typeof reader.read(row[column]) === 'number') ? reader.kind() : undefined;
};

export const isNumbers = (rows: readonly Cells[], column: string): boolean =>
  rows.every((row) => isMissing(row[column]) || !Number.isNaN(numberIn(row[column]))) &&
  rows.some((row) => !isMissing(row[column]));

/** Where a time appears several times, the column that separates its rows. */
const seriesColumn = (
  rows: readonly Cells[],
  time: string,
  others: readonly string[],
): string | undefined => {
  const different = (keyOf: (row: Cells) => string) => new Set(rows.map(keyOf)).size === rows.length;
  if (different((row) => textIn(row[time]))) return undefined;
  const separates = (column: string) =>
    different((row) => JSON.stringify([textIn(row[time]), textIn(row[column])]));
  return (
    others.find((column) => separates(column) && !isNumbers(rows, column)) ??
    others.find((column) => separates(column) && rows.every((row) => Number.isInteger(numberIn(row[column]))))
  );
};
