import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** Start time in the unit of the platform (clock ticks since boot on Linux); 0 where it is unknown. */
  readonly processStartedAt: number;
  /**
   * Where its number counts: the boot of the machine, and the container. Two containers may have the same host name, and a
   * container that is started again another one. Absent on other platforms than Linux, and in records of earlier versions.
   */
  readonly space?: string;
}

const readSpace = (): string | undefined => {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return undefined;
  }
};

let ownSpace: { readonly found: string | undefined } | undefined;

const spaceHere = (): string | undefined => (ownSpace ??= { found: readSpace() }).found;

const isHere = ({ host, space }: ProcessIdentity): boolean => {
  const here = spaceHere();
  return space !== undefined && here !== undefined ? space === here : host === hostname();
};

/** State and start time. Field 22 of /proc/<pid>/stat, counted after the command name, which may itself hold spaces and brackets. */
const statOf = (pid: number): { readonly state: string; readonly startedAt: number } | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state = ''] = fields;
    // A zombie has ended; only its parent has not asked yet.
    return state === 'Z' ? undefined : { state, startedAt: Number(fields[19]) };
  } catch {
    return undefined;
  }
};

const startTimeOf = (pid: number): number | undefined => statOf(pid)?.startedAt;

const exists = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

let ownStart: number | undefined;

export const processIdentity = (pid: number = process.pid): ProcessIdentity => {
  const space = spaceHere();
  return {
    host: hostname(),
    pid,
    processStartedAt: (pid === process.pid ? (ownStart ??= startTimeOf(pid)) : startTimeOf(pid)) ?? 0,
    ...(space !== undefined && { space }),
  };
};

/** Whether this process can know for certain if another lives: it is on this host, and no later one has its number. */
export const canBeChecked = (identity: ProcessIdentity): boolean =>
  isHere(identity) && Boolean(identity.processStartedAt);

/** Whether two identities are of one process. */
export const isSameProcess = (one: ProcessIdentity, other: ProcessIdentity): boolean =>
  one.pid === other.pid &&
  one.processStartedAt === other.processStartedAt &&
  (one.space !== undefined && other.space !== undefined
    ? one.space === other.space
    : one.host === other.host);

/** Whether a process of this machine is stopped, as by SIGSTOP: it may wake up at any time. */
export const isStopped = (identity: ProcessIdentity): boolean =>
  canBeChecked(identity) && /^[Tt]$/.test(statOf(identity.pid)?.state ?? '');

/**
 * Whether the process lives. A process of another machine or container is taken to live, since it cannot be checked from here.
 */
export const isAlive = (identity: ProcessIdentity): boolean => {
  if (!isHere(identity)) return true;
  const started = startTimeOf(identity.pid);
  if (started !== undefined) return !canBeChecked(identity) || started === identity.processStartedAt;
  return process.platform !== 'linux' && exists(identity.pid);
};
