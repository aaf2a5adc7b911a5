import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readRegularText } from '../system/files.ts';
import { freeMemory } from '../system/free-memory.ts';
import { cacheFolder } from '../system/cache-folder.ts';
import { makeFolder } from '../system/whole-folder.ts';

/**
 * The folder in the cache that belongs to `key`, plain JSON that names everything its content depends on. `fill` writes the
 * files when there is none yet. Throws a system error when the cache cannot be written.
 */
export const packedFolder = async (
  key: readonly unknown[],
  fill: (folder: string) => Promise<void>,
): Promise<string> => {
  const name = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 32);
  const folder = join(cacheFolder(), 'datasets', 'packed', name);
  let filled: boolean | undefined;
  await makeFolder(folder, async (into) => {
    await fill(into);
    filled = true;
  });
  // Reading a file leaves many times the memory of what is kept.
  if (filled) freeMemory();
  return folder;
};

/**
 * Plain JSON that belongs to `key`, made once and then read from the file `name` in its folder of the cache. Throws a
 * system error when the cache cannot be written.
 */
export const keptJson = async <T>(
  { name, key }: { readonly name: string; readonly key: readonly unknown[] },
  make: () => T | Promise<T>,
): Promise<T> => {
  const folder = await packedFolder(key, async (into) =>
    writeFile(join(into, name), JSON.stringify(await make())),
  );
  return JSON.parse(readRegularText(join(folder, name))) as T;
};
