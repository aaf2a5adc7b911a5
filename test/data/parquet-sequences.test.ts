import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect, it } from 'vitest';
import { DataError } from '../../src/data/dataset.ts';
import { parquetSequences } from '../../src/data/nested-sequences.ts';
import { dataFolder } from './support/data-files.ts';
import { complete, examplesOf } from './support/read-all.ts';

type Chosen = Parameters<typeof complete<typeof parquetSequences.parameters>>[1];

const base: Chosen = {
  ...{ file: 'a.parquet', testFile: 'a.parquet', validationFraction: 0 },
  ...{ targets: ['label'], standardize: false },
};

const read = async (bytes: Uint8Array, parameters: Chosen) => {
  const chosen = complete(parquetSequences, { ...base, ...parameters });
  const { shape, test } = await parquetSequences.load(chosen, dataFolder({ 'a.parquet': bytes }));
  return examplesOf(shape, test);
};

const day = (date: number) => new Date(Date.UTC(2024, 0, date));

it('reads a row a step, in the order of timestamps, over several row groups', async () => {
  const bytes = parquetWriteBuffer({
    columnData: [
      { name: 'id', data: [7n, 7n, 7n, 8n], type: 'INT64' },
      { name: 'time', data: [day(3), day(1), day(2), day(1)], type: 'TIMESTAMP' },
      { name: 'x', data: [3, 1, null, 4], type: 'DOUBLE' },
      { name: 'label', data: ['u', 'u', 'u', 'v'], type: 'STRING' },
    ],
    rowGroupSize: 2,
  });
  const given: Chosen = { sequence: 'id', order: 'time', missing: 'interpolate', deltaTime: true };
  expect(await read(new Uint8Array(bytes), given)).toEqual([
    { inputs: [1, 0, 2, 86_400, 3, 86_400], length: 3, targets: [0] },
    { inputs: [4, 0, 0, 0, 0, 0], length: 1, targets: [1] },
  ]);
  await expect(read(new Uint8Array(bytes), { ...given, missing: 'error' })).rejects.toThrow(
    'a.parquet:3: column "x" is empty',
  );
});

it('reads a row a sequence, with lists as steps', async () => {
  const bytes = parquetWriteBuffer({
    columnData: [
      { name: 'x', data: [[1, 2, 3], [4]], type: 'JSON' },
      { name: 'label', data: [1, 0], type: 'INT32' },
    ],
  });
  expect(await read(new Uint8Array(bytes), { layout: 'wide' })).toEqual([
    { inputs: [1, 2, 3], length: 3, targets: [1] },
    { inputs: [4, 0, 0], length: 1, targets: [0] },
  ]);
});

it('refuses a file of another kind', async () => {
  const wrong = read(Buffer.from('id,x\n1,2\n'), { sequence: 'id' });
  await expect(wrong).rejects.toThrow(DataError);
  await expect(read(Buffer.from('id,x\n1,2\n'), { sequence: 'id' })).rejects.toThrow(
    /^a\.parquet cannot be read as Parquet: /,
  );
});
