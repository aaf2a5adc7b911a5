/**
 * Messages in protobuf's wire format (https://protobuf.dev/programming-guides/encoding). A message is a list of pieces, so
 * that no weight is copied before it is written to a file.
 */
export interface Message {
  readonly pieces: readonly Uint8Array[];
  readonly bytes: number;
}

/** Above this, protobuf readers refuse a message. */
export const mostBytes = 2 ** 31 - 1;

const wireTypes = { varint: 0, lengthDelimited: 2, fixed32: 5 } as const;

const message = (pieces: readonly Uint8Array[]): Message => ({
  pieces,
  bytes: pieces.reduce((sum, { byteLength }) => sum + byteLength, 0),
});

/** One message of the fields given, in their order. */
export const joined = (...fields: readonly (Message | readonly Message[])[]): Message =>
  message(fields.flat().flatMap((field) => field.pieces));

/** Little-endian groups of seven bits; a negative number is its two's complement in 64 bits. */
const varint = (value: number | bigint): Uint8Array => {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 128);
  } while (rest !== 0n);
  return Uint8Array.from(bytes);
};

const tag = (field: number, wireType: number): Uint8Array => varint((field << 3) | wireType);

export const integer = (field: number, value: number | bigint): Message =>
  message([tag(field, wireTypes.varint), varint(value)]);

export const float = (field: number, value: number): Message => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return message([tag(field, wireTypes.fixed32), bytes]);
};

/** A string, bytes or a message within the message. */
export const content = (field: number, value: string | Uint8Array | Message): Message => {
  const { pieces, bytes } =
    typeof value === 'string'
      ? message([new TextEncoder().encode(value)])
      : value instanceof Uint8Array
        ? message([value])
        : value;
  return message([tag(field, wireTypes.lengthDelimited), varint(bytes), ...pieces]);
};
