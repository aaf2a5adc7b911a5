import { formatDuration } from '../../terminal/format.ts';

/** Clocks that differ by more than this are refused: leases of locks on a shared file system compare them. */
const toleratedMs = 10_000;

/**
 * What is wrong with two clocks by which something that came later has an earlier time; undefined where nothing is. A later
 * time alone proves nothing: a job may have waited, and a file system shows files late.
 */
export const clockFault = (
  { earlier, later }: { readonly earlier: number; readonly later: number },
  { here, there }: { readonly here: string; readonly there: string },
): string | undefined =>
  earlier - later <= toleratedMs
    ? undefined
    : `The clock of ${here} is at least ${formatDuration(earlier - later)} behind that of ${there}. Locks on a shared file system need clocks that agree: set up NTP on both.`;
