import { mkdtempSync, readFileSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readTensors, writeTensors } from '../../src/system/safetensors.ts';

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
