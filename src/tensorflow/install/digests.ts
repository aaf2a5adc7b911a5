import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Type } from '@sinclair/typebox';
import { digestOf } from '../../system/file-digest.ts';
import { readJsonIfWhole, writeJson } from '../../system/files.ts';
import { parserOf } from '../../system/schema.ts';

/** Hex SHA-256 of a folder's files, by their paths below it. */
export type Digests = Readonly<Record<string, string>>;

/** Lies in each folder of libraries in the cache. */
const digestsFile = (folder: string): string => join(folder, 'digests.json');

/** Hex SHA-256 of a file. */
export const sha256Of = async (file: string): Promise<string> => (await digestOf(file)).sha256;

/** Records what a folder holds, as the last step of making it. */
export const writeDigests = (folder: string, digests: Digests): void =>
  writeJson(digestsFile(folder), digests);

const parseDigests = parserOf(Type.Record(Type.String(), Type.String()));

/** What a folder should hold; undefined if that was never recorded. */
export const readDigests = (folder: string): Digests | undefined =>
  readJsonIfWhole(digestsFile(folder), parseDigests);

/** Whether a folder holds every file that was recorded, each with its digest. Reads all of them. */
export const isIntact = async (folder: string): Promise<boolean> => {
  const recorded = Object.entries(readDigests(folder) ?? {});
  if (recorded.length === 0) return false;
  for (const [name, digest] of recorded) {
    const file = join(folder, name);
    if (!statSync(file, { throwIfNoEntry: false })?.isFile() || (await sha256Of(file)) !== digest)
      return false;
  }
  return true;
};
