import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { success } from '../../diagnostic/diagnostic.ts';
import type { Result } from '../../diagnostic/diagnostic.ts';
import { isIntact, sha256Of, writeDigests } from './digests.ts';
import { partKey } from './native-parts.ts';
import type { NativePart } from './native-parts.ts';
import { ensureFolder } from '../../system/files.ts';
import { ignoringSystemErrors } from '../../system/system-error.ts';

/** Where a part's library comes from: the compiler of this machine, or Unroll's package. */
export type LibraryOrigin = 'compiled' | 'prebuilt';

/** Returns the path of a part's library in the cache. */
export const libraryFile = (
  cache: string,
  part: NativePart,
  origin: LibraryOrigin,
  arch: string = process.arch,
): string => {
  const folder = `${part.name}-${partKey(part, arch)}${origin === 'prebuilt' ? '-prebuilt' : ''}`;
  return join(cache, 'native', folder, `${part.name}.node`);
};

/** Whether a library of the cache was made from the sources of this part. */
export const isMadeFrom = (library: string, part: NativePart): boolean =>
  basename(dirname(library)).replace(/-prebuilt$/, '') === `${part.name}-${partKey(part)}`;

/**
 * Returns a library of the cache; if it is missing or damaged, `make` makes it. Its folder appears whole, with the
 * library's digest, or not at all.
 */
export const provideLibrary = async (
  file: string,
  make: (output: string) => Promise<Result<void>>,
): Promise<Result<string>> => {
  const folder = dirname(file);
  if (await isIntact(folder)) return success(file);
  const temporary = `${folder}.${randomUUID()}.tmp`;
  const output = join(temporary, basename(file));
  ensureFolder(temporary);
  try {
    const made = await make(output);
    if (!made.ok) return made;
    writeDigests(temporary, { [basename(file)]: await sha256Of(output) });
    await rm(folder, { recursive: true, force: true });
    await rename(temporary, folder);
    return success(file);
  } finally {
    ignoringSystemErrors(() => rmSync(temporary, { recursive: true, force: true }));
  }
};
