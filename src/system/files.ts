import {
  closeSync,
  createReadStream,
  createWriteStream,
  fsync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
  constants,
  fstatSync,
  statSync,
  type ReadStream,
  type Stats,
} from 'node:fs';
import { randomUUID } from 'node:crypto';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { readJsonText } from './json.ts';
import type { Parse } from './schema.ts';
import type { Durability } from './durability.ts';
import { ignoringSystemErrors, named, onFile } from './system-error.ts';

let written = 0;

type Content = string | Uint8Array | readonly Uint8Array[];

/** Writes beside and renames, so that a reader sees the old file or the new one, never a part, whenever the process dies. */
export const writeWhole = (path: string, content: Content, durability: Durability = 'at-once'): void =>
  placeWhole(path, content, durability, renameSync);

/** As `writeWhole`, for a file that `write` writes piece by piece at the path that it is given. */
export const writeBeside = async (path: string, write: (beside: string) => Promise<void>): Promise<void> => {
  const beside = `${path}.${randomUUID()}.tmp`;
  try {
    await write(beside);
    await rename(beside, path);
  } catch (error) {
    throw named(error, path, 'write');
  } finally {
    ignoringSystemErrors(() => rmSync(beside, { force: true }));
  }
};

/** Writes a file whole unless there is one already; false then. Of two processes, one writes it. */
export const writeNew = (path: string, content: Content): boolean => {
  try {
    placeWhole(path, content, 'at-once', (beside) => {
      linkSync(beside, path);
      rmSync(beside);
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
};

/** Writes new files, all of them or none, with their folders. Throws a system error if one is there already. */
export const createFiles = (contents: Readonly<Record<string, string | Uint8Array>>): void => {
  const made: string[] = [];
  try {
    for (const [path, content] of Object.entries(contents)) {
      const file = openAnew(path, 'wx');
      made.push(path);
      try {
        onFile(path, () => writeFully(file, typeof content === 'string' ? Buffer.from(content) : content));
      } finally {
        closeSync(file);
      }
    }
  } catch (error) {
    // A half file would be one that the next command must not overwrite.
    for (const path of made) ignoringSystemErrors(() => rmSync(path, { force: true }));
    throw error;
  }
};

const placeWhole = (
  path: string,
  content: Content,
  durability: Durability,
  place: (beside: string, path: string) => void,
): void => {
  const beside = `${path}.${process.pid}-${written++}.tmp`;
  const parts = typeof content === 'string' ? [Buffer.from(content)] : content;
  const blocks = parts instanceof Uint8Array ? [parts] : inBlocks(parts);
  try {
    const file = openAnew(beside);
    try {
      for (const block of blocks) writeFully(file, block);
      if (durability === 'at-once') fsyncSync(file);
    } finally {
      closeSync(file);
    }
    place(beside, path);
  } catch (error) {
    // On a full disk the half file would keep the little space that is needed to record the failure.
    ignoringSystemErrors(() => rmSync(beside, { force: true }));
    throw named(error, path, 'write');
  }
};

const blockBytes = 65_536;

/** The same bytes with small parts joined: a model in ONNX has hundreds of a few bytes, each of which would be a write. */
function* inBlocks(parts: readonly Uint8Array[]): Iterable<Uint8Array> {
  let small: Uint8Array[] = [];
  let bytes = 0;
  for (const part of parts) {
    if (bytes + part.byteLength > blockBytes) {
      if (bytes > 0) yield Buffer.concat(small);
      small = [];
      bytes = 0;
    }
    if (part.byteLength > blockBytes) yield part;
    else {
      small.push(part);
      bytes += part.byteLength;
    }
  }
  if (bytes > 0) yield Buffer.concat(small);
}

/** Opens an empty file, whose folder is there already in all but the first call. */
const openAnew = (path: string, flags: 'w' | 'wx' = 'w'): number => {
  try {
    return openSync(path, flags);
  } catch (error) {
    if (!isMissing(error)) throw error;
    ensureFolder(dirname(path));
    return openSync(path, flags);
  }
};

/**
 * Makes a folder and those above it. Returns the first that was new; undefined if none was. Node.js' own recursive `mkdir`
 * never returns where the system answers that a new folder is missing, as Linux does below /proc.
 */
export const ensureFolder = (path: string): string | undefined => {
  try {
    mkdirSync(path);
    return path;
  } catch (error) {
    if (isFolder(path)) return undefined;
    const above = dirname(path);
    if (!isMissing(error) || above === path || isFolder(above)) throw error;
    const first = ensureFolder(above);
    return ensureFolder(path) === undefined ? first : (first ?? path);
  }
};

export const isFolder = (path: string): boolean => {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
};

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** The bytes of an array of numbers, without copying them. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Writes every byte: a disk that is nearly full takes a part without an error, and refuses only the next one. */
export const writeFully = (file: number, bytes: Uint8Array): void => {
  for (let offset = 0; offset < bytes.byteLength;) {
    const written = writeSync(file, bytes, offset);
    // POSIX allows a write that takes nothing; a disk that only does so would never end.
    if (written === 0)
      throw Object.assign(new Error('nothing was written'), { code: 'EIO', syscall: 'write' });
    offset += written;
  }
};

/** Fills `into` from a place in an open file. Returns the bytes read: fewer only at the end of the file. */
export const readFully = (file: number, into: NodeJS.ArrayBufferView, from: number): number => {
  let done = 0;
  while (done < into.byteLength) {
    const read = readSync(file, into, done, into.byteLength - done, from + done);
    if (read === 0) break;
    done += read;
  }
  return done;
};

/** The text of a JSON file, with a final newline. */
export const jsonFileText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Writes a JSON file whole. */
export const writeJson = (path: string, value: unknown, durability?: Durability): void =>
  writeWhole(path, jsonFileText(value), durability);

/** Waits until the disk has an open file, without holding up this thread. */
export const syncFile: (file: number) => Promise<void> = promisify(fsync);

/** Waits until the disk has files, those of them that are there; together, because each alone costs as much as all. */
export const syncFiles = async (paths: readonly string[]): Promise<void> => {
  await Promise.all(
    paths.map(async (path) => {
      const file = openThere(path);
      if (file === undefined) return;
      try {
        await syncFile(file).catch((error: unknown) => {
          throw named(error, path);
        });
      } finally {
        closeSync(file);
      }
    }),
  );
};

/** Opens a file for reading; undefined if there is none. Throws if it is there and cannot be opened. */
export const openThere = (path: string): number | undefined => {
  try {
    return openRegular(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
    return undefined;
  }
};

/** Reads a JSON file; undefined if there is none. Throws if it is there and cannot be read. */
export const readJson = (path: string): unknown => {
  let text: string;
  try {
    text = readRegularText(path);
  } catch (error) {
    if (!isMissing(error)) throw named(error, path);
    return undefined;
  }
  return readJsonText(text);
};

/** Reads a JSON file that others can do without; undefined if it is missing, damaged or cannot be read. */
export const readJsonIfWhole = <T>(path: string, parse: Parse<T>): T | undefined => {
  try {
    return parse(readJson(path));
  } catch {
    return undefined;
  }
};

/** What a path is that is no file with an end: reading it could wait or go on for ever. Undefined for any other path. */
const endlessKind = (stat: Stats): string | undefined => {
  if (stat.isFIFO()) return 'a pipe';
  if (stat.isSocket()) return 'a socket';
  return stat.isCharacterDevice() || stat.isBlockDevice() ? 'a device' : undefined;
};

/** As `endlessKind`, of a path; undefined too where there is nothing. */
export const endlessFile = (path: string): string | undefined => {
  try {
    return endlessKind(statSync(path));
  } catch {
    return undefined;
  }
};

/** Opens a file for reading, with `flags` also for writing. Throws at a pipe, socket or device, and does not wait for it. */
export const openRegular = (path: string, flags: number = constants.O_RDONLY): number => {
  const refused = (kind: string) =>
    Object.assign(new Error(`${path} is ${kind}, not a file`), {
      code: 'ENOTREGULAR',
      syscall: 'open',
      path,
    });
  let file: number;
  try {
    file = openSync(path, flags | constants.O_NONBLOCK);
  } catch (error) {
    // A socket cannot even be opened.
    const kind = (error as NodeJS.ErrnoException).code === 'ENXIO' ? endlessFile(path) : undefined;
    if (kind === undefined) throw error;
    throw refused(kind);
  }
  const kind = endlessKind(fstatSync(file));
  if (kind === undefined) return file;
  closeSync(file);
  throw refused(kind);
};

/** Reads a whole file. Throws at a pipe, socket or device. */
export const readRegular = (path: string): Buffer => {
  const file = openRegular(path);
  try {
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
};

/** Reads the first bytes of a file; fewer where it ends before. Throws at a pipe, socket or device. */
export const readRegularStart = (path: string, bytes: number): Buffer => {
  const file = openRegular(path);
  try {
    const start = Buffer.allocUnsafe(bytes);
    return start.subarray(0, readFully(file, start, 0));
  } finally {
    closeSync(file);
  }
};

/** Opens an empty file for writing. Throws at a pipe, socket or device. */
export const openToWrite = (path: string): number =>
  openRegular(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC);

/** Opens a file, or a new one, for reading and appending. Throws at a pipe, socket or device. */
export const openToAppend = (path: string): number =>
  openRegular(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND);

/** Appends to a file, or to a new one. Throws at a pipe, socket or device. */
export const appendRegular = (path: string, text: string): void => {
  const file = openToAppend(path);
  try {
    writeFully(file, Buffer.from(text));
  } finally {
    closeSync(file);
  }
};

/** A file in pieces. Throws at once at a pipe, socket or device. */
export const streamOf = (
  path: string,
  options: { readonly highWaterMark?: number; readonly end?: number } = {},
): ReadStream => createReadStream(path, { ...options, fd: openRegular(path) });

/** Copies a file. Throws at a pipe, socket or device. */
export const copyRegular = (from: string, to: string): Promise<void> =>
  pipeline(streamOf(from), createWriteStream(to));

/** Writes a new file from its pieces. */
export const writePieces = async (
  path: string,
  pieces: AsyncIterable<Uint8Array>,
  durability: Durability = 'at-once',
): Promise<void> => {
  const file = await open(path, 'wx');
  try {
    for await (const piece of pieces) await file.appendFile(piece);
    if (durability === 'at-once') await file.sync();
  } catch (error) {
    throw named(error, path, 'write');
  } finally {
    await file.close();
  }
};

/** Reads a whole text file. Throws at a pipe, socket or device. */
export const readRegularText = (path: string): string => readRegular(path).toString('utf8');
