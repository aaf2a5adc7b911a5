import { closeSync, fstatSync } from 'node:fs';
import type { Durability } from './durability.ts';
import { openRegular, readFully, writeWhole, readRegular } from './files.ts';
import { onFile } from './system-error.ts';

/** A named float32 array, row-major. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface TensorFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface HeaderEntry {
  readonly dtype: 'F32';
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/**
 * Writes float32 tensors in the safetensors format (https://github.com/huggingface/safetensors#format): the header's
 * length as a little-endian 64-bit integer, the header as JSON, the values. Python's `safetensors` reads it.
 */
export const writeTensors = (path: string, file: TensorFile, durability?: Durability): void =>
  writeWhole(path, tensorBytes(file), durability);

/** The content of such a file, in pieces. */
export const tensorBytes = ({ tensors, metadata }: TensorFile): readonly Uint8Array[] => {
  const header: Record<string, HeaderEntry | TensorFile['metadata']> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { shape, values }] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  // The format asks for values aligned to 8 bytes; spaces are allowed at the header's end.
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return [length, padded, ...[...tensors.values()].map(({ values }) => bytesOf(values))];
};

/** Reads a safetensors file of float32 tensors. Throws when the file is missing or damaged. */
export const readTensors = (path: string): TensorFile => {
  const bytes = onFile(path, () => readRegular(path));
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, start)) as Record<string, unknown>;
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { dtype, shape, data_offsets: range } = entry as HeaderEntry;
    if ((dtype as string) !== 'F32') throw new Error(`${path}: tensor ${name} is ${dtype}, not F32`);
    if (start + range[1] > bytes.length) throw new Error(`${path}: tensor ${name} is cut off`);
    // Copied, because a view at an offset need not be aligned to four bytes.
    const values = new Float32Array(
      new Uint8Array(bytes.subarray(start + range[0], start + range[1])).buffer,
    );
    tensors.set(name, { shape, values });
  }
  return { tensors, metadata: (header['__metadata__'] ?? {}) as Record<string, string> };
};

/** Reads the metadata of a safetensors file alone. Throws when the file is missing or damaged. */
export const readMetadata = (path: string): TensorFile['metadata'] =>
  onFile(path, () => {
    const file = openRegular(path);
    try {
      const length = Buffer.alloc(8);
      readFully(file, length, 0);
      const header = Buffer.alloc(Math.min(Number(length.readBigUInt64LE(0)), fstatSync(file).size));
      readFully(file, header, 8);
      const { __metadata__: metadata = {} } = JSON.parse(header.toString('utf8')) as {
        readonly __metadata__?: TensorFile['metadata'];
      };
      return metadata;
    } finally {
      closeSync(file);
    }
  });

/** The bytes of a tensor, without copying them. */
export const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
