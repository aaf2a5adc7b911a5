import { closeSync, fstatSync } from 'node:fs';
import { Type } from '@sinclair/typebox';
import type { Durability } from './durability.ts';
import { bytesOf, openRegular, readFully, writeWhole, readRegular } from './files.ts';
import { isObject } from './json.ts';
import { parserOf } from './schema.ts';
import { onFile } from './system-error.ts';

const size = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

const entryParser = parserOf(
  Type.Object({
    dtype: Type.String(),
    shape: Type.Array(size),
    data_offsets: Type.Tuple([size, size]),
  }),
);

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
  const wrong = (what: string) => new Error(`${path}: ${what}`);
  const length = bytes.length < 8 ? Infinity : Number(bytes.readBigUInt64LE(0));
  const start = 8 + length;
  if (start > bytes.length) throw wrong('its header is cut off');
  const header: unknown = JSON.parse(bytes.toString('utf8', 8, start));
  if (!isObject(header)) throw wrong('its header is not a JSON object');
  const tensors = new Map<string, StoredTensor>();
  let room = bytes.length - start;
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { dtype, shape, data_offsets: range } = entryParser(entry) ?? {};
    if (dtype === undefined || shape === undefined || range === undefined)
      throw wrong(`tensor ${name} has no usable dtype, shape or data_offsets`);
    if (dtype !== 'F32') throw wrong(`tensor ${name} is ${dtype}, not F32`);
    const [from, to] = range;
    if (start + to > bytes.length) throw wrong(`tensor ${name} is cut off`);
    if (to - from !== 4 * shape.reduce((product, axis) => product * axis, 1))
      throw wrong(`tensor ${name} has ${to - from} bytes, which is not what its shape needs`);
    // The format forbids tensors that share bytes: a small file could become gigabytes of them.
    room -= to - from;
    if (room < 0) throw wrong('its tensors overlap');
    // Copied, because a view at an offset need not be aligned to four bytes.
    const values = new Float32Array(new Uint8Array(bytes.subarray(start + from, start + to)).buffer);
    tensors.set(name, { shape, values });
  }
  return { tensors, metadata: metadataIn(header) };
};

const metadataIn = ({ __metadata__: metadata }: Readonly<Record<string, unknown>>): TensorFile['metadata'] =>
  Object.fromEntries(
    Object.entries(isObject(metadata) ? metadata : {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );

/** Reads the metadata of a safetensors file alone. Throws when the file is missing or damaged. */
export const readMetadata = (path: string): TensorFile['metadata'] =>
  onFile(path, () => {
    const file = openRegular(path);
    try {
      const length = Buffer.alloc(8);
      readFully(file, length, 0);
      const header = Buffer.alloc(Math.min(Number(length.readBigUInt64LE(0)), fstatSync(file).size));
      readFully(file, header, 8);
      const parsed: unknown = JSON.parse(header.toString('utf8'));
      return metadataIn(isObject(parsed) ? parsed : {});
    } finally {
      closeSync(file);
    }
  });
