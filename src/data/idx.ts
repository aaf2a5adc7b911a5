import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DataError } from './dataset.ts';

/** A file in the IDX format of the MNIST database (LeCun, Cortes and Burges): unsigned bytes with dimensions. */
export interface IdxFile {
  readonly dimensions: readonly number[];
  /** Row-major. */
  readonly values: Uint8Array;
}

const unsignedByte = 0x08;

/** Reads an IDX file of unsigned bytes, plain or gzipped. Throws `DataError` when it is not one or is cut off. */
export const readIdx = async (path: string): Promise<IdxFile> => {
  let bytes: Uint8Array = await readFile(path);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    bytes = await promisify(gunzip)(bytes).catch((error: unknown) => {
      throw new DataError(`${path} is not a complete gzip file: ${(error as Error).message}.`);
    });
  }
  return parseIdx(bytes, path);
};

/** The content of an IDX file; `name` is what messages call it. The values are a view, not a copy. */
export const parseIdx = (bytes: Uint8Array, name: string): IdxFile => {
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
  const expected = dimensions.reduce((product, length) => product * length, 1);
  if (bytes.length - start !== expected) {
    throw new DataError(
      `${name} is damaged: its header promises ${expected} bytes (${dimensions.join(' x ')}), it holds ${bytes.length - start}.`,
    );
  }
  return { dimensions, values: bytes.subarray(start) };
};
