import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { ucr } from '../../src/data/ucr.ts';
import { dataFolder } from './support/data-files.ts';
import { complete, examplesOf } from './support/read-all.ts';

type Chosen = Parameters<typeof complete<typeof ucr.parameters>>[1];

const read = async (files: Readonly<Record<string, string | Uint8Array>>, parameters: Chosen) => {
  const chosen = complete(ucr, { standardize: false, validationFraction: 0, ...parameters });
  const context = dataFolder(files);
  const dataset = await ucr.load(chosen, context);
  expect(await ucr.shape(chosen, context)).toEqual(dataset.shape);
  return {
    shape: dataset.shape,
    train: examplesOf(dataset.shape, dataset.train),
    test: examplesOf(dataset.shape, dataset.test),
  };
};

const header =
  '# a comment\n@problemName Two\n@timeStamps false\n@dimensions 2\n@classLabel true a b\n@data\n';

it('reads .ts with several dimensions, lengths and missing values, and the test file beside it', async () => {
  const files = {
    'Two_TRAIN.ts': `${header}1,2,3:4,5,6:a\n7,?:8,9:b\n`,
    'Two_TEST.ts': `${header}0,0,0,0:1,1,1,1:b\n`,
  };
  const { shape, train, test } = await read(files, { file: 'Two_TRAIN.ts' });
  expect(shape).toEqual({
    ...{ steps: 4, input: { kind: 'values', features: 2 }, variableLength: true },
    task: { kind: 'classification', classes: 2, labels: ['a', 'b'] },
  });
  expect(train).toEqual([
    { inputs: [1, 4, 2, 5, 3, 6, 0, 0], length: 3, targets: [0] },
    { inputs: [7, 8, 7, 9, 0, 0, 0, 0], length: 2, targets: [1] },
  ]);
  expect(test).toEqual([{ inputs: [0, 1, 0, 1, 0, 1, 0, 1], length: 4, targets: [1] }]);
});

it('finds a test file of another form beside the training file', async () => {
  const arff = '@relation One\n@attribute v1 numeric\n@attribute target {1,2}\n@data\n';
  const training = { 'One_TRAIN.arff': `${arff}1,2\n3,1\n` };
  const file = 'One_TRAIN.arff';
  const wanted = [{ inputs: [7], length: 1, targets: [1] }];
  const others = { 'One_TEST.ts': '7:2\n', 'One_TEST.tsv': '2\t7\n', 'One_TEST.ts.gz': gzipSync('7:2\n') };
  for (const [name, content] of Object.entries(others))
    expect((await read({ ...training, [name]: content }, { file })).test).toEqual(wanted);
  // The archive has every form of a data set in one folder.
  const same = { 'One_TEST.arff': `${arff}5,1\n` };
  const { test } = await read({ ...training, ...others, ...same }, { file });
  expect(test).toEqual([{ inputs: [5], length: 1, targets: [0] }]);
  await expect(read({ ...training, ...others }, { file })).rejects.toThrow(
    'Several files can be the test part of One_TRAIN.arff: One_TEST.ts, One_TEST.ts.gz, One_TEST.tsv. Write for example `testFile: One_TEST.ts`.',
  );
  const named = await read({ ...training, ...others }, { file, testFile: 'One_TEST.tsv' });
  expect(named.test).toEqual(wanted);
  const none = await read({ ...training, 'Other_TEST.ts': '7:2\n' }, { file, testFraction: 0.5 });
  expect(none.test).toHaveLength(1);
});

it('reads .ts with time stamps, and numbers as labels', async () => {
  const text = '@timeStamps true\n@targetLabel true\n@data\n(0,1.5),(1,2):0.25\n(0,3):4\n';
  const given = { file: 'a.ts', testFile: 'a.ts', task: 'regression', standardizeTargets: false } as const;
  const { test } = await read({ 'a.ts': text }, given);
  expect(test).toEqual([
    { inputs: [1.5, 2], length: 2, targets: [0.25] },
    { inputs: [3, 0], length: 1, targets: [4] },
  ]);
});

it('reads .arff and .tsv', async () => {
  const one =
    '% a comment\n@relation One\n@attribute v1 numeric\n@attribute v2 numeric\n@attribute target {1,2}\n@data\n1,2,2\n3,?,1\n';
  const wanted = [
    { inputs: [1, 2], length: 2, targets: [1] },
    { inputs: [3, 0], length: 1, targets: [0] },
  ];
  expect((await read({ 'a.arff': one }, { file: 'a.arff', testFile: 'a.arff' })).test).toEqual(wanted);
  expect(
    (await read({ 'a.tsv': '2\t1\t2\n1\t3\tNaN\n' }, { file: 'a.tsv', testFile: 'a.tsv' })).test,
  ).toEqual(wanted);
  const two =
    "@relation Two\n@attribute t relational\n@attribute a numeric\n@end t\n@attribute class {x,'y z'}\n@data\n'1,2\\n3,4','y z'\n'5,6\\n7,8',x\n";
  expect((await read({ 'a.arff': two }, { file: 'a.arff', testFile: 'a.arff' })).test).toEqual([
    { inputs: [1, 3, 2, 4], length: 2, targets: [1] },
    { inputs: [5, 7, 6, 8], length: 2, targets: [0] },
  ]);
});

it('reports what it cannot read, with file and line', async () => {
  const wrong = read({ 'a.ts': `${header}1,x:2,3:a\n?,?:?:b\n` }, { file: 'a.ts', testFile: 'a.ts' });
  await expect(wrong).rejects.toThrow(
    'a.ts has 2 rows that cannot be used:\n  a.ts:7: column "x" is not a number: "x"\n  a.ts:8: all values are missing',
  );
  await expect(read({ 'a.ts': 'some words\n' }, { file: 'a.ts', testFile: 'a.ts' })).rejects.toThrow(
    'a.ts is not a file of the UCR or UEA archive.',
  );
});
