import { Type } from '@sinclair/typebox';
import { choice } from '../../parameters/schema.ts';

/** What becomes of a value that is missing. */
export const missingStrategies = ['error', 'interpolate', 'forward', 'mean', 'mask'] as const;

export type MissingStrategy = (typeof missingStrategies)[number];

/** One line for each strategy, for descriptions. */
const missingMeanings: Readonly<Record<MissingStrategy, string>> = {
  error: 'a missing value is an error',
  interpolate:
    'on a straight line between the values around it, in time where times are known; before the first and after the last value, that value',
  forward: 'the last value before it; before the first value, the mean',
  mean: 'the mean of the training part',
  mask: 'the mean of the training part, with a further input that is 1 where the value is missing and 0 elsewhere',
};

/** One strategy for all columns, or one by column; a column without one has `error`. */
export type MissingSetting = MissingStrategy | Readonly<Record<string, MissingStrategy>>;

export const missingParameter = Type.Unsafe<MissingSetting>({
  type: ['string', 'object'],
  pattern: `^(${missingStrategies.join('|')})$`,
  additionalProperties: choice(missingStrategies, {
    description: 'What becomes of the missing values of the column.',
    examples: ['interpolate'],
  }),
  phrase: `${missingStrategies.slice(0, -1).join(', ')} or ${missingStrategies.at(-1) ?? ''}, or one of these by column`,
  default: 'error',
  description: `What becomes of missing values, of all features or by column. ${missingStrategies.map((one) => `${one}: ${missingMeanings[one]}`).join('. ')}. An empty cell is missing, and NA, N/A, NaN, null, None or ?.`,
  examples: ['interpolate', { temperature: 'interpolate', wind: 'mask' }],
});

export const strategyOf = (missing: MissingSetting, column: string): MissingStrategy =>
  typeof missing === 'string'
    ? missing
    : Object.hasOwn(missing, column)
      ? (missing[column] ?? 'error')
      : 'error';

/**
 * The setting in its shortest form, so that specs of the same meaning have the same id: one word where all `columns` have the
 * same strategy, and no column with `error`, which is the default. Names that are no columns are left for the check of names.
 */
export const shortestSetting = (missing: MissingSetting, columns: readonly string[]): MissingSetting => {
  if (typeof missing === 'string' || !Object.keys(missing).every((name) => columns.includes(name)))
    return missing;
  const [first = 'error', ...others] = columns.map((column) => strategyOf(missing, column));
  if (others.every((strategy) => strategy === first)) return first;
  return Object.fromEntries(Object.entries(missing).filter(([, strategy]) => strategy !== 'error'));
};

/** Cells that stand for a missing value, besides an empty one. In lower case. */
const markers = new Set(['na', 'n/a', '#n/a', 'nan', 'null', 'none', 'nil', '?']);

/** Whether a cell holds no value: it is empty, or has a usual marker such as `NA`. */
export const isMissing = (cell: unknown): boolean => {
  if (cell === undefined || cell === null) return true;
  if (typeof cell === 'number') return Number.isNaN(cell);
  if (typeof cell !== 'string') return false;
  const text = cell.trim();
  return text === '' || (text.length <= 4 && markers.has(text.toLowerCase()));
};

/** The values of one column within a larger array. */
export interface ColumnPlace {
  /** Where the first value is. */
  readonly from: number;
  /** From one value to the next. */
  readonly stride: number;
  readonly count: number;
}

export interface FillGiven {
  readonly strategy: MissingStrategy;
  /** The mean of the column's values in the training part; fills what nothing of the sequence does. */
  readonly mean: number;
  /** The time of each value, in rising order; absent: they are equally far apart. */
  readonly times?: ArrayLike<number> | undefined;
}

/** Fills the missing values (NaN) of a column in place, and returns how many there were. */
export const fillMissing = (
  values: Float64Array | Float32Array,
  place: ColumnPlace,
  { strategy, mean, times }: FillGiven,
): number => {
  switch (strategy) {
    case 'error':
      return 0;
    case 'interpolate':
      return interpolate(values, place, { mean, times });
    case 'forward':
      return carryForward(values, place, mean);
    case 'mean':
    case 'mask':
      return fillAll(values, place, mean);
  }
};

const fillAll = (values: Float64Array | Float32Array, place: ColumnPlace, mean: number): number => {
  const { from, stride, count } = place;
  let filled = 0;
  for (let step = 0; step < count; step++) {
    const at = from + step * stride;
    if (!Number.isNaN(values[at])) continue;
    values[at] = mean;
    filled++;
  }
  return filled;
};

const carryForward = (values: Float64Array | Float32Array, place: ColumnPlace, mean: number): number => {
  const { from, stride, count } = place;
  let last = mean;
  let filled = 0;
  for (let step = 0; step < count; step++) {
    const at = from + step * stride;
    if (!Number.isNaN(values[at])) last = values[at] as number;
    else {
      values[at] = last;
      filled++;
    }
  }
  return filled;
};

const interpolate = (
  values: Float64Array | Float32Array,
  { from, stride, count }: ColumnPlace,
  { mean, times }: Omit<FillGiven, 'strategy'>,
): number => {
  const at = (step: number) => from + step * stride;
  const timeOf = (step: number) => (times ? (times[step] as number) : step);
  let known = -1;
  let filled = 0;
  for (let step = 0; step <= count; step++) {
    if (step < count && Number.isNaN(values[at(step)])) continue;
    const [before, after] = [values[at(known)], values[at(step)]];
    for (let missing = known + 1; missing < step; missing++) {
      filled++;
      if (known === -1) values[at(missing)] = step < count ? (after as number) : mean;
      else if (step === count) values[at(missing)] = before as number;
      else {
        const share = (timeOf(missing) - timeOf(known)) / (timeOf(step) - timeOf(known));
        values[at(missing)] = (before as number) + share * ((after as number) - (before as number));
      }
    }
    known = step;
  }
  return filled;
};
