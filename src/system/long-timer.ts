/** Node's timers go no further than this, 24 days; longer ones end at once. */
export const longestTimerMs = 2 ** 31 - 1;

/** Calls a function after a time of any length. Returns what cancels it. */
export const afterMs = (ms: number, action: () => void): (() => void) => {
  const endsAt = performance.now() + ms;
  let timer: NodeJS.Timeout;
  const wait = (leftMs: number) => {
    timer =
      leftMs > longestTimerMs
        ? setTimeout(() => wait(endsAt - performance.now()), longestTimerMs)
        : setTimeout(action, Math.max(0, leftMs));
  };
  wait(ms);
  return () => clearTimeout(timer);
};
