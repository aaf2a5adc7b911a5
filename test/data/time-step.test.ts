import { describe, expect, it } from 'vitest';
import {
  describeStep,
  findTimeStep,
  stepsBetween,
  timeAfter,
  writeTime,
} from '../../src/data/series/time-step.ts';
import { phaseOf } from '../../src/data/series/calendar.ts';
import { findSeason } from '../../src/data/series/season.ts';
import type { SeriesPack } from '../../src/data/series/series-pack.ts';

const dates = (...texts: readonly string[]) => Float64Array.from(texts, (text) => Date.parse(text));

const stepOf = (kind: 'number' | 'date', times: Float64Array) =>
  findTimeStep({ kind, times, starts: [0, times.length] });

describe('the step of a time column', () => {
  it.each([
    ['1 day', dates('2024-02-27', '2024-02-28', '2024-02-29', '2024-03-02')],
    ['15 minutes', dates('2024-01-01T00:00Z', '2024-01-01T00:15Z', '2024-01-01T00:45Z', '2024-01-01T01:00Z')],
    ['1 month', dates('2024-01-01', '2024-02-01', '2024-03-01', '2024-05-01')],
    ['1 month', dates('2024-01-31', '2024-02-29', '2024-03-31', '2024-04-30')],
    ['3 months', dates('2023-01-01', '2023-04-01', '2023-07-01', '2023-10-01')],
    ['1 year', dates('2000-01-01', '2001-01-01', '2002-01-01', '2004-01-01')],
    ['1 weekday', dates('2024-01-04', '2024-01-05', '2024-01-08', '2024-01-09', '2024-01-10')],
    ['1 week', dates('2024-01-05', '2024-01-12', '2024-01-19', '2024-02-02')],
    ['uneven', dates('2024-01-01', '2024-01-02', '2024-01-03', '2024-01-04T12:00Z')],
  ])('is %s', (wanted, times) => {
    expect(describeStep(stepOf('date', times), 'date')).toBe(wanted);
  });

  it('is a number in a column of numbers, decimal fractions among them', () => {
    expect(stepOf('number', Float64Array.of(0.1, 0.2, 0.30000000000000004, 0.5))).toMatchObject({
      kind: 'fixed',
      length: expect.closeTo(0.1, 9) as number,
    });
    expect(stepOf('number', Float64Array.of(1, 2, 4, 8, 16)).kind).toBe('uneven');
  });

  it('counts and makes the times between', () => {
    const months = stepOf('date', dates('2024-01-31', '2024-02-29', '2024-03-31'));
    const [january = 0, april = 0] = dates('2024-01-31', '2024-04-30');
    expect(stepsBetween(months, january, april)).toBe(3);
    expect(writeTime(timeAfter(months, january, 1), 'date')).toBe('2024-02-29');
    const weekdays = stepOf('date', dates('2024-01-04', '2024-01-05', '2024-01-08', '2024-01-09'));
    const [friday = 0, tuesday = 0] = dates('2024-01-05', '2024-01-09');
    expect(stepsBetween(weekdays, friday, tuesday)).toBe(2);
    expect(writeTime(timeAfter(weekdays, friday, 1), 'date')).toBe('2024-01-08');
  });
});

it.each([
  ['minute', '2024-03-01T10:15:00Z', 0.25],
  ['hour', '2024-03-01T18:00:00Z', 0.75],
  ['dayOfWeek', '2024-01-01T00:00:00Z', 0],
  ['dayOfWeek', '2024-01-07T00:00:00Z', 6 / 7],
  ['dayOfMonth', '2024-02-15T12:00:00Z', 0.5],
  ['dayOfYear', '2023-07-02T12:00:00Z', 0.5],
  ['month', '2024-04-30T00:00:00Z', 0.25],
] as const)('the phase of %s at %s', (field, time, phase) => {
  expect(phaseOf(field, Date.parse(time))).toBeCloseTo(phase, 9);
});

it('a season is found under a trend, and none in a plain line', () => {
  const seasonOf = (valueAt: (t: number) => number) => {
    const times = Float64Array.from({ length: 200 }, (_, t) => t);
    const pack = {
      times,
      starts: [0, 200],
      series: [''],
      columns: ['y'],
      values: times.map(valueAt),
    } as unknown as SeriesPack;
    return findSeason(pack, { from: -Infinity, to: 150 });
  };
  expect(seasonOf((t) => 3 * t + 20 * Math.sin((2 * Math.PI * t) / 7) + Math.sin(t * 12.9898))).toBe(7);
  expect(seasonOf((t) => 3 * t)).toBeUndefined();
});
