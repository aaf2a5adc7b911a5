import { describe, expect, it } from 'vitest';
import { blockSequences } from '../../src/data/block-sequences.ts';
import { DataError } from '../../src/data/dataset.ts';
import { dataFolder } from './support/data-files.ts';
import { complete, examplesOf } from './support/read-all.ts';

const files = {
  'a.train': '1 2\n3 4\n\n5 6\n \n7 8\n9 10\n11 12\n\n\n',
  'a.sizes': '2 1\n',
  'a.test': '1.5, -2\r\n\r\n3e1\t4',
  'b.sizes': '0\n2',
};

const base = {
  ...{ file: 'a.train', sizes: 'a.sizes', testFile: 'a.test', testSizes: 'b.sizes' },
  ...{ validationFraction: 0, standardize: false },
};

const load = (changed: Readonly<Record<string, string>> = {}, parameters: object = {}) =>
  blockSequences.load(
    complete(blockSequences, { ...base, ...parameters }),
    dataFolder({ ...files, ...changed }),
  );

const mistakeOf = async (wrong: Promise<unknown>) => {
  const error: unknown = await wrong.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DataError);
  return (error as DataError).issues[0];
};

describe('blocks of lines', () => {
  it('are sequences, whose classes follow from the sizes', async () => {
    const { shape, train, test } = await load();
    expect(shape).toMatchObject({ steps: 3, variableLength: true, input: { features: 2 } });
    expect(shape.task).toEqual({ kind: 'classification', classes: 2, labels: ['1', '2'] });
    expect(examplesOf(shape, train)).toEqual([
      { inputs: [1, 2, 3, 4, 0, 0], length: 2, targets: [0] },
      { inputs: [5, 6, 0, 0, 0, 0], length: 1, targets: [0] },
      { inputs: [7, 8, 9, 10, 11, 12], length: 3, targets: [1] },
    ]);
    expect(examplesOf(shape, test).map(({ inputs, targets }) => [inputs.slice(0, 2), targets])).toEqual([
      [[1.5, -2], [1]],
      [[30, 4], [1]],
    ]);
  });

  it('are another dataset with other sizes', async () => {
    const digest = (changed: Readonly<Record<string, string>>) =>
      blockSequences.digest(complete(blockSequences, base), dataFolder({ ...files, ...changed }));
    expect(await digest({ 'a.sizes': '1 2' })).not.toBe(await digest({}));
    const { shape, train } = await load({ 'a.sizes': '1 2' });
    expect(examplesOf(shape, train).map(({ targets }) => targets)).toEqual([[0], [1], [1]]);
  });

  it('that cannot be used are reported with file and line', async () => {
    expect(await mistakeOf(load({ 'a.sizes': '2 2' }))).toMatchObject({
      path: 'file',
      message: 'a.train has 3 blocks, and the sizes are of 4.',
    });
    expect(await mistakeOf(load({ 'b.sizes': '0 x' }))).toMatchObject({
      path: 'testSizes',
      message: 'b.sizes has "x", which is no size.',
    });
    const words = await mistakeOf(load({ 'a.train': '1 2\n3 4\n\n5 6\n\n7 8\n9\n11 z\n' }));
    expect(words?.message).toContain('a.train:6: key "x": step 2 has 1 numbers, the first of the file 2');
    const wrong = { ...base, testSizes: null, validationSizes: 'b.sizes' };
    expect(blockSequences.check(complete(blockSequences, wrong))).toMatchObject([
      { path: 'validationSizes', help: 'Name the data with `validationFile`, or remove validationSizes.' },
      { path: 'testFile', help: 'Add for example `testSizes: size_a.test`.' },
    ]);
  });
});
