import { closeSync, fstatSync, readSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DataError } from './dataset.ts';
import { fileDigest, type DataFile } from './files.ts';
import { readFully, openRegular, readRegular } from '../system/files.ts';
import { packedFolder } from './packed-folder.ts';

/** A file in the IDX format of the MNIST database (LeCun, Cortes and Burges): unsigned bytes with dimensions. */
export interface IdxFile {
  readonly dimensions: readonly number[];
  /** Row-major. */
  readonly values: Uint8Array;
}

const unsignedByte = 0x08;

/** A header names at most 255 dimensions. */
const longestHeader = 4 + 4 * 255;

/**
 * Reads the first `most` items of an IDX file of unsigned bytes, plain or gzipped; what was gzipped is in the cache from
 * then on. Throws `DataError` when it is not one or is cut off.
 */
export const readIdx = async (file: DataFile, most = Infinity): Promise<IdxFile> => {
  const opened = await openIdx(file);
  try {
    const [count = 0, ...rest] = opened.dimensions;
    const taken = Math.min(count, most);
    return { dimensions: [taken, ...rest], values: opened.read(0, taken) };
  } finally {
    opened.close();
  }
};

/** An IDX file that is read item by item. */
interface OpenIdx extends Pick<IdxFile, 'dimensions'> {
  /** The values of `count` items from `first` on. */
  readonly read: (first: number, count: number) => Uint8Array;
  readonly close: () => void;
}

/** Opens an IDX file as `readIdx` reads it. */
export const openIdx = async (file: DataFile): Promise<OpenIdx> => {
  const opened = openRegular(await plainFile(file));
  try {
    const head = new Uint8Array(longestHeader);
    const { size } = fstatSync(opened);
    const { dimensions, start } = parseHeader(head.subarray(0, readSync(opened, head)), size, file.path);
    const each = productOf(dimensions.slice(1));
    return {
      dimensions,
      read: (first, count) => {
        const values = new Uint8Array(count * each);
        if (readFully(opened, values, start + first * each) < values.length)
          throw new DataError(`${file.path} was cut off while it was read.`);
        return values;
      },
      close: () => closeSync(opened),
    };
  } catch (error) {
    closeSync(opened);
    throw error;
  }
};

/** The path of a file with the uncompressed content. */
const plainFile = async (file: DataFile): Promise<string> => {
  const { path } = file;
  if (!isGzipped(path)) return path;
  const folder = await packedFolder(['gunzipped', 1, await fileDigest(file)], async (into) => {
    const bytes = await promisify(gunzip)(readRegular(path)).catch((error: unknown) => {
      throw new DataError(`${path} is not a complete gzip file: ${(error as Error).message}.`);
    });
    await writeFile(join(into, 'content'), bytes);
  });
  return join(folder, 'content');
};

const isGzipped = (path: string): boolean => {
  const file = openRegular(path);
  const magic = new Uint8Array(2);
  readSync(file, magic);
  closeSync(file);
  return magic[0] === 0x1f && magic[1] === 0x8b;
};

const productOf = (lengths: readonly number[]): number =>
  lengths.reduce((product, length) => product * length, 1);

/** The dimensions that a file of `size` bytes begins with, and where its values start. */
const parseHeader = (
  bytes: Uint8Array,
  size: number,
  name: string,
): { readonly dimensions: readonly number[]; readonly start: number } => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint16(0) !== 0 || view.getUint8(2) !== unsignedByte) {
    throw new DataError(
      `${name} is not an IDX file of unsigned bytes: it should begin with the bytes 00 00 08.`,
    );
  }
  const rank = view.getUint8(3);
  const start = 4 + 4 * rank;
  if (bytes.length < start) throw new DataError(`${name} is cut off within its header.`);
  const dimensions = Array.from({ length: rank }, (_, index) => view.getUint32(4 + 4 * index));
  const expected = productOf(dimensions);
  if (size - start !== expected) {
    throw new DataError(
      `${name} is damaged: its header promises ${expected} bytes (${dimensions.join(' x ')}), it holds ${size - start}.`,
    );
  }
  return { dimensions, start };
};
