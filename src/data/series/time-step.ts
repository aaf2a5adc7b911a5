import type { TimeKind } from '../columns/dates.ts';

/** How far apart the rows of a series are. */
export type TimeStep =
  /** Always the same number: of the time column's unit, or milliseconds. */
  | { readonly kind: 'fixed'; readonly length: number }
  | { readonly kind: 'months'; readonly months: number }
  /** One day, without Saturdays and Sundays. */
  | { readonly kind: 'weekdays' }
  /** Not evenly: each row is a step, however long. */
  | { readonly kind: 'uneven' };

/** Times of one series after another, each series in rising order: series `k` is `[starts[k], starts[k + 1])`. */
export interface SeriesTimes {
  readonly kind: TimeKind;
  readonly times: Float64Array;
  readonly starts: ArrayLike<number>;
}

export const dayMs = 86_400_000;

/** The step that most rows are apart, if all of them are a multiple of it apart. */
export const findTimeStep = (given: SeriesTimes): TimeStep => {
  const candidates = given.kind === 'number' ? [plainScale] : [weekdayScale, monthScale, plainScale];
  for (const scale of candidates) {
    const found = stepOn(given, scale);
    if (found !== undefined) return found;
  }
  return { kind: 'uneven' };
};

/** A way to number times so that rows that are evenly apart have evenly spaced numbers. */
interface Scale {
  /** The number of a time; NaN where the scale does not fit it. */
  readonly numberOf: (time: number) => number;
  readonly step: (most: number) => TimeStep | undefined;
}

const plainScale: Scale = {
  numberOf: (time) => time,
  step: (length) => ({ kind: 'fixed', length }),
};

/** Months since the year 0, of times that are at the same day and time of a month. */
const monthScale: Scale = {
  numberOf: monthNumber,
  step: (months) => ({ kind: 'months', months }),
};

/** Days since 1970 without weekends; only a step of one such day is of use. */
const weekdayScale: Scale = {
  numberOf: weekdayNumber,
  step: (days) => (days === 1 ? { kind: 'weekdays' } : undefined),
};

