import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readSync, writeSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../system/cache-folder.ts';
import { isAlive, processIdentity } from '../system/process-identity.ts';
import { DataError } from './dataset.ts';

/**
 * The folder in the cache that belongs to `key`, plain JSON that says all that decides its content. `fill` writes the
 * files when there is none yet; the folder appears whole or not at all, also when two processes fill it at once.
 * Throws `DataError` when the cache cannot be written.
 */
export const packedFolder = async (
  key: readonly unknown[],
  fill: (folder: string) => Promise<void>,
): Promise<string> => {
  const name = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 32);
  const folder = join(cacheFolder(), 'datasets', 'packed', name);
  if (existsSync(folder)) return folder;
  await removeAbandoned(folder);
  const { pid, processStartedAt } = processIdentity();
  const beside = `${folder}.${pid}-${processStartedAt}-${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(beside, { recursive: true });
    await fill(beside);
    await rename(beside, folder).catch((error: unknown) => {
      // Another process was first, with the same content.
      if (!existsSync(folder)) throw error;
    });
  } catch (error) {
    throw cacheProblem(error) ?? error;
  } finally {
    // What is in the way of removing was in the way of writing, and is told already.
    await rm(beside, { recursive: true, force: true }).catch(() => undefined);
  }
  return folder;
};

/** Removes what processes that were killed while they filled this folder have left. */
const removeAbandoned = async (folder: string): Promise<void> => {
  const parent = dirname(folder);
  for (const name of await readdir(parent).catch(() => [])) {
    // Version 0.1.0 wrote no start time.
    const [, pid, startedAt = '0'] = /\.(\d+)(?:-(\d+))?-[0-9a-f]{8}$/.exec(name) ?? [];
    if (pid === undefined || !join(parent, name).startsWith(`${folder}.`)) continue;
    const filler = { host: hostname(), pid: Number(pid), processStartedAt: Number(startedAt) };
    if (!isAlive(filler)) await rm(join(parent, name), { recursive: true, force: true });
  }
};

/** What a person can mend about the cache, or undefined for any other error. */
const cacheProblem = (error: unknown): DataError | undefined => {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (['ENOSPC', 'EDQUOT'].includes(code)) {
    return new DataError(
      `There is no space left for the packed data in ${cacheFolder()}. Free some, or let UNROLL_CACHE name another folder.`,
    );
  }
  if (['EACCES', 'EPERM', 'EROFS', 'ENOTDIR'].includes(code)) {
    return new DataError(
      `The packed data cannot be written into ${cacheFolder()}. Let UNROLL_CACHE name a folder of yours.`,
    );
  }
  return undefined;
};

/** Writes all bytes to an open file; a single write may take fewer. */
export const writeWhole = (file: number, bytes: Uint8Array): void => {
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
};

/** Fills `into` from a place in an open file, and answers whether the file had as many bytes; a single read may give fewer. */
export const readWhole = (file: number, into: NodeJS.ArrayBufferView, from: number): boolean => {
  for (let done = 0; done < into.byteLength;) {
    const read = readSync(file, into, done, into.byteLength - done, from + done);
    if (read === 0) return false;
    done += read;
  }
  return true;
};
