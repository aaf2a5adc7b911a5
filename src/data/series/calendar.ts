/** What a calendar input is taken from. */
export const calendarFields = ['minute', 'hour', 'dayOfWeek', 'dayOfMonth', 'dayOfYear', 'month'] as const;

export type CalendarField = (typeof calendarFields)[number];

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** How much of the field's cycle has passed at a time (milliseconds since 1970, UTC), from 0 up to 1. */
export const phaseOf = (field: CalendarField, time: number): number => {
  const date = new Date(time);
  const year = date.getUTCFullYear();
  switch (field) {
    case 'minute':
      return wrapped(time / hourMs);
    case 'hour':
      return wrapped(time / dayMs);
    case 'dayOfWeek':
      // 1970-01-05 was a Monday.
      return wrapped((time / dayMs - 4) / 7);
    case 'dayOfMonth': {
      const start = startOfMonth(year, date.getUTCMonth());
      return (time - start) / (startOfMonth(year, date.getUTCMonth() + 1) - start);
    }
    case 'dayOfYear': {
      const start = startOfYear(year);
      return (time - start) / (startOfYear(year + 1) - start);
    }
    case 'month':
      return date.getUTCMonth() / 12;
  }
};

const wrapped = (turns: number): number => turns - Math.floor(turns);

/** `Date.UTC` takes the years 0 to 99 for 1900 to 1999. */
const startOfMonth = (year: number, month: number): number => new Date(0).setUTCFullYear(year, month, 1);

const startOfYear = (year: number): number => startOfMonth(year, 0);
