import { readRegularText, ensureFolder } from './files.ts';
import { randomUUID } from 'node:crypto';
import { existsSync, linkSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseJson } from './json.ts';
import { ignoringSystemErrors, named, systemErrorOf } from './system-error.ts';
import {
  canBeChecked,
  isAlive,
  isSameProcess,
  isStopped,
  processIdentity,
  type ProcessIdentity,
} from './process-identity.ts';

/** A held lock. */
export interface Lock {
  /** Gives it back. */
  readonly release: () => void;
  /**
   * Whether it is still held. A process that was stopped for longer than the lease may have lost it to another one, and
   * must not write any more then. Cheap unless much of the lease has passed.
   */
  readonly isHeld: () => boolean;
}

/** What a lock protects was taken over by another process, because this one was stopped for too long. */
export class LockLost extends Error {
  constructor(path: string) {
    super(`${path} was taken over by another process, because this one was stopped for too long`);
  }
}

export interface HeldLock {
  readonly heldBy: ProcessIdentity;
}

export interface LockOptions {
  /**
   * Where this process keeps a file to link to, for who takes many locks. It saves making and deleting a file for each; a
   * file system that has deleted many lately takes longer for every new one.
   */
  readonly folder?: string;
  /**
   * A lock is a lease. Its holder renews it, and loses it after so long without a renewal if nobody can look at the
   * holder's process, or if that is stopped. All processes must lease a path alike.
   */
  readonly leaseMs?: number;
}

export interface WaitOptions extends LockOptions {
  /** Called once, when there is a holder to wait for. */
  readonly onWait?: (holder: ProcessIdentity) => void;
  /** How often to try again, in milliseconds. */
  readonly everyMs?: number;
}

/** How long a lock is held without being renewed. UNROLL_LEASE_MS is for tests, which cannot wait so long. */
export const defaultLeaseMs = Number(process.env['UNROLL_LEASE_MS']) || 30_000;

/** A lease is renewed this many times in its span, so that a busy process does not lose it. */
const renewalsPerLease = 12;

/**
 * Takes a lock file for this process, or returns its holder. The file appears with its content at once (a hard link to a
 * file that has it already), so no reader ever sees an empty one. A lock whose holder is gone is taken over; the takeover
 * is itself guarded by a lock, so that two processes that find the same dead one cannot both win.
 */
export const acquireLock = (path: string, options: LockOptions = {}): Lock | HeldLock => {
  ensureFolder(dirname(path));
  if (options.folder !== undefined) return linkLock(path, identityFile(options.folder), options);
  const beside = `${path}.${randomUUID()}.tmp`;
  try {
    writeAs(path, beside);
    return linkLock(path, beside, options);
  } finally {
    ignoringSystemErrors(() => rmSync(beside, { force: true }));
  }
};

/** Waits for a lock until `giveUp` returns true; then it returns the holder. */
export const waitForLockUnless = async (
  path: string,
  giveUp: () => boolean,
  options: WaitOptions = {},
): Promise<Lock | HeldLock> => {
  const { onWait, everyMs = 50 } = options;
  for (let waited = false; ; waited = true) {
    const lock = acquireLock(path, options);
    if ('release' in lock || giveUp()) return lock;
    if (!waited) onWait?.(lock.heldBy);
    await delay(everyMs);
  }
};

/** Waits for a lock as long as it takes. */
export const waitForLock = async (path: string, options: WaitOptions = {}): Promise<Lock> =>
  // It returns a holder only after giving up.
  (await waitForLockUnless(path, () => false, options)) as Lock;

/** How long a lock is waited for whose holder needs milliseconds. */
const patienceMs = 10_000;

/** Takes a lock that is held for a few milliseconds only. Rejects if it is not free in time. */
export const waitBriefly = async (path: string): Promise<Lock> => {
  const until = performance.now() + patienceMs;
  const lock = await waitForLockUnless(path, () => performance.now() > until, { everyMs: 2 });
  if ('release' in lock) return lock;
  const { pid, host } = lock.heldBy;
  throw new Error(
    `${path} is held by process ${pid} on ${host}. If that process no longer runs, delete the file.`,
  );
};

const linkLock = (
  path: string,
  identity: string,
  { leaseMs = defaultLeaseMs }: LockOptions,
): Lock | HeldLock => {
  for (let tries = 0; ; tries++) {
    if (tryLink(identity, path)) return leasedLock(path, leaseMs);
    const holder = readHolder(path);
    if (holder && isHolding(path, holder, leaseMs)) return { heldBy: holder };
    // Gone in between, or damaged by a power cut: only the second stays.
    if (!holder && tries < 20) continue;
    if (!holder) rmSync(path, { force: true });
    const guard = acquireLock(`${path}.takeover`);
    if ('heldBy' in guard) return guard;
    try {
      const still = readHolder(path);
      if (still && !isHolding(path, still, leaseMs)) rmSync(path, { force: true });
    } finally {
      guard.release();
    }
  }
};

