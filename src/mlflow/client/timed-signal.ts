import { longestTimerMs } from '../../system/long-timer.ts';

interface TimedSignal {
  readonly signal: AbortSignal;
  /** Stops the clock. */
  readonly release: () => void;
}

/**
 * A signal that aborts after a time, or with another one. `AbortSignal.any` holds a signal of
 * `AbortSignal.timeout` so weakly that it may be collected before its time, and then never aborts (Node 20).
 */
export const timedSignal = (ms: number, other?: AbortSignal): TimedSignal => {
  const controller = new AbortController();
  const stop = () => controller.abort(other?.reason);
  const timer = setTimeout(
    () => controller.abort(new DOMException('The time is over.', 'TimeoutError')),
    Math.ceil(Math.min(ms, longestTimerMs)),
  );
  if (other?.aborted) stop();
  other?.addEventListener('abort', stop);
  return {
    signal: controller.signal,
    release: () => {
      clearTimeout(timer);
      other?.removeEventListener('abort', stop);
    },
  };
};
