import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
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
 * file written beside), so no reader ever sees an empty one. A lock whose process is dead is taken over; the takeover is
 * itself guarded by a lock, so that two processes that find the same dead one cannot both win.
 */
export const acquireLock = (path: string): Lock | { readonly heldBy: ProcessIdentity } => {
  mkdirSync(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}-${attempts++}`;
  try {
    writeFileSync(beside, JSON.stringify(processIdentity()));
    for (let tries = 0; ; tries++) {
      if (tryLink(beside, path)) return { release: () => rmSync(path, { force: true }) };
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
  } finally {
    rmSync(beside, { force: true });
  }
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
