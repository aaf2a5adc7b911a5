import { closeSync, readSync } from 'node:fs';
import Papa from 'papaparse';
import { openRegular } from '../../system/files.ts';
import { numberIn, textIn } from '../columns/cells.ts';
import { createTimeReader } from '../columns/dates.ts';
import { isMissing } from '../columns/missing.ts';
import type { DataFile } from '../files.ts';
import type { SeriesFormat } from './format.ts';

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
  const { rows, delimiter } = format === 'csv' ? csvRows(text) : { rows: jsonRows(text), delimiter: ',' };
  const columns = Object.keys(rows[0] ?? {});
  const time = timeColumn(rows, columns);
  if (time === undefined) return {};
  const others = columns.filter((column) => column !== time);
  const series = seriesColumn(rows, time, others);
  const numbers = others.filter((column) => column !== series && isNumbers(rows, column));
  const target = numbers.find((column) => targetNames.test(column)) ?? numbers[0];
  if (target === undefined) return {};
  const past = numbers.filter((column) => column !== target);
  const hasHoles = rows.some((row) => [target, ...past].some((column) => isMissing(row[column])));
  const steps = new Set(rows.map((row) => textIn(row[time]))).size;
  return {
    ...(delimiter !== ',' && { delimiter }),
    time,
    ...(series !== undefined && { series }),
    targets: [target],
    ...(past.length > 0 && { past }),
    ...(steps < stepsForDefault && { window: Math.max(1, Math.floor(steps / 4)) }),
    ...(hasHoles && { missing: 'interpolate' }),
  };
};

/** The first rows of a CSV file, and what separates its cells. */
export const firstCsvRows = (path: string) => csvRows(headOf({ path }));

type WithRows = Pick<DataFile, 'path' | 'content'>;

/** The first whole lines of a file. */
const headOf = ({ path, content }: WithRows): string => {
  if (content) return new TextDecoder().decode(content.subarray(0, headBytes));
  const file = openRegular(path);
  try {
    const bytes = Buffer.alloc(headBytes);
    const count = readSync(file, bytes, 0, headBytes, 0);
    const text = new TextDecoder().decode(bytes.subarray(0, count));
    return count < headBytes ? text : text.slice(0, text.lastIndexOf('\n') + 1);
  } finally {
    closeSync(file);
  }
};

const csvRows = (text: string) => {
  const { data, meta } = Papa.parse<Cells>(text, {
    header: true,
    skipEmptyLines: true,
    delimitersToGuess: [',', ';', '\t', '|'],
    transformHeader: (name) => name.trim(),
  });
  return { rows: data, delimiter: meta.delimiter };
};

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
