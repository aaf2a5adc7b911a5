import { shown } from './cells.ts';

/** `2024-01`, `2024-01-31`, `2024-01-31T10:00`, `2024-01-31 10:00:00.25`, `2024-01-31T10:00:00Z`, `2024-01-31 10:00 +02:00`. */
const isoPattern =
  /^(\d{4})-(\d{2})(?:-(\d{2})(?:(?:[Tt]| +)(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?(?: ?(Z|z|[+-]\d{2}(?::?\d{2})?))?)?)?$/;

/** The forms that are read, for messages. */
export const isoForms = '2024-01-31, 2024-01-31 10:00:00 or 2024-01-31T10:00:00Z';

/**
 * Milliseconds since 1970-01-01T00:00:00Z of an ISO 8601 date, month or date-time, with a `T` or a space, fractions of a
 * second and a zone; without a zone it is in UTC. Undefined for any other string, and for a day that does not exist.
 */
export const parseDate = (text: string): number | undefined => {
  const found = isoPattern.exec(text.trim());
  if (!found) return undefined;
  const [, years, months, days = '1', hours = '0', minutes = '0', seconds = '0', fraction, zone] = found;
  const [year, month, day] = [Number(years), Number(months), Number(days)];
  const [hour, minute, second] = [Number(hours), Number(minutes), Number(seconds)];
  // 24:00 is the end of a day, and second 60 a leap second, which clocks count as the next minute.
  const isEndOfDay = hour === 24 && minute === 0 && second === 0 && !Number(fraction ?? 0);
  if ((hour > 23 && !isEndOfDay) || minute > 59 || second > 60) return undefined;
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day);
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return undefined;
  const offset = zone === undefined ? 0 : offsetOf(zone);
  if (offset === undefined) return undefined;
  return (
    midnight.getTime() +
    (hour * 60 + minute - offset) * 60_000 +
    second * 1000 +
    (fraction === undefined ? 0 : Number(`0.${fraction}`) * 1000)
  );
};

/** Milliseconds since 1970 of a date written as one number, `20240131`; undefined for any other number. */
export const dateInNumber = (number: number): number | undefined => {
  if (!Number.isInteger(number) || number < 1000_01_01 || number > 2999_12_31) return undefined;
  const text = String(number);
  return parseDate(`${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`);
};

/** Minutes that a zone is ahead of UTC. */
const offsetOf = (zone: string): number | undefined => {
  if (zone === 'Z' || zone === 'z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(':', ''))];
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
};

/** Dates and times of day as they are often written: `2024/1/31 10:00`, `31.1.2024`, `1/31/24`, `10:00:00`. */
const datePattern =
  /^(\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2}))([T ]+\d{1,2}:\d{2}.*)?$|^\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?$/;

/** Whether a cell holds a date or a time of day, in a form that is read or in another one. */
export const isDateLike = (cell: unknown): boolean =>
  cell instanceof Date || (typeof cell === 'string' && datePattern.test(cell.trim()));

/** What a column of times holds: numbers as they are, or dates in milliseconds since 1970. */
export type TimeKind = 'number' | 'date';

/** Reads a column of times: numbers or ISO dates, as its first time is. */
export interface TimeReader {
  /** The time, or what is wrong with the cell, to be put after "column x ". */
  readonly read: (cell: unknown) => number | string;
  /** Undefined before the first time. */
  readonly kind: () => TimeKind | undefined;
}

export const createTimeReader = (): TimeReader => {
  let kind: TimeKind | undefined;
  return {
    read: (cell) => {
      const time = timeIn(cell);
      if (typeof time === 'string') return time;
      kind ??= time.kind;
      if (kind === time.kind) return time.value;
      return kind === 'date'
        ? `has the number ${shown(cell)} after dates; write all of them as dates, or all as numbers`
        : `has the date ${shown(cell)} after numbers; write all of them as dates, or all as numbers`;
    },
    kind: () => kind,
  };
};

const timeIn = (cell: unknown): { readonly kind: TimeKind; readonly value: number } | string => {
  if (cell instanceof Date && !Number.isNaN(cell.getTime())) return { kind: 'date', value: cell.getTime() };
  if (typeof cell === 'number' && Number.isFinite(cell)) return { kind: 'number', value: cell };
  if (typeof cell === 'bigint') return { kind: 'number', value: Number(cell) };
  if (cell === undefined || cell === null || (typeof cell === 'string' && cell.trim() === ''))
    return 'is empty';
  if (typeof cell !== 'string') return `is not a time: ${shown(cell)}`;
  const number = Number(cell);
  if (Number.isFinite(number)) return { kind: 'number', value: number };
  const date = parseDate(cell);
  if (date !== undefined) return { kind: 'date', value: date };
  if (isoPattern.test(cell.trim())) return `has a day or a time that does not exist: ${shown(cell)}`;
  return isDateLike(cell)
    ? `has a date that is not ISO 8601: ${shown(cell)}; write ${isoForms}`
    : `is not a number or an ISO date: ${shown(cell)}`;
};
