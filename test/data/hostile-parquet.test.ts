import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { DataError } from '../../src/data/dataset.ts';
import { parquetSequences } from '../../src/data/nested-sequences.ts';
import { dataFolder } from './support/data-files.ts';
import { complete, examplesOf } from './support/read-all.ts';

/** A value of Thrift's compact protocol: an integer, a long one, a string, a list of structs, or a struct by its fields. */
type Value = number | bigint | string | readonly Value[] | { readonly [field: number]: Value };

const varint = (value: bigint | number): number[] => {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, BigInt(value));
  for (; left > 127n; left >>= 7n) bytes.push(Number(left & 127n) | 128);
  return [...bytes, Number(left)];
};
const zigzag = (value: bigint | number) => varint((BigInt(value) << 1n) ^ (BigInt(value) >> 63n));

const typeOf = (value: Value): number =>
  typeof value === 'number'
    ? 5
    : typeof value === 'bigint'
      ? 6
      : typeof value === 'string'
        ? 8
        : Array.isArray(value)
          ? 9
          : 12;

const thrift = (value: Value): number[] => {
  if (typeof value === 'number' || typeof value === 'bigint') return zigzag(value);
  if (typeof value === 'string') return [...varint(value.length), ...Buffer.from(value)];
  if (Array.isArray(value)) {
    const list = value as readonly Value[];
    return [0xf0 | typeOf(list[0] ?? 0), ...varint(list.length), ...list.flatMap(thrift)];
  }
  let last = 0;
  const fields = Object.entries(value).flatMap(([key, inner]: [string, Value]) => {
    const head = ((Number(key) - last) << 4) | typeOf(inner);
    last = Number(key);
    return [head, ...thrift(inner)];
  });
  return [...fields, 0];
};

interface Page {
  readonly body: Uint8Array | readonly number[];
  readonly type?: number;
  readonly values?: number;
  readonly encoding?: number;
  readonly size?: number;
  readonly becomes?: number;
}

const page = ({ body, type = 0, values = 6, encoding = 0, size, becomes }: Page): Buffer => {
  const counts: Value = type === 0 ? { 1: values, 2: encoding, 3: 3, 4: 3 } : { 1: values, 2: encoding };
  const header: Value = {
    ...{ 1: type, 2: becomes ?? body.length, 3: size ?? body.length },
    ...(type === 0 ? { 5: counts } : type === 2 ? { 7: counts } : {}),
    ...(type === 3 ? { 8: { 1: values, 2: 0, 3: values, 4: encoding, 5: 0, 6: 0 } } : {}),
  };
  return Buffer.concat([Buffer.from(thrift(header)), Buffer.from(body)]);
};

const numbers = (...values: number[]) => Buffer.from(Int32Array.from(values).buffer);
const ends = (metadata: readonly number[]) => {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(metadata.length);
  return Buffer.concat([Buffer.from(metadata), length, Buffer.from('PAR1')]);
};

interface Column {
  readonly name?: string | null;
  readonly type?: number;
  readonly codec?: number;
  readonly rows?: bigint;
  readonly groups?: number;
}

/** Six rows of two sequences; `pages` are those of the feature. */
const fileOf = (
  pages: readonly Buffer[],
  { name = 'x', type = 1, codec = 0, rows = 6n, groups = 1 }: Column = {},
): Buffer => {
  const given = page({ body: numbers(0, 0, 0, 1, 1, 1) });
  const feature = Buffer.concat(pages);
  const chunk = (
    name: string,
    start: number,
    [bytes, kind, compression]: [Buffer, number, number],
  ): Value => ({
    2: BigInt(start),
    3: {
      ...{ 1: kind, 2: [0], 3: [name], 4: compression, 5: 6n, 6: BigInt(bytes.length) },
      ...{ 7: BigInt(bytes.length), 9: BigInt(start) },
    },
  });
  const group: Value = {
    1: [
      chunk('s', 4, [given, 1, 0]),
      chunk('y', 4, [given, 1, 0]),
      chunk('x', 4 + given.length, [feature, type, codec]),
    ],
    2: 1n,
    3: rows,
  };
  const column = (name: string | null, kind: number): Value => ({
    ...{ 1: kind, 3: 0 },
    ...(name !== null && { 4: name }),
  });
  const metadata: Value = {
    ...{ 1: 1, 2: [{ 4: 'root', 5: 3 }, column('s', 1), column('y', 1), column(name, type)] },
    ...{ 3: rows, 4: Array.from({ length: groups }, () => group) },
  };
  return Buffer.concat([Buffer.from('PAR1'), given, feature, ends(thrift(metadata))]);
};

const read = async (bytes: Buffer) => {
  const chosen = complete(parquetSequences, {
    ...{ file: 'a.parquet', testFile: 'a.parquet', validationFraction: 0, standardize: false },
    ...{ sequence: 's', features: ['x'], targets: ['y'] },
  });
  const { shape, test: part } = await parquetSequences.load(chosen, dataFolder({ 'a.parquet': bytes }));
  return examplesOf(shape, part);
};

