import { randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly token: string;
}

const beatMs = 5_000;
/** A holder that has not touched its lock for so long is taken for dead, wherever it ran. */
const silentMs = 60_000;

const readHolder = (file: string): Holder | undefined => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

const isStale = (file: string, holder: Holder | undefined): boolean => {
  const touched = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  if (touched === undefined) return false;
  if (holder?.host === hostname() && !isAlive(holder.pid)) return true;
  // Also for an empty file, whose holder died while writing it, and for a process number that was given again.
  return Date.now() - touched > silentMs;
};

/** Moves a dead holder's lock away, unless a living one has taken its place meanwhile. */
const removeStale = async (file: string, token: string | undefined): Promise<void> => {
  if (readHolder(file)?.token !== token) return;
  const aside = `${file}.${randomUUID()}`;
  await rename(file, aside).catch(() => undefined);
  await rm(aside, { force: true });
};

/**
 * Runs `work` while no other process on this cache does. The lock of a dead process is taken over. `onWait` is
 * called once, with the holder's process number, when there is someone to wait for.
 */
export const withLock = async <T>(
  file: string,
  work: () => Promise<T>,
  onWait: (pid: number) => void,
): Promise<T> => {
  const token = randomUUID();
  await mkdir(dirname(file), { recursive: true });
  for (let waited = false; ;) {
    try {
      const holder: Holder = { pid: process.pid, host: hostname(), token };
      await writeFile(file, JSON.stringify(holder), { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = readHolder(file);
    if (isStale(file, holder)) await removeStale(file, holder?.token);
    else {
      if (!waited && holder) onWait(holder.pid);
      waited ||= holder !== undefined;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  const beat = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => undefined), beatMs);
  beat.unref();
  try {
    return await work();
  } finally {
    clearInterval(beat);
    if (readHolder(file)?.token === token) await rm(file, { force: true });
  }
};
