import { expect, it } from 'vitest';
import { ucr } from '../../src/data/ucr.ts';
import { dataFolder } from './support/data-files.ts';
import { complete, examplesOf } from './support/read-all.ts';

type Chosen = Parameters<typeof complete<typeof ucr.parameters>>[1];

const read = async (files: Readonly<Record<string, string>>, parameters: Chosen) => {
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
