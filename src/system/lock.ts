import { randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isAlive, processIdentity, type ProcessIdentity } from './process-identity.ts';

/** A held lock; `release` gives it back. */
export interface Lock {
  readonly release: () => void;
}

let attempts = 0;

const readHolder = (path: string): ProcessIdentity | undefined => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
};

/**
 * Takes a lock file for this process, or says who holds it. The file appears with its content at once (a hard link to a
 * file that has it already), so no reader ever sees an empty one. A lock whose process is dead is taken over; the takeover
 * is itself guarded by a lock, so that two processes that find the same dead one cannot both win.
 *
 * `folder`: where this process keeps a file to link to, for who takes many locks. A file less is made and deleted for
 * each; a file system that has deleted many lately takes longer for every new one.
 */
export const acquireLock = (path: string, folder?: string): Lock | { readonly heldBy: ProcessIdentity } => {
  mkdirSync(dirname(path), { recursive: true });
  if (folder !== undefined) return linkLock(path, identityFile(folder));
  const beside = `${path}.${process.pid}-${attempts++}`;
  try {
    writeFileSync(beside, JSON.stringify(processIdentity()));
    return linkLock(path, beside);
  } finally {
    rmSync(beside, { force: true });
  }
};

const linkLock = (path: string, identity: string): ReturnType<typeof acquireLock> => {
  for (let tries = 0; ; tries++) {
    if (tryLink(identity, path)) return { release: () => rmSync(path, { force: true }) };
    const holder = readHolder(path);
    if (holder && isAlive(holder)) return { heldBy: holder };
    // Gone in between, or damaged by a power cut: the second is told from the first by staying.
    if (!holder && tries < 20) continue;
    if (!holder) rmSync(path, { force: true });
    const guard = acquireLock(`${path}.takeover`);
    if ('heldBy' in guard) return guard;
    const still = readHolder(path);
    if (still && !isAlive(still)) rmSync(path, { force: true });
    guard.release();
  }
};

/** The files in which this process says who it is, by folder. */
const identities = new Map<string, string>();

const holderName = '.holder-';

/** A file with the identity of this process, until it ends. Those of processes that were killed are removed. */
const identityFile = (folder: string): string => {
  const known = identities.get(folder);
  if (known !== undefined && existsSync(known)) return known;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (!name.startsWith(holderName)) continue;
    const holder = readHolder(path);
    if (holder && !isAlive(holder)) rmSync(path, { force: true });
  }
  if (identities.size === 0) process.once('exit', removeIdentities);
  const path = join(folder, `${holderName}${randomUUID()}`);
  writeFileSync(path, JSON.stringify(processIdentity()));
  identities.set(folder, path);
  return path;
};

const removeIdentities = () => {
  for (const path of identities.values()) rmSync(path, { force: true });
};

const tryLink = (from: string, to: string): boolean => {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
};
