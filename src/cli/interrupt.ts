/** The two stages of Ctrl-C. */
export interface Interruption {
  /** Aborted by the first: running steps end in order. */
  readonly stop: AbortSignal;
  /** Aborted by the second: everything ends at once. */
  readonly kill: AbortSignal;
  /** Gives the signals back to their usual meaning. */
  readonly release: () => void;
}

/** Listens for Ctrl-C (and for the signals of a closed terminal or a batch system) and calls `announce` at each stage. */
export const listenForInterruption = (announce: (stage: 'stop' | 'kill') => void): Interruption => {
  const stop = new AbortController();
  const kill = new AbortController();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const onSignal = () => {
    const stage = stop.signal.aborted ? 'kill' : 'stop';
    if (kill.signal.aborted) return;
    announce(stage);
    (stage === 'stop' ? stop : kill).abort();
  };
  for (const signal of signals) process.on(signal, onSignal);
  return {
    stop: stop.signal,
    kill: kill.signal,
    release: () => {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
};
