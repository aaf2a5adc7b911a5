import { createHash, randomBytes } from 'node:crypto';
import { existsSync, writeSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../cache-folder.ts';

/**
 * The folder in the cache that belongs to `key`, plain JSON that says all that decides its content. `fill` writes the
 * files when there is none yet; the folder appears whole or not at all, also when two processes fill it at once.
 */
export const packedFolder = async (
  key: readonly unknown[],
  fill: (folder: string) => Promise<void>,
): Promise<string> => {
  const name = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 32);
  const folder = join(cacheFolder(), 'datasets', 'packed', name);
  if (existsSync(folder)) return folder;
  const beside = `${folder}.${process.pid}-${randomBytes(4).toString('hex')}`;
  await mkdir(beside, { recursive: true });
  try {
    await fill(beside);
    await rename(beside, folder).catch((error: unknown) => {
      // Another process was first, with the same content.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
  return folder;
};

/** Writes all bytes to an open file; a single write may take fewer. */
export const writeWhole = (file: number, bytes: Uint8Array): void => {
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
};