const dictionary = page({ type: 2, values: 2, body: numbers(7, 8) });
const run = (count: number) => varint(count * 2);
const packed = (groups: number) => varint(groups * 2 + 1);

test('a file of this writer is read, so that the others are refused for what they claim', async () => {
  const expected = [
    { inputs: [8, 8, 8], length: 3, targets: [0] },
    { inputs: [8, 8, 8], length: 3, targets: [1] },
  ];
  const indices = page({ encoding: 8, body: [1, ...run(6), 1] });
  expect(await read(fileOf([dictionary, indices]))).toEqual(expected);
  const body = numbers(8, 8, 8, 8, 8, 8);
  const zipped = page({ body: gzipSync(body), becomes: body.length });
  expect(await read(fileOf([zipped], { codec: 2 }))).toEqual(expected);
  // Differences: the first number, and no change.
  const deltas = page({ encoding: 5, body: [...varint(128), 4, 6, ...zigzag(8), 0, 0, 0, 0, 0] });
  expect(await read(fileOf([deltas]))).toEqual(expected);
});

const plain = page({ body: numbers(1, 2, 3, 4, 5, 6) });
const claims = (metadata: readonly number[]) => Buffer.concat([Buffer.from('PAR1'), plain, ends(metadata)]);

/** Each made the reader hang, or take gigabytes. */
const hostile: Readonly<Record<string, Buffer>> = {
  'a column without a name': fileOf([plain], { name: null }),
  'rows without end': fileOf([plain], { rows: 1n << 40n }),
  'a negative number of rows': fileOf([plain], { rows: -5n }),
  'more rows than values': fileOf([plain], { rows: 1_000_000n }),
  'a run of a billion values': fileOf([dictionary, page({ encoding: 8, body: [1, ...run(2 ** 30), 1] })]),
  'a billion values': fileOf([
    dictionary,
    page({ encoding: 8, values: 2 ** 30, body: [1, ...run(2 ** 30), 1] }),
  ]),
  'values of no bits': fileOf([dictionary, page({ encoding: 8, values: 2 ** 31 - 1, body: [0] })]),
  'packed values of no bits': fileOf([
    dictionary,
    page({ type: 3, encoding: 8, body: [0, ...packed(2 ** 29), 0] }),
  ]),
  'a negative packed run': fileOf([dictionary, page({ encoding: 8, body: [1, ...varint(2 ** 32 - 1), 1] })]),
  'a dictionary larger than its page': fileOf([
    page({ type: 2, values: 1_000_000, body: numbers(7, 8) }),
    plain,
  ]),
  'blocks in no parts': fileOf([
    page({ encoding: 5, body: [...varint(128), ...varint(2 ** 32 - 1), 6, 2, 1, 1] }),
  ]),
  'blocks of a negative size': fileOf([
    page({
      encoding: 5,
      body: [...varint(2 ** 32 - 128), 4, 6, 2, 2, 1, 1, 1, 1, ...new Array<number>(100).fill(0)],
    }),
  ]),
  'a number of many bytes': fileOf(
    [page({ encoding: 5, body: [...varint(128), 4, 6, 2, ...new Array<number>(200_000).fill(0xff), 1] })],
    { type: 2 },
  ),
  'texts that each repeat the one before': fileOf(
    [
      page({
        ...{ encoding: 7, values: 20_000 },
        body: [0, 1].flatMap((step) => [
          ...[...varint(128), 4, ...varint(20_000), ...zigzag(step)],
          ...Array.from({ length: 157 }, () => [...zigzag(1 - step), 0, 0, 0, 0]).flat(),
        ]),
      }),
    ],
    { type: 6 },
  ),
  'a page that becomes two gigabytes': fileOf([page({ body: numbers(1), becomes: 2 ** 31 - 1 })], {
    codec: 1,
  }),
  'a page that becomes a hundred times as large': fileOf(
    [page({ body: gzipSync(Buffer.alloc(20_000_000)), becomes: 20_000_000, values: 1_000_000 })],
    { codec: 2 },
  ),
  'a page of a negative size': fileOf([page({ body: numbers(1, 2, 3, 4, 5, 6), size: -100 })]),
  'lists in lists, each of thirty million': claims([
    0x29,
    ...Array.from({ length: 64 }, () => [0xf9, ...varint(30_000_000)]).flat(),
  ]),
  'structs in structs': claims(new Array<number>(200_000).fill(0x1c)),
  'metadata with a number of many bytes': claims([0x36, ...new Array<number>(200_000).fill(0xff), 1, 0]),
};

test.each(Object.entries(hostile))('refuses %s', async (_, bytes) => {
  const before = process.resourceUsage().maxRSS;
  const wrong = read(bytes);
  await expect(wrong).rejects.toThrow(DataError);
  await expect(wrong).rejects.toThrow(/^a\.parquet cannot be read as Parquet: /);
  expect((process.resourceUsage().maxRSS - before) / 1024).toBeLessThan(400);
});

test('many row groups are read', async () => {
  const many = fileOf([plain], { groups: 300 });
  await expect(read(many)).rejects.toThrow('its rows must be adjacent');
});
