import { setTimeout as sleep } from 'node:timers/promises';

export interface BackoffSettings {
  readonly backoffFactor: number;
  readonly jitterMs: number;
  readonly respectRetryAfter: boolean;
}

const longestWaitMs = 60_000;

/**
 * How long to wait before the next attempt: exponential with full jitter on top, as MLflow's own client does it, never
 * more than a minute; a server that names a time is obeyed. `failures` counts from 1, `draw` is in [0, 1).
 */
export const backoffMs = (
  failures: number,
  settings: BackoffSettings,
  retryAfterMs: number | undefined,
  draw: number,
): number => {
  const own = Math.min(
    longestWaitMs,
    settings.backoffFactor * 1000 * 2 ** (failures - 1) + draw * settings.jitterMs,
  );
  return settings.respectRetryAfter && retryAfterMs !== undefined
    ? Math.min(retryAfterMs, 5 * longestWaitMs) + draw * Math.min(settings.jitterMs, 1000)
    : own;
};

/** Waits, or stops waiting when the signal aborts; false then. */
export const wait = async (ms: number, signal?: AbortSignal): Promise<boolean> => {
  if (signal?.aborted) return false;
  try {
    await sleep(ms, undefined, signal ? { signal } : {});
    return true;
  } catch {
    return false;
  }
};
