import type { Execution } from '../language/config.ts';
import { formatDuration } from '../terminal/format.ts';
import type { RunListener } from '../record/events.ts';
import { stopGraceMs, type Pool } from './pool/pool.ts';

/** Node's timers go no further than this, 24 days. */
const longestTimerMs = 2 ** 31 - 1;

/** Ends the running runs with a checkpoint when the budget's time is over. */
export const startBudget = (
  { budget }: Execution,
  { pool, listener }: { readonly pool: Pool; readonly listener: RunListener },
): { readonly spent: AbortSignal; readonly cancel: () => void } => {
  const over = new AbortController();
  const spent = over.signal;
  const timeMs = budget?.timeMs ?? null;
  if (timeMs === null) return { spent, cancel: () => undefined };
  const end = () => {
    const message = `The budget of ${formatDuration(timeMs)} is spent: running runs end with a checkpoint, no other begins.`;
    listener({ type: 'note', level: 'info', message });
    over.abort();
    pool.stopAll('interrupted', stopGraceMs);
  };
  const timer = setTimeout(end, Math.min(timeMs, longestTimerMs));
  return { spent, cancel: () => clearTimeout(timer) };
};
