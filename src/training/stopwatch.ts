import { phases, type Phase } from '../record/run-files.ts';

/** Measures where the time goes: at any moment one phase is under way. */
export interface Stopwatch {
  /** Ends the phase that is under way and begins another; answers the one before. */
  readonly enter: (phase: Phase) => Phase;
}

/** Measures nothing, for runs without a profile. */
export const idleStopwatch: Stopwatch = { enter: () => 'waiting' };

/** A stopwatch that runs from now on, `waiting` at first; `ms` answers the milliseconds of each phase up to now. */
export const startStopwatch = (): Stopwatch & { readonly ms: () => Readonly<Record<Phase, number>> } => {
  const spent = Object.fromEntries(phases.map((phase) => [phase, 0])) as Record<Phase, number>;
  let current: Phase = 'waiting';
  let since = performance.now();
  const enter = (phase: Phase): Phase => {
    const now = performance.now();
    spent[current] += now - since;
    since = now;
    const before = current;
    current = phase;
    return before;
  };
  const ms = () => {
    enter(current);
    return { ...spent };
  };
  return { enter, ms };
};
