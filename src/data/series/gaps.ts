import type { ParameterIssue } from '../../parameters/row.ts';
import type { TimeKind } from '../columns/dates.ts';
import { DataError } from '../dataset.ts';
import type { DataFile } from '../files.ts';
import type { RowProblems } from '../table/problems.ts';
import type { SeriesParameters } from './parameters.ts';
import type { SeriesPack } from './series-pack.ts';
import { describeStep, stepsBetween, timeAfter, writeTime, type TimeStep } from './time-step.ts';

/** The rows of a file as they came. */
export interface RawSeries {
  readonly times: Float64Array;
  /** `[rows, columns]`. */
  readonly values: Float64Array;
  readonly lines: Float64Array;
  /** The series of each row. */
  readonly owners: Float64Array;
  readonly series: readonly string[];
  readonly statics: readonly (readonly string[])[];
  readonly timeKind: TimeKind;
}

export interface SortedRows {
  /** Rows of the file, by series and time. */
  readonly rows: Int32Array;
  readonly starts: readonly number[];
}

export interface PlacedRows {
  readonly raw: RawSeries;
  readonly sorted: SortedRows;
  /** In the order of the sorted rows. */
  readonly times: Float64Array;
  readonly step: TimeStep;
}

/** Reports rows that are missing. Returns whether any is. */
export const reportGaps = (
  { raw, sorted: { rows, starts }, times, step }: PlacedRows,
  { parameters, problems }: { readonly parameters: SeriesParameters; readonly problems: RowProblems },
): boolean => {
  if (step.kind === 'uneven') return false;
  let found = false;
  for (let series = 0; series + 1 < starts.length; series++) {
    for (let at = (starts[series] as number) + 1; at < (starts[series + 1] as number); at++) {
      const [from, to] = [times[at - 1] as number, times[at] as number];
      const absent = stepsBetween(step, from, to) - 1;
      if (absent < 1) continue;
      found = true;
      const write = (time: number) => writeTime(time, raw.timeKind);
      const first = write(timeAfter(step, from, 1));
      const last = write(timeAfter(step, from, absent));
      const of = parameters.series === null ? '' : ` of series ${JSON.stringify(raw.series[series])}`;
      problems.report(
        raw.lines[rows[at] as number] as number,
        `${absent === 1 ? `the row of ${first}` : `${absent} rows, from ${first} to ${last},`}${of} ${absent === 1 ? 'is' : 'are'} missing before this one, at steps of ${describeStep(step, raw.timeKind)}`,
      );
    }
  }
  return found;
};

/** With more missing rows than this for each row of the file, the column is not one of times. */
const mostAddedPerRow = 20;

/** The rows in order, with an empty one for each step that the file has no row of. */
export const withRowForEachStep = (
  { raw, sorted, times, step }: PlacedRows,
  { width, file }: { readonly width: number; readonly file: DataFile },
): Pick<SeriesPack, 'times' | 'values' | 'starts'> => {
  const places = new Float64Array(times.length);
  const starts = [0];
  let place = 0;
  for (let series = 0; series + 1 < sorted.starts.length; series++) {
    const [start, end] = [sorted.starts[series] as number, sorted.starts[series + 1] as number];
    for (let at = start; at < end; at++) {
      if (at > start) place += stepsBetween(step, times[at - 1] as number, times[at] as number);
      places[at] = place;
    }
    place++;
    starts.push(place);
  }
  if (place > 1000 + (1 + mostAddedPerRow) * times.length) throw tooManyGaps(file, place, times.length);
  const packedTimes = new Float64Array(place);
  const values = new Float64Array(place * width).fill(Number.NaN);
  let before = 0;
  for (let at = 0; at < times.length; at++) {
    const here = places[at] as number;
    packedTimes[here] = times[at] as number;
    for (let added = before + 1; added < here; added++) {
      packedTimes[added] = timeAfter(step, packedTimes[before] as number, added - before);
    }
    before = here;
    const row = sorted.rows[at] as number;
    for (let column = 0; column < width; column++) {
      values[here * width + column] = raw.values[row * width + column] as number;
    }
  }
  return { times: packedTimes, values, starts };
};

const tooManyGaps = (file: DataFile, steps: number, rows: number): DataError => {
  const issue: ParameterIssue = {
    path: 'time',
    message: `${file.name} has ${rows} rows, and ${steps} steps lie between its first and its last time.`,
    expected: 'a row for most of the steps',
    got: `${rows} rows of ${steps}`,
    help: 'Check the first and the last rows of the file for a wrong time.',
  };
  return new DataError(issue);
};