function monthNumber(time: number): number {
  const date = new Date(time);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

function weekdayNumber(time: number): number {
  const day = time / dayMs;
  // 1970-01-05 was a Monday.
  const since = day - 4;
  const week = Math.floor(since / 7);
  const inWeek = since - 7 * week;
  return Number.isInteger(day) && inWeek < 5 ? 5 * week + inWeek : Number.NaN;
}

/** At least this share of the rows must be one step apart. */
const leastShare = 0.5;

/** More different distances than that are no step. */
const mostDistances = 10_000;

const stepOn = (given: SeriesTimes, scale: Scale): TimeStep | undefined => {
  if (scale === monthScale && !isMonthly(given)) return undefined;
  if (scale === weekdayScale && !skipsWeekends(given)) return undefined;
  const counts = new Map<number, number>();
  let total = 0;
  for (const distance of distancesOn(given, scale.numberOf)) {
    if (!Number.isFinite(distance)) return undefined;
    total++;
    const key = rounded(distance);
    const count = counts.get(key);
    if (count === undefined && counts.size === mostDistances) return undefined;
    counts.set(key, (count ?? 0) + 1);
  }
  const [most, count] = [...counts].reduce(
    (best, one) => (one[1] > best[1] || (one[1] === best[1] && one[0] < best[0]) ? one : best),
    [0, 0],
  );
  if (total === 0 || most <= 0 || count < leastShare * total) return undefined;
  const even = [...counts.keys()].every((distance) => isMultiple(distance, most));
  return even ? scale.step(most) : undefined;
};

/** Distances of decimal fractions differ in their last digits. */
const rounded = (distance: number): number =>
  Number.isInteger(distance) ? distance : Number(distance.toPrecision(9));

const isMultiple = (distance: number, step: number): boolean => {
  const steps = distance / step;
  return Math.round(steps) >= 1 && Math.abs(steps - Math.round(steps)) < 1e-3;
};

const distancesOn = function* (
  { times, starts }: SeriesTimes,
  numberOf: Scale['numberOf'],
): Generator<number> {
  for (let series = 0; series + 1 < starts.length; series++) {
    const [start, end] = [starts[series] as number, starts[series + 1] as number];
    let before = numberOf(times[start] as number);
    for (let row = start + 1; row < end; row++) {
      const here = numberOf(times[row] as number);
      yield here - before;
      before = here;
    }
  }
};

/** Whether all times are at the same day of the month, or all on the last day of one. */
const isMonthly = ({ times }: SeriesTimes): boolean => {
  const [first = 0] = times;
  const dayOf = (time: number) => new Date(time).getUTCDate();
  const timeOf = (time: number) => time - Math.floor(time / dayMs) * dayMs;
  const sameDay = times.every((time) => dayOf(time) === dayOf(first) && timeOf(time) === timeOf(first));
  return sameDay || times.every((time) => dayOf(time + dayMs) === 1 && timeOf(time) === timeOf(first));
};

/** Whether there are days on both sides of weekends, and never one on a weekend. */
const skipsWeekends = ({ times, starts }: SeriesTimes): boolean => {
  if (!times.every((time) => Number.isFinite(weekdayNumber(time)))) return false;
  const distances = [...distancesOn({ kind: 'date', times, starts }, (time) => time / dayMs)];
  return distances.includes(1) && distances.includes(3);
};

/** How many steps lie between two times of a series; 1 for neighbours. */
export const stepsBetween = (step: TimeStep, from: number, to: number): number => {
  switch (step.kind) {
    case 'fixed':
      return Math.round((to - from) / step.length);
    case 'months':
      return Math.round((monthNumber(to) - monthNumber(from)) / step.months);
    case 'weekdays':
      return weekdayNumber(to) - weekdayNumber(from);
    case 'uneven':
      return 1;
  }
};

/** The time some steps after another. */
export const timeAfter = (step: TimeStep, from: number, steps: number): number => {
  switch (step.kind) {
    case 'fixed':
      return from + steps * step.length;
    case 'months':
      return monthsAfter(from, steps * step.months);
    case 'weekdays': {
      let time = from;
      for (let left = steps; left > 0;) {
        time += dayMs;
        if (Number.isFinite(weekdayNumber(time))) left--;
      }
      return time;
    }
    case 'uneven':
      return from;
  }
};

/** The same day of a later month, or its last day where the first is the last of its own. */
const monthsAfter = (from: number, months: number): number => {
  const date = new Date(from);
  const isLast = new Date(from + dayMs).getUTCDate() === 1;
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + months];
  const ofDay = from - Math.floor(from / dayMs) * dayMs;
  const lastDay = new Date(0).setUTCFullYear(year, month + 1, 0);
  const sameDay = new Date(0).setUTCFullYear(year, month, date.getUTCDate());
  return (isLast ? lastDay : Math.min(sameDay, lastDay)) + ofDay;
};

const units = [
  ['week', 7 * dayMs],
  ['day', dayMs],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

/** A step as messages show it: `1 day`, `3 months`, `0.5`. */
export const describeStep = (step: TimeStep, kind: TimeKind): string => {
  switch (step.kind) {
    case 'fixed': {
      if (kind === 'number') return String(step.length);
      const [unit, ms] = units.find(([, one]) => step.length % one === 0) ?? ['ms', 1];
      return plural(step.length / ms, unit);
    }
    case 'months':
      return step.months % 12 === 0 ? plural(step.months / 12, 'year') : plural(step.months, 'month');
    case 'weekdays':
      return '1 weekday';
    case 'uneven':
      return 'uneven';
  }
};

const plural = (count: number, unit: string): string =>
  count === 1 || unit === 'ms' ? `${count} ${unit}` : `${count} ${unit}s`;

/** A time as the file has it: a number, a date, or a date with its time of day. */
export const writeTime = (time: number, kind: TimeKind): string => {
  if (kind === 'number') return String(time);
  const text = new Date(time).toISOString();
  if (text.endsWith('T00:00:00.000Z')) return text.slice(0, -14);
  return text.endsWith(':00.000Z') ? `${text.slice(0, -8)}Z` : text;
};
