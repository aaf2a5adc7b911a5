import { closeSync, fstatSync } from 'node:fs';
import { openRegular, readFully } from '../../system/files.ts';

/** A file that is read in parts. */
export interface OpenFile {
  readonly size: number;
  /** Some bytes of the file; fewer at its end. */
  readonly read: (from: number, length: number) => Buffer;
}

/** Gives a file to a function, and closes it. Throws what `openRegular` throws. */
export const withFile = <T>(path: string, use: (file: OpenFile) => T): T => {
  const descriptor = openRegular(path);
  try {
    const { size } = fstatSync(descriptor);
    return use({
      size,
      read: (from, length) => {
        const bytes = Buffer.alloc(length);
        return bytes.subarray(0, readFully(descriptor, bytes, from));
      },
    });
  } finally {
    closeSync(descriptor);
  }
};

/** A field of a message in protobuf's wire format. */
export interface Field {
  readonly number: number;
  /** The value of a varint, where it is a safe integer. */
  readonly value: number | undefined;
  /** Where the content of a string, bytes or a message is. */
  readonly content: Place | undefined;
}

export interface Place {
  readonly from: number;
  readonly end: number;
}

/** More fields than any model has nodes and weights: a file of nothing but tiny fields is not worth reading. */
const mostFields = 2_000_000;

/** How much is read at once to find fields. */
const windowBytes = 65536;

/** Thrown for anything but the protobuf messages that are read here. */
export class ProtobufError extends Error {}

/** Reads the fields of messages one by one, and skips what is in them. The count of fields is that of all messages together. */
export const createFieldReader = (file: OpenFile) => {
  let count = 0;
  let window: Buffer = Buffer.alloc(0);
  let windowFrom = 0;

  const byteAt = (at: number, { end }: Place): number => {
    if (at >= end) throw new ProtobufError(`it is cut off at byte ${at}`);
    if (at < windowFrom || at >= windowFrom + window.length) {
      window = file.read(at, windowBytes);
      windowFrom = at;
    }
    const byte = window[at - windowFrom];
    if (byte === undefined) throw new ProtobufError(`it is cut off at byte ${at}`);
    return byte;
  };

  /** A varint, and where it ends. */
  const varint = (from: number, within: Place): { readonly value: bigint; readonly end: number } => {
    let value = 0n;
    for (let at = from; at < from + 10; at++) {
      const byte = byteAt(at, within);
      value |= BigInt(byte & 127) << BigInt(7 * (at - from));
      if (byte < 128) return { value, end: at + 1 };
    }
    throw new ProtobufError(`byte ${from} begins no number`);
  };

  const skipped = (from: number, length: number, within: Place): Place => {
    if (length > within.end - from) throw new ProtobufError(`it is cut off at byte ${within.end}`);
    return { from, end: from + length };
  };

  return function* fields(within: Place): Generator<Field> {
    let at = within.from;
    while (at < within.end) {
      if (++count > mostFields) throw new ProtobufError(`it has more than ${mostFields} fields`);
      const tag = varint(at, within);
      const number = Number(tag.value >> 3n);
      const none = { number, value: undefined, content: undefined };
      switch (Number(tag.value & 7n)) {
        case 0: {
          const { value, end } = varint(tag.end, within);
          const whole = Number(value);
          yield { ...none, value: Number.isSafeInteger(whole) ? whole : undefined };
          at = end;
          break;
        }
        case 1:
          at = skipped(tag.end, 8, within).end;
          yield none;
          break;
        case 2: {
          const length = varint(tag.end, within);
          const content = skipped(length.end, Number(length.value), within);
          yield { ...none, content };
          at = content.end;
          break;
        }
        case 5:
          at = skipped(tag.end, 4, within).end;
          yield none;
          break;
        default:
          throw new ProtobufError(`byte ${at} begins no field`);
      }
    }
  };
};
