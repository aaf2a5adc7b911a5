import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesOf, readRegular, readRegularText } from '../../system/files.ts';
import type { TimeKind } from '../columns/dates.ts';
import type { TimeStep } from './time-step.ts';

/**
 * Series in the form that training reads: sorted by series and time, with a row for each step. Folder:
 *
 *     series.json   what it holds
 *     times.bin     float64 `[rows]`: numbers, or milliseconds since 1970
 *     values.bin    float64 `[rows, columns]`; NaN where a value is missing
 */
export interface SeriesDescription {
  readonly timeKind: TimeKind;
  readonly step: TimeStep;
  /** Names in the order of the pack; one empty name where the file has no column of series. */
  readonly series: readonly string[];
  /** `[series + 1]`: the first row of each series, and the number of rows. */
  readonly starts: readonly number[];
  /** The columns of numbers. */
  readonly columns: readonly string[];
  /** The static columns' texts, `[series][column]`. */
  readonly statics: readonly (readonly string[])[];
  /** Rows of the file, before those that are missing were added. */
  readonly fileRows: number;
  /** The first line whose time is not a whole number of steps after the row before it. */
  readonly unevenLine?: number;
}

export interface SeriesPack extends SeriesDescription {
  readonly times: Float64Array;
  readonly values: Float64Array;
}

export const writeSeriesPack = (folder: string, { times, values, ...description }: SeriesPack): void => {
  writeFileSync(join(folder, 'times.bin'), bytesOf(times));
  writeFileSync(join(folder, 'values.bin'), bytesOf(values));
  writeFileSync(join(folder, 'series.json'), JSON.stringify(description));
};

export const openSeriesPack = (folder: string): SeriesPack => {
  const description = JSON.parse(readRegularText(join(folder, 'series.json'))) as SeriesDescription;
  return {
    ...description,
    times: numbersIn(join(folder, 'times.bin')),
    values: numbersIn(join(folder, 'values.bin')),
  };
};

const numbersIn = (path: string): Float64Array => {
  const bytes = readRegular(path);
  // A small file is read into a pooled buffer, at any offset.
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  return new Float64Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 8);
};
