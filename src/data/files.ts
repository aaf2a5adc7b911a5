import { createHash, hash } from 'node:crypto';
import { constants, statSync, type Stats } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { cacheFolder } from '../system/cache-folder.ts';
import { changeStamp } from '../system/change-stamp.ts';
import { writeWhole, endlessFile, streamOf, readRegular, readRegularText } from '../system/files.ts';
import { nearest } from '../diagnostic/nearest.ts';
import { DataError, type DataContext, type ReadProgress } from './dataset.ts';

/** A file of the user's own data: where it is, and what messages call it. */
export interface DataFile {
  readonly path: string;
  /** As it was written in the spec. */
  readonly name: string;
  /** The parameter that names it: `testFile`. */
  readonly parameter: string;
  readonly size: number;
  readonly reading?: DataContext['reading'];
  /** Of data that never was on a disk; its `path` is then empty. */
  readonly content?: Uint8Array;
}

/** The file that a parameter names. Throws `DataError` at that parameter when there is no such file. */
export const findDataFile = async (
  name: string,
  { baseDirectory, reading }: DataContext,
  parameter: string,
): Promise<DataFile> => {
  const path = resolve(baseDirectory, name);
  const found = await stat(path).catch((error: unknown) => unlessRefused(error, { name, path, parameter }));
  if (!found?.isFile()) throw await missingFile({ name, path, parameter, found });
  await access(path, constants.R_OK).catch(() => {
    throw wrongFile({ name, parameter }, 'cannot be read: you have no permission.', {
      expected: 'a file that you may read',
      help: `Allow it with \`chmod u+r ${path}\`, or name another file.`,
    });
  });
  return { path, name, parameter, size: found.size, reading };
};

/** Nothing for a file that is missing; one that is in a folder without permission may be there. */
const unlessRefused = (
  error: unknown,
  { name, path, parameter }: Pick<DataFile, 'name' | 'path' | 'parameter'>,
): undefined => {
  if ((error as NodeJS.ErrnoException).code !== 'EACCES') return undefined;
  throw wrongFile({ name, parameter }, 'cannot be read: you have no permission for its folder.', {
    expected: 'a file that you may read',
    help: `Allow it with \`chmod u+x ${closedFolder(path)}\`, or name another file.`,
  });
};

/** The folder on the way to a file that may not be entered. */
const closedFolder = (path: string): string => {
  const folder = dirname(path);
  try {
    statSync(folder);
    return folder;
  } catch {
    return closedFolder(folder);
  }
};

/** What is wrong with a whole file, at the parameter that names it. `what` goes on after the file's name. */
export const wrongFile = (
  { name, parameter }: Pick<DataFile, 'name' | 'parameter'>,
  what: string,
  { expected, help }: { readonly expected: string; readonly help: string },
): DataError => {
  return new DataError({ path: parameter, message: `${name} ${what}`, expected, help });
};

/** A file, or several, without a row of data. */
export const withoutRows = (file: Pick<DataFile, 'name' | 'parameter'>): DataError =>
  wrongFile(file, 'has no rows of data.', {
    expected: 'at least one row of data',
    help: 'Add rows, or name another file.',
  });

const missingFile = async (wanted: {
  readonly name: string;
  readonly path: string;
  readonly parameter: string;
  readonly found: Stats | undefined;
}): Promise<DataError> => {
  const { name, path, parameter, found } = wanted;
  const folder = dirname(path);
  const others = await readdir(folder).catch(() => undefined);
  const similar = others && nearest(basename(path), others);
  const kind = endlessFile(path);
  const message = found
    ? `${name} is ${kind === undefined ? 'not a file' : `${kind}, not a file`}.`
    : `There is no file ${name}.`;
  const help = similar
    ? `In the same folder there is ${similar}.`
    : others
      ? `Relative paths start at the folder of the spec; this one leads to ${path}.`
      : `There is no folder ${folder} either. Relative paths start at the folder of the spec.`;
  const issue = { path: parameter, message, expected: 'the path of a file', help };
  return new DataError(issue, { code: 'data-missing' });
};

/** All bytes of a file. */
export const bytesOf = ({ path, content }: DataFile): Uint8Array => content ?? readRegular(path);

/** A file's bytes in pieces; reports how far it is read. */
export const chunksOf = async function* (
  { path, name, size, reading, content }: DataFile,
  { activity, chunkBytes }: { readonly activity: ReadProgress['activity']; readonly chunkBytes: number },
): AsyncGenerator<Uint8Array> {
  if (content) {
    yield* piecesOf(content, chunkBytes);
    return;
  }
  let readBytes = 0;
  for await (const chunk of streamOf(path, { highWaterMark: chunkBytes }) as AsyncIterable<Buffer>) {
    yield chunk;
    readBytes += chunk.length;
    reading?.({ activity, name, readBytes, totalBytes: size });
  }
};

const piecesOf = async function* (content: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < content.length; from += chunkBytes) {
    // Other work of the process gets its turn.
    if (from > 0) await setImmediate();
    yield content.subarray(from, from + chunkBytes);
  }
};

const keptDigest = (path: string): string | undefined => {
  try {
    return /^[0-9a-f]{64}$/.exec(readRegularText(path))?.[0];
  } catch {
    return undefined;
  }
};

/** Hex SHA-256 of a file's content. Kept in the cache while the file is unchanged, so that asking again is free. */
export const fileDigest = async (file: DataFile): Promise<string> => {
  const stamp = changeStamp(file.path);
  const key = hash('sha256', JSON.stringify([file.path, stamp]), 'hex').slice(0, 32);
  const kept = join(cacheFolder(), 'datasets', 'digests', `${key}.txt`);
  const known = stamp && keptDigest(kept);
  if (known !== undefined) return known;
  const read = createHash('sha256');
  await pipeline(chunksOf(file, { activity: 'checking', chunkBytes: 1 << 20 }), read);
  const digest = read.digest('hex');
  if (stamp === undefined) return digest;
  try {
    writeWhole(kept, digest, 'later');
  } catch {
    // A cache that cannot be written costs only time: the digest is computed again.
  }
  return digest;
};

/** Hex SHA-256 over the digests of files, in their order. */
export const filesDigest = async (files: readonly DataFile[]): Promise<string> => {
  const all = createHash('sha256');
  for (const file of files) all.update(await fileDigest(file));
  return all.digest('hex');
};
