import type { ParameterIssue } from '../../parameters/row.ts';
import { createTimeReader, dateInNumber } from '../columns/dates.ts';
import { DataError } from '../dataset.ts';
import type { PartName } from '../description.ts';
import type { SeriesParameters } from './parameters.ts';
import type { SeriesPack } from './series-pack.ts';
import { writeTime } from './time-step.ts';

/** The times of a part: from `from` on, up to but without `to`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The times in which the targets of each part lie. */
export type Spans = Readonly<Record<PartName, Span>>;

type Borders = Pick<SeriesPack, 'times' | 'series' | 'timeKind'>;

/**
 * The spans of the parts, the same for all series: training, validation, test, one after another. With a fold, the test
 * part is that piece of the whole test part, and what comes after it is not used. Throws `DataError` for a border that
 * the file does not have.
 */
export const splitSpans = (pack: Borders, parameters: SeriesParameters): Spans => {
  const times = distinctTimes(pack);
  const { split, rolling, fold } = parameters;
  const count = times.length;
  const testSteps = count - borderAt(split.test, { part: 'test', pack, times, end: count });
  const validationSteps =
    count -
    testSteps -
    borderAt(split.validation, { part: 'validation', pack, times, end: count - testSteps });
  // Without `fold` the folds are trained one by one; a plan learns here that they can be.
  if (rolling !== null && testSteps < rolling * parameters.horizon) throw tooShort(parameters, testSteps);
  const piece = fold === null || rolling === null ? testSteps : Math.floor(testSteps / rolling);
  const testEnd = fold === null || rolling === null ? count : count - (rolling - fold) * piece;
  const testFrom = testEnd - piece;
  const validationFrom = testFrom - validationSteps;
  const timeAt = (at: number) => (at >= count ? Infinity : (times[at] as number));
  return {
    train: { from: -Infinity, to: timeAt(Math.max(0, validationFrom)) },
    validation: { from: timeAt(Math.max(0, validationFrom)), to: timeAt(testFrom) },
    test: { from: timeAt(testFrom), to: timeAt(testEnd) },
  };
};

/** The times of all series together, in rising order. */
const distinctTimes = ({ times, series }: Borders): Float64Array => {
  if (series.length === 1) return times;
  const sorted = times.slice().sort();
  let count = 0;
  for (const time of sorted) {
    if (count === 0 || time !== sorted[count - 1]) sorted[count++] = time;
  }
  return sorted.subarray(0, count);
};

interface BorderGiven {
  readonly part: 'validation' | 'test';
  readonly pack: Borders;
  readonly times: Float64Array;
  /** How many of the times are before the next part. */
  readonly end: number;
}

/** How many of the times are before a part. */
const borderAt = (border: number | string, given: BorderGiven): number => {
  const { times, end, part } = given;
  if (border === 0) return end;
  if (typeof border === 'number' && border < 1) {
    return Math.max(0, end - Math.max(1, Math.round(border * times.length)));
  }
  const time = readBorder(border, given);
  const at = firstNotBefore(times, time);
  if (at > 0 && at < end) return at;
  const write = (one: number | undefined) => writeTime(one ?? 0, given.pack.timeKind);
  const range = `${write(times[0])} to ${write(times[end - 1])}`;
  throw new DataError({
    path: `split.${part}`,
    message:
      at === 0
        ? `Nothing lies before ${border}, where the ${part} part begins.`
        : `Nothing lies between ${border}, where the ${part} part begins, and its end.`,
    expected: `a time within ${range}`,
    help: `Write a fraction, for example \`${part}: 0.15\`, or another time.`,
  });
};

const readBorder = (border: number | string, { part, pack }: BorderGiven): number => {
  const reader = createTimeReader();
  const time = reader.read(border);
  const kind = reader.kind();
  if (typeof time === 'number') {
    if (kind === pack.timeKind) return time;
    const date = kind === 'number' ? dateInNumber(time) : undefined;
    if (date !== undefined) return date;
  }
  const example = writeTime(pack.times[Math.floor(pack.times.length / 2)] ?? 0, pack.timeKind);
  const isDate = pack.timeKind === 'date';
  const issue: ParameterIssue = {
    path: `split.${part}`,
    message: `${JSON.stringify(border)} is not a time of this file, whose times are ${isDate ? 'dates' : 'numbers'}.`,
    expected: `a fraction below 1, or ${isDate ? 'a date' : 'a number'} such as ${example}`,
    help: `Write for example \`${part}: ${example}\` or \`${part}: 0.15\`.`,
  };
  throw new DataError(issue);
};

const firstNotBefore = (times: Float64Array, time: number): number => {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
};

const tooShort = ({ rolling, horizon }: SeriesParameters, steps: number): DataError =>
  new DataError({
    path: 'rolling',
    message: `A test part of ${steps} steps cannot be cut into ${rolling ?? 1} folds with a horizon of ${horizon}.`,
    expected: `at least ${(rolling ?? 1) * horizon} steps, the horizon for each fold`,
    got: `${steps} steps`,
    help: 'Lower rolling or horizon, or make the test part larger with split.test.',
  });

/** The rows of a series whose times lie in a span: from `first` up to but without `end`. */
export const rowsIn = (
  { times, starts }: Pick<SeriesPack, 'times' | 'starts'>,
  series: number,
  { from, to }: Span,
): { readonly first: number; readonly end: number } => {
  const [start, end] = [starts[series] as number, starts[series + 1] as number];
  const own = times.subarray(start, end);
  return { first: start + firstNotBefore(own, from), end: start + firstNotBefore(own, to) };
};
