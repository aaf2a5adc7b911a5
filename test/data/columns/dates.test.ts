import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTimeReader, isDateLike, parseDate } from '../../../src/data/columns/dates.ts';

describe('parseDate', () => {
  it.each([
    ['1970-01-01', 0],
    ['1949-03', Date.UTC(1949, 2, 1)],
    ['2024-02-29', Date.UTC(2024, 1, 29)],
    ['2024-01-31T10:05', Date.UTC(2024, 0, 31, 10, 5)],
    ['2024-01-31 10:05:07', Date.UTC(2024, 0, 31, 10, 5, 7)],
    ['2024-01-31t10:05:07z', Date.UTC(2024, 0, 31, 10, 5, 7)],
    [' 2024-01-31 10:05:07 +02:00 ', Date.UTC(2024, 0, 31, 8, 5, 7)],
    ['2024-01-31T10:05:07-0330', Date.UTC(2024, 0, 31, 13, 35, 7)],
    ['2024-01-31T10:05:07+01', Date.UTC(2024, 0, 31, 9, 5, 7)],
    ['2024-01-31T10:05:07.25Z', Date.UTC(2024, 0, 31, 10, 5, 7, 250)],
    ['2024-01-31T10:05:07,5', Date.UTC(2024, 0, 31, 10, 5, 7, 500)],
    ['2023-12-31T24:00', Date.UTC(2024, 0, 1)],
    ['2016-12-31T23:59:60Z', Date.UTC(2017, 0, 1)],
  ])('reads %s', (text, milliseconds) => expect(parseDate(text)).toBe(milliseconds));

  it('keeps fractions below a millisecond', () => {
    expect(parseDate('1970-01-01T00:00:00.123456')).toBeCloseTo(123.456, 9);
  });

  it.each([
    ...['2023-02-29', '2024-13-01', '2024-00-10', '2024-01-32', '2024-01-31T25:00', '2024-01-31T10:60'],
    ...['2024-01-31T24:01', '31.01.2024', '01/31/2024', '2024/01/31', '2024-1-31', '10:00', '2024', '', 'x'],
    ...['2024-01-31T10', '2024-01-31T10:00+25:00', '2024-01Z'],
  ])('refuses %j', (text) => expect(parseDate(text)).toBeUndefined());

  it('reads back what Date writes', () => {
    const year9999 = 253_402_300_799_999;
    fc.assert(
      fc.property(fc.integer({ min: -62_167_219_200_000, max: year9999 }), (time) => {
        expect(parseDate(new Date(time).toISOString())).toBe(time);
      }),
      { seed: 18 },
    );
  });
});

it('recognizes dates in forms that it does not read', () => {
  expect(['31.1.2024', '2024/1/31 10:00', '10:00:00', '2024-01-31', new Date()].every(isDateLike)).toBe(true);
  expect(['3.5', '1-2', 'x', 7, null].some(isDateLike)).toBe(false);
});

describe('a column of times', () => {
  it('is of numbers or of dates, as its first time is', () => {
    const numbers = createTimeReader();
    expect([numbers.kind(), numbers.read('1e3'), numbers.read(2), numbers.kind()]).toEqual([
      undefined,
      1000,
      2,
      'number',
    ]);
    expect(numbers.read('2024-01-31')).toBe(
      'has the date "2024-01-31" after numbers; write all of them as dates, or all as numbers',
    );
    const dates = createTimeReader();
    expect([dates.read(new Date(5)), dates.read('1970-01-02'), dates.kind()]).toEqual([
      5,
      86_400_000,
      'date',
    ]);
    expect(dates.read('7')).toMatch(/^has the number "7" after dates/);
  });

  it('refuses anything else, with the form that is read', () => {
    const { read } = createTimeReader();
    expect(read('31.1.2024')).toBe(
      'has a date that is not ISO 8601: "31.1.2024"; write 2024-01-31, 2024-01-31 10:00:00 or 2024-01-31T10:00:00Z',
    );
    expect([read(''), read(null), read('soon')]).toEqual([
      'is empty',
      'is empty',
      'is not a number or an ISO date: "soon"',
    ]);
  });
});