/** Somebody may have deleted the lock by hand, and another process taken it. */
const removeOwn = (path: string, file: FileNumber | undefined): void => {
  // What cannot be deleted is a lock of a process that has ended, once this one has.
  if (isOwn(path, file)) ignoringSystemErrors(() => rmSync(path, { force: true }));
};

const leasedLock = (path: string, leaseMs: number): Lock => {
  const file = fileNumber(path);
  let confirmedAt = performance.now();
  const renew = (): boolean => {
    // The process may be stopped after it has read the lock, and lose it then.
    const askedAt = performance.now();
    if (!isOwn(path, file)) return false;
    // A disk that refuses it also refuses what the lock protects, which is reported.
    ignoringSystemErrors(() => utimesSync(path, new Date(), new Date()));
    confirmedAt = askedAt;
    return true;
  };
  const isFresh = () => performance.now() - confirmedAt < leaseMs / 2;
  renew();
  const renewal = setInterval(renew, leaseMs / renewalsPerLease);
  renewal.unref();
  return {
    isHeld: () => isFresh() || (renew() && isFresh()),
    release: () => {
      clearInterval(renewal);
      removeOwn(path, file);
    },
  };
};

/** What a file system calls a file, whatever its path. */
interface FileNumber {
  readonly device: number;
  readonly inode: number;
}

const fileNumber = (path: string): FileNumber | undefined => {
  try {
    const { dev, ino } = statSync(path);
    return { device: dev, inode: ino };
  } catch {
    return undefined;
  }
};

/** Whether the lock is still this process's: one that slept for longer than its lease may have lost it. */
const isOwn = (path: string, file: FileNumber | undefined): boolean => {
  try {
    const holder = readHolder(path);
    return holder !== undefined && isSameProcess(holder, processIdentity());
  } catch {
    // With too many open files, say, it can still be seen whether it is the file that this process has made.
    const now = fileNumber(path);
    return now !== undefined && now.inode === file?.inode && now.device === file.device;
  }
};

/** The process that a lock file names; undefined if the file is missing or damaged. Throws if it cannot be read. */
export const readHolder = (path: string): ProcessIdentity | undefined => {
  let text: string;
  try {
    text = readRegularText(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A folder or a pipe is no lock.
    if (code === 'ENOENT' || code === 'EISDIR' || systemErrorOf(error) === undefined) return undefined;
    throw named(error, path);
  }
  return parseJson(text) as ProcessIdentity | undefined;
};

/**
 * Whether a process that is recorded to hold a lock still does. One that lives holds it, however long it is silent; if
 * nobody can look at it, or it is stopped, only until its lease ends. The only function that decides this.
 */
export const isHolding = (path: string, holder: ProcessIdentity, leaseMs: number = defaultLeaseMs): boolean =>
  isAlive(holder) && ((canBeChecked(holder) && !isStopped(holder)) || isRenewed(path, leaseMs));

/** A lock from the future has not been renewed since the clock was set back. */
const isRenewed = (path: string, leaseMs: number): boolean => {
  const renewed = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return renewed !== undefined && Math.abs(Date.now() - renewed) <= leaseMs;
};

/** Who holds a lock and what to do about it, in a sentence. */
export const holderNote = ({ pid, host }: ProcessIdentity): string =>
  `process ${pid} on ${host}, which loses it ${defaultLeaseMs / 1000} s after it has ended or was stopped`;

/** The files that hold the identity of this process, by folder. */
const identities = new Map<string, string>();

const holderName = '.holder-';

/** A file with the identity of this process, until it ends. Those of processes that were killed are removed. */
const identityFile = (folder: string): string => {
  const known = identities.get(folder);
  if (known !== undefined && existsSync(known)) return known;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (!name.startsWith(holderName)) continue;
    // One that cannot be read or deleted holds nothing.
    ignoringSystemErrors(() => {
      const holder = readHolder(path);
      if (holder && !isHolding(path, holder)) rmSync(path, { force: true });
    });
  }
  if (identities.size === 0) process.once('exit', removeIdentities);
  const path = join(folder, `${holderName}${randomUUID()}`);
  writeAs(folder, path);
  identities.set(folder, path);
  return path;
};

/** Writes a file with the identity of this process. Its name means nothing to the user: errors have another path. */
const writeAs = (known: string, path: string): void => {
  try {
    writeFileSync(path, JSON.stringify(processIdentity()));
  } catch (error) {
    throw named(error, known, 'write');
  }
};

const removeIdentities = () => {
  for (const path of identities.values()) ignoringSystemErrors(() => rmSync(path, { force: true }));
};

const tryLink = (from: string, to: string): boolean => {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw named(error, to);
  }
};
