import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** Start time in the unit of the platform (clock ticks since boot on Linux); 0 where it cannot be told. */
  readonly processStartedAt: number;
}

/** Field 22 of /proc/<pid>/stat, counted after the command name, which may itself hold spaces and brackets. */
const startTimeOf = (pid: number): number | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended; only its parent has not asked yet.
    return fields[0] === 'Z' ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
};

const exists = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

let ownStart: number | undefined;

export const processIdentity = (pid: number = process.pid): ProcessIdentity => ({
  host: hostname(),
  pid,
  processStartedAt: (pid === process.pid ? (ownStart ??= startTimeOf(pid)) : startTimeOf(pid)) ?? 0,
});

/** Whether this process can say for certain if another lives: it is on this host, and no later one has its number. */
export const canBeChecked = ({ host, processStartedAt }: ProcessIdentity): boolean =>
  host === hostname() && Boolean(processStartedAt);

/**
 * Whether the process lives. A process of another host is believed to live: nothing here can tell, and taking its work
 * would train a run twice.
 */
export const isAlive = (identity: ProcessIdentity): boolean => {
  if (identity.host !== hostname()) return true;
  const started = startTimeOf(identity.pid);
  if (started !== undefined) return !canBeChecked(identity) || started === identity.processStartedAt;
  return process.platform !== 'linux' && exists(identity.pid);
};
