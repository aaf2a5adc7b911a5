import { mkdtempSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readMetadata, readTensors, writeTensors } from '../../src/system/safetensors.ts';

const path = join(mkdtempSync(join(tmpdir(), 'unroll-tensors-')), 'weights.safetensors');

test('tensors come back as they were, bit for bit', () => {
  const values = new Float32Array([1, -0, Number.NaN, 1e-45, 3.4e38, Infinity]);
  const tensors = new Map([
    ['cell/kernel', { shape: [2, 3], values }],
    ['cell/bias', { shape: [], values: new Float32Array([0.1]) }],
  ]);
  writeTensors(path, { tensors, metadata: { run: 'abc' } });
  const back = readTensors(path);
  expect(back.metadata).toEqual({ run: 'abc' });
  expect([...back.tensors.keys()]).toEqual(['cell/kernel', 'cell/bias']);
  expect(back.tensors.get('cell/kernel')?.shape).toEqual([2, 3]);
  const bits = (floats: Float32Array = new Float32Array()) => [...new Uint32Array(floats.slice().buffer)];
  expect(bits(back.tensors.get('cell/kernel')?.values)).toEqual(bits(values));
});

test('the header is as the format says: its length in 8 bytes, JSON, values aligned to 8 bytes', () => {
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  expect(length % 8).toBe(0);
  expect(JSON.parse(bytes.toString('utf8', 8, 8 + length))).toEqual({
    __metadata__: { run: 'abc' },
    'cell/kernel': { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
    'cell/bias': { dtype: 'F32', shape: [], data_offsets: [24, 28] },
  });
  expect(bytes.length).toBe(8 + length + 28);
});

test('a file that is cut off is not taken for a whole one', () => {
  truncateSync(path, readFileSync(path).length - 1);
  expect(() => readTensors(path)).toThrow('cut off');
});

/** A file with a header of any form and so many bytes of values. */
const withHeader = (header: unknown, bytes = 16): string => {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = join(mkdtempSync(join(tmpdir(), 'unroll-tensors-')), 'a.safetensors');
  writeFileSync(file, Buffer.concat([length, json, Buffer.alloc(bytes)]));
  return file;
};

const tensor = { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] };

test.each<[string, unknown, string]>([
  ['no object', '[1]', 'its header is not a JSON object'],
  ['null', 'null', 'its header is not a JSON object'],
  ['a tensor that is null', { a: null }, 'tensor a has no usable'],
  ['a tensor without a shape', { a: { ...tensor, shape: undefined } }, 'tensor a has no usable'],
  ['a shape that is a string', { a: { ...tensor, shape: '22' } }, 'tensor a has no usable'],
  ['a negative axis', { a: { ...tensor, shape: [-2, -2] } }, 'tensor a has no usable'],
  ['an axis that is no integer', { a: { ...tensor, shape: [0.5, 8] } }, 'tensor a has no usable'],
  ['an offset that is too large', { a: { ...tensor, data_offsets: [0, 1e300] } }, 'tensor a has no usable'],
  ['three offsets', { a: { ...tensor, data_offsets: [0, 16, 32] } }, 'tensor a has no usable'],
  ['offsets in reverse', { a: { ...tensor, data_offsets: [16, 0] } }, 'tensor a has -16 bytes'],
  ['a shape that needs more', { a: { ...tensor, shape: [2, 3] } }, 'tensor a has 16 bytes'],
  ['a shape beyond all bounds', { a: { ...tensor, shape: [2 ** 50, 2 ** 50] } }, 'tensor a has 16 bytes'],
  ['integers', { a: { ...tensor, dtype: 'I64' } }, 'tensor a is I64, not F32'],
  ['the same bytes for two tensors', { a: tensor, b: tensor }, 'its tensors overlap'],
])('a header with %s is refused', (_, header, message) => {
  expect(() => readTensors(withHeader(header))).toThrow(message);
});

test.each([0, 7, 8, 20])('a file of %i bytes that claims a long header is refused', (bytes) => {
  const file = withHeader('', 0);
  writeFileSync(file, Buffer.alloc(bytes, 0xff));
  expect(() => readTensors(file)).toThrow('its header is cut off');
});

test('a small file cannot become gigabytes of tensors', () => {
  const header = Object.fromEntries(
    Array.from({ length: 8000 }, (_, at) => [
      `t${at}`,
      { dtype: 'F32', shape: [125_000], data_offsets: [0, 500_000] },
    ]),
  );
  expect(() => readTensors(withHeader(header, 500_000))).toThrow('its tensors overlap');
});

test('metadata of another form counts as none', () => {
  expect(readMetadata(withHeader({ __metadata__: { a: 'b', c: 1 } }))).toEqual({ a: 'b' });
  for (const metadata of [null, 'text', 7, [1]])
    expect(readMetadata(withHeader({ __metadata__: metadata }))).toEqual({});
  expect(readMetadata(withHeader('null'))).toEqual({});
});
