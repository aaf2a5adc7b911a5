import { afterEach, expect, test, vi } from 'vitest';
import { afterMs, longestTimerMs } from '../../src/system/long-timer.ts';

afterEach(() => void vi.useRealTimers());

const month = 30 * 24 * 3600 * 1000;

// Nobody can wait for 30 days, so the clock is not the real one.
test.each([1, longestTimerMs, longestTimerMs + 1, month, 12 * month])(
  'what is wanted after %i ms happens then, and not before',
  (ms) => {
    vi.useFakeTimers();
    const action = vi.fn();
    afterMs(ms, action);
    vi.advanceTimersByTime(ms - 1);
    expect(action).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(action).toHaveBeenCalledOnce();
  },
);

test('what is cancelled does not happen, also in a later part of the time', () => {
  vi.useFakeTimers();
  const action = vi.fn();
  const cancel = afterMs(month, action);
  vi.advanceTimersByTime(longestTimerMs + 1);
  cancel();
  vi.advanceTimersByTime(month);
  expect(action).not.toHaveBeenCalled();
});
