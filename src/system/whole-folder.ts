import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { systemErrorOf } from './system-error.ts';
import { isAlive, processIdentity } from './process-identity.ts';
import { ensureFolder } from './files.ts';

/**
 * Makes a folder unless it is there. `fill` writes its files into an empty folder beside it; the folder appears whole or
 * not at all, also when two processes with the same content make it at once.
 */
export const makeFolder = async (
  folder: string,
  fill: (beside: string) => Promise<void> | void,
): Promise<void> => {
  if (existsSync(folder)) return;
  await stageFolder(folder, async (beside) => {
    await fill(beside);
    await placeFolder(beside, folder);
  });
};

/** Gives a filled folder its name. Another process may have been first, with the same content. */
export const placeFolder = async (beside: string, folder: string): Promise<void> => {
  await rename(beside, folder).catch((error: unknown) => {
    if (!existsSync(folder)) throw error;
  });
};

/**
 * Calls a function with a new empty folder beside `folder`, and removes what the function leaves there. Errors name
 * `shown`, the path that the user knows.
 */
export const stageFolder = async <T>(
  folder: string,
  act: (beside: string) => Promise<T>,
  shown = folder,
): Promise<T> => {
  await removeAbandoned(folder);
  const { pid, processStartedAt } = processIdentity();
  const beside = `${folder}.${pid}-${processStartedAt}-${randomBytes(4).toString('hex')}`;
  try {
    ensureFolder(beside);
    return await act(beside);
  } catch (error) {
    const { path } = error as NodeJS.ErrnoException;
    // The folder beside is of no use to the user, and a write to an open file has no path at all.
    if (systemErrorOf(error) && (path === undefined || path.startsWith(beside)))
      Object.assign(error as object, { path: shown, dest: undefined });
    throw error;
  } finally {
    // What prevents the removal also prevented the writing, and that error is reported.
    await rm(beside, { recursive: true, force: true }).catch(() => undefined);
  }
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
