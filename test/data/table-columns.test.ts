import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Static } from '@sinclair/typebox';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvSequences } from '../../src/data/csv-sequences.ts';
import { DataError, type Dataset } from '../../src/data/dataset.ts';
import { inspectData } from '../../src/data/inspect.ts';
import { jsonlSequences } from '../../src/data/nested-sequences.ts';
import { dataFolder } from './support/data-files.ts';
import { complete, examplesOf } from './support/read-all.ts';

type Parameters = Partial<Static<typeof csvSequences.parameters>>;

const base: Parameters = {
  file: 'a.csv',
  testFile: 'a.csv',
  validationFraction: 0,
  sequence: 'id',
  targets: ['label'],
  standardize: false,
};

const load = (files: Readonly<Record<string, string | Uint8Array>>, parameters: Parameters) =>
  csvSequences.load(complete(csvSequences, { ...base, ...parameters }), dataFolder(files));

/** The examples of a file, all of which are in the test part. */
const read = async (text: string | Uint8Array, parameters: Parameters = {}) => {
  const dataset = await load({ 'a.csv': text }, parameters);
  return examplesOf(dataset.shape, dataset.test);
};

const inputsOf = async (text: string, parameters: Parameters = {}) =>
  (await read(text, parameters)).map(({ inputs }) => inputs);

const mistakeOf = async (wrong: Promise<unknown>): Promise<DataError> => {
  const error: unknown = await wrong.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DataError);
  return error as DataError;
};

describe('the order of steps', () => {
  it('is that of dates and date-times, with and without a zone', async () => {
    const text =
      'id,t,x,label\n1,2024-03-01T12:00+02:00,2,u\n1,2024-03-01 10:30,3,u\n1,2024-02-29,1,u\n1,2024-03-02,4,u\n';
    expect(await inputsOf(text, { order: 't' })).toEqual([[1, 2, 3, 4]]);
  });

  it('is refused where numbers and dates are mixed, or two times are equal', async () => {
    const mixed = 'id,t,x,label\n1,2024-03-01,2,u\n1,5,3,u\n';
    expect((await mistakeOf(read(mixed, { order: 't' }))).message).toContain(
      'a.csv:3: column "t" has the number "5" after dates',
    );
    const equal = 'id,t,x,label\n1,2024-03-01T01:00Z,2,u\n1,2024-03-01T02:00+01:00,3,u\n';
    expect((await mistakeOf(read(equal, { order: 't' }))).message).toContain(
      'a.csv:3: sequence "1" has the same "t" as in line 2',
    );
  });

  it('gives the time since the step before as an input, in seconds or in the unit of numbers', async () => {
    const dates = 'id,t,x,label\n1,2024-03-01T00:01,2,u\n1,2024-03-01,1,u\n1,2024-03-01T00:01:30,3,u\n';
    expect(await inputsOf(dates, { order: 't', deltaTime: true })).toEqual([[1, 0, 2, 60, 3, 30]]);
    const numbers = 'id,t,x,label\n1,0.5,2,u\n1,2,3,u\n';
    expect(await inputsOf(numbers, { order: 't', deltaTime: true })).toEqual([[2, 0, 3, 1.5]]);
  });
});

describe('columns without a name', () => {
  it('at the end of every row are left out where they have no values', async () => {
    expect(await inputsOf('id,x,label,,\n1,1,u,,\n1,2,u,,\n')).toEqual([[1, 2]]);
    const values = read(`id,x,label,\n${'1,1,u,\n'.repeat(120)}1,1,u,7\n`);
    expect((await mistakeOf(values)).message).toContain(
      'a.csv:122: a value in a column that has no name in the first row',
    );
  });

  it('at the end of every row are inputs where they have values', async () => {
    expect(await inputsOf('id,x,label,\n1,1,u,5\n')).toEqual([[1, 5]]);
  });
});

describe('missing values', () => {
  const text = [
    'id,t,x,y,label',
    ...['1,0,1,NA,u', '1,1,,20,u', '1,4,4,NaN,u', '1,5,null,40,u'],
    ...['2,0,?,,v', '2,1,8,,v'],
  ].join('\n');

  it('are an error unless a strategy is chosen, and the message proposes one', async () => {
    const { issues } = await mistakeOf(read('id,x,label\n1,,u\n1,2,u\n'));
    expect(issues[0]?.message).toContain('a.csv:2: column "x" is empty');
    expect(issues[0]?.help).toContain('`missing: interpolate`');
  });

  it('are interpolated by position, or in time where order has times', async () => {
    const x = { missing: 'interpolate' as const, features: ['x'] };
    const padded = [8, 8, 0, 0];
    expect(await inputsOf(text, { ...x, order: 't' })).toEqual([[1, 1.75, 4, 4], padded]);
    expect(await inputsOf(text, x)).toEqual([[1, 2.5, 4, 4], padded]);
  });

  it('become the mean of the training part where nothing of the sequence fills them', async () => {
    const y = { missing: 'interpolate' as const, features: ['y'] };
    expect(await inputsOf(text, y)).toEqual([
      [20, 20, 30, 40],
      [27.5, 27.5, 0, 0],
    ]);
    expect(await inputsOf(text, { missing: 'forward', features: ['y'] })).toEqual([
      [Math.fround(80 / 3), 20, 20, 40],
      [Math.fround(80 / 3), Math.fround(80 / 3), 0, 0],
    ]);
  });

  it('take a strategy by column, and a mask adds an input that shows them', async () => {
    const given: Parameters = { features: ['x', 'y'], missing: { x: 'mean', y: 'mask' } };
    const mean = Math.fround(13 / 3);
    expect(await inputsOf(text, given)).toEqual([
      [1, 30, 1, mean, 20, 0, 4, 30, 1, mean, 40, 0],
      [mean, 30, 1, 8, 30, 1, 0, 0, 0, 0, 0, 0],
    ]);
    const description = await describeFile(text, given);
    expect(description.inputs).toMatchObject({ features: 3, names: ['x', 'y', 'y missing'] });
    // The file is the training part, and the test part as well.
    expect(description.missing).toEqual({ x: 6, y: 8 });
  });

  it('of a wide table and of JSON lines are filled, too', async () => {
    const wide = { layout: 'wide', sequence: null, missing: 'interpolate' } as const;
    expect(await inputsOf('a,b,c,label\n1,,3,u\n1,NA,,v\n', wide)).toEqual([
      [1, 2, 3],
      [1, 1, 0],
    ]);
    const lines = [
      { x: [1, null, 3], label: 'u' },
      { x: [null, 5], label: 'v' },
    ];
    const dataset = await jsonlSequences.load(
      complete(jsonlSequences, {
        ...{ file: 'a.jsonl', testFile: 'a.jsonl', validationFraction: 0, layout: 'wide' },
        ...{ targets: ['label'], standardize: false, missing: 'forward' },
      }),
      dataFolder({ 'a.jsonl': lines.map((line) => JSON.stringify(line)).join('\n') }),
    );
    expect(examplesOf(dataset.shape, dataset.test).map(({ inputs }) => inputs)).toEqual([
      [1, 1, 3],
      [2.5, 5, 0],
    ]);
  });

  it('name only columns that are inputs', async () => {
    const { issues } = await mistakeOf(read(text, { missing: { z: 'mean', labell: 'mask' } }));
    expect(issues).toMatchObject([
      { path: 'missing.z', message: '"z" is not an input.' },
      { path: 'missing.labell', message: '"labell" is not an input.' },
    ]);
  });
});

const describeFile = async (text: string, parameters: Parameters) =>
  (await inspect({ 'a.csv': text }, parameters)).description;

const inspect = (files: Readonly<Record<string, string>>, parameters: Parameters) =>
  inspectData(csvSequences, complete(csvSequences, { ...base, ...parameters }), {
    context: dataFolder(files),
  });

describe('categories and static columns', () => {
  const text = [
    'id,weather,x,region,label',
    ...['1,sun,1,north,u', '1,rain,2,,u', '2,rain,3,south,v', '2,rain,4,south,v'],
  ].join('\n');

  it('are one input for each category of the training part, at each step', async () => {
    const given = { categorical: ['weather', 'region'], static: ['region'] };
    expect(await inputsOf(text, given)).toEqual([
      [0, 1, 1, 1, 0, 1, 0, 2, 1, 0],
      [1, 0, 3, 0, 1, 1, 0, 4, 0, 1],
    ]);
    expect((await describeFile(text, given)).inputs).toMatchObject({
      features: 5,
      names: ['weather=rain', 'weather=sun', 'x', 'region=north', 'region=south'],
    });
  });

  it('of the test part only are unknown: no input is 1, and they are counted', async () => {
    const files = { 'a.csv': text, 'b.csv': `${text}\n3,hail,5,east,v\n3,hail,5,east,v\n3,snow,5,east,v\n` };
    const given = { testFile: 'b.csv', categorical: ['weather', 'region'], static: ['region'] };
    const { shape, test } = await load(files, given);
    expect(examplesOf(shape, test)[2]?.inputs).toEqual([0, 0, 5, 0, 0, 0, 0, 5, 0, 0, 0, 0, 5, 0, 0]);
    const { warnings } = await inspect(files, given);
    const messages = warnings.map(({ message }) => message).filter((one) => one.includes('lacks'));
    expect(messages).toEqual([
      'The test part has categories of "weather" that the training part lacks: "hail", "snow", in 3 cells.',
      'The test part has a category of "region" that the training part lacks: "east", in 1 cell.',
    ]);
  });

  it('are an index each where they are embedded: 0 for what the training part lacks or what is missing', async () => {
    const files = { 'a.csv': text, 'b.csv': `${text}\n3,hail,5,east,v\n3,,5,east,v\n` };
    const given: Parameters = {
      ...{ testFile: 'b.csv', static: ['region'], missing: { weather: 'mask' } },
      categorical: { weather: 3, region: 'one-hot' },
    };
    const { shape, test } = await load(files, given);
    expect(shape.input).toEqual({
      kind: 'values',
      features: 4,
      embedded: [{ feature: 0, name: 'weather', categories: 3, size: 3 }],
    });
    expect(examplesOf(shape, test).map(({ inputs }) => inputs)).toEqual([
      [2, 1, 1, 0, 1, 2, 1, 0],
      [1, 3, 0, 1, 1, 4, 0, 1],
      [0, 5, 0, 0, 0, 5, 0, 0],
    ]);
    const { description } = await inspect(files, given);
    expect(description.inputs).toMatchObject({ names: ['weather', 'x', 'region=north', 'region=south'] });
    expect(description.parts.test?.unknown).toEqual({ weather: 1, region: 1 });
    expect(description.parts.train?.unknown).toBeUndefined();
    const wrong = load(files, { ...given, categorical: { wether: 3 } });
    expect((await mistakeOf(wrong)).issues).toMatchObject([
      { path: 'categorical.wether', help: 'Did you mean "weather"?' },
    ]);
  });

  it('in lists of JSON lines are categories at each place of a list', async () => {
    const lines = [
      {
        x: [
          ['a', 'b'],
          ['b', 'b'],
        ],
        label: 'u',
      },
      { x: [['c', 'a']], label: 'v' },
    ];
    const chosen = complete(jsonlSequences, {
      ...{ file: 'a.jsonl', testFile: 'a.jsonl', validationFraction: 0, layout: 'wide' },
      ...{ targets: ['label'], categorical: { x: 2 } },
    });
    const files = { 'a.jsonl': lines.map((line) => JSON.stringify(line)).join('\n') };
    const { shape, test } = await jsonlSequences.load(chosen, dataFolder(files));
    expect(examplesOf(shape, test).map(({ inputs }) => inputs)).toEqual([
      [1, 2, 2, 2],
      [3, 1, 0, 0],
    ]);
  });

  it('must be inputs, and static values the same at every step', async () => {
    expect((await mistakeOf(read(text, { features: ['x'], categorical: ['weather'] }))).issues).toMatchObject(
      [{ path: 'categorical.0', message: '"weather" is not an input.' }],
    );
    const { message } = await mistakeOf(
      read(text, { categorical: ['weather', 'region'], static: ['x'], missing: { region: 'forward' } }),
    );
    expect(message).toContain('a.csv:3: sequence "1" has another "x" here than from line 2 on');
    expect((await mistakeOf(read('id,x,s,label\n1,1,,u\n', { static: ['s'] }))).message).toContain(
      'a.csv:2: sequence "1" has no "s"',
    );
  });

  it('of a wide table are categories at each step, beside a static number', async () => {
    const wide = 'w1,x1,w2,x2,age,label\nsun,1,rain,2,40,u\nrain,3,,,50,v\n';
    const given: Parameters = {
      ...{ layout: 'wide', sequence: null, featuresPerStep: 2 },
      ...{ categorical: ['w1'], static: ['age'] },
    };
    expect(await inputsOf(wide, given)).toEqual([
      [0, 1, 1, 40, 1, 0, 2, 40],
      [1, 0, 3, 50, 0, 0, 0, 0],
    ]);
  });
});

describe('targets', () => {
  it('of a regression are standardized on the training part, and scaled back exactly', async () => {
    const text = 'id,x,u,v\n1,1,10,0.5\n2,2,30,0.5\n3,3,50,0.5\n';
    const { test, shape } = await load({ 'a.csv': text }, { task: 'regression', targets: ['u', 'v'] });
    const scaled = examplesOf(shape, test).map(({ targets }) => targets);
    expect(scaled.map(([u]) => u)).toEqual([-Math.fround(Math.sqrt(1.5)), 0, Math.fround(Math.sqrt(1.5))]);
    expect(scaled.map(([, v]) => v)).toEqual([0, 0, 0]);
    const { mean, factor } = test.scaling?.(0) ?? { mean: [], factor: [] };
    expect(mean).toEqual([30, 0.5]);
    expect(scaled.map(([u = 0]) => u / (factor[0] ?? 0) + (mean[0] ?? 0))).toEqual([
      expect.closeTo(10, 5),
      30,
      expect.closeTo(50, 5),
    ]);
  });

  it('of a run that was recorded before the setting are as they are', async () => {
    const chosen = complete(csvSequences, { ...base, task: 'regression', targets: ['u'] });
    delete (chosen as { standardizeTargets?: unknown }).standardizeTargets;
    const context = dataFolder({ 'a.csv': 'id,x,u\n1,1,10\n2,2,30\n' });
    const { test, shape } = await csvSequences.load(chosen, context);
    expect(examplesOf(shape, test).map(({ targets }) => targets)).toEqual([[10], [30]]);
    expect(test.scaling).toBeUndefined();
  });

  it('may be several numbers at each step', async () => {
    const text = 'id,t,x,u,v\n1,1,1,10,1\n1,0,2,20,2\n2,0,3,30,3\n';
    const given: Parameters = {
      ...{ task: 'regression', perStep: true, targets: ['v', 'u'] },
      ...{ order: 't', standardizeTargets: false },
    };
    const { shape, test } = await load({ 'a.csv': text }, given);
    expect(shape.task).toEqual({ kind: 'regression', outputs: 2, perStep: true, targets: ['v', 'u'] });
    expect(examplesOf(shape, test).map(({ targets }) => targets)).toEqual([
      [2, 20, 1, 10],
      [3, 30, 0, 0],
    ]);
    expect(
      (await mistakeOf(read('id,x,u\n1,1,\n', { ...given, order: null, targets: ['u'] }))).message,
    ).toContain('a.csv:2: column "u" is empty');
  });

  it('may be any number of labels, in one column or in one for each', async () => {
    const one = 'id,x,tags\n1,1,b|a\n2,2,\n3,3,c | b\n';
    const { shape, test } = await load({ 'a.csv': one }, { task: 'multi-label', targets: ['tags'] });
    expect(shape.task).toEqual({ kind: 'multi-label', classes: 3, labels: ['a', 'b', 'c'] });
    const wanted = [
      [1, 1, 0],
      [0, 0, 0],
      [0, 1, 1],
    ];
    expect(examplesOf(shape, test).map(({ targets }) => targets)).toEqual(wanted);
    const flags = 'id,x,a,b,c\n1,1,1,yes,0\n2,2,no,0,false\n3,3,0,1,true\n';
    const several = await load({ 'a.csv': flags }, { task: 'multi-label', targets: ['a', 'b', 'c'] });
    expect(examplesOf(several.shape, several.test).map(({ targets }) => targets)).toEqual(wanted);
    const wrong = read('id,x,a,b\n1,1,2,0\n', { task: 'multi-label', targets: ['a', 'b'] });
    expect((await mistakeOf(wrong)).message).toContain('a.csv:2: column "a" is not 0 or 1: "2"');
  });

  it('count as a column of weights says', async () => {
    const { train } = await load({ 'a.csv': 'id,x,w,label\n1,1,0.5,u\n2,2,3,v\n' }, { weight: 'w' });
    expect([train.weight?.(0), train.weight?.(1)]).toEqual([0.5, 3]);
    const wrong = read('id,x,w,label\n1,1,-1,u\n2,2,,v\n', { weight: 'w' });
    expect((await mistakeOf(wrong)).message.split('\n').slice(1)).toEqual([
      '  a.csv:2: column "w" is not a weight of 0 or more: "-1"',
      '  a.csv:3: sequence "2" has no "w"',
    ]);
    expect((await mistakeOf(read('id,x,w,label\n1,1,1e31,u\n', { weight: 'w' }))).message).toContain(
      'a.csv:2: column "w" is not a weight up to 1e+30: "1e31"',
    );
  });

  it('must have a weight above 0 in each part', async () => {
    const inspect = (weights: readonly string[]) => {
      const rows = weights.map((weight, id) => `${id},${id},${weight},${id % 2 === 0 ? 'u' : 'v'}`);
      const chosen = complete(csvSequences, { ...base, weight: 'w', testFile: 'b.csv' });
      const header = 'id,x,w,label\n';
      const context = dataFolder({
        'a.csv': `${header}0,1,1,u\n1,2,1,v\n`,
        'b.csv': header + rows.join('\n'),
      });
      return inspectData(csvSequences, chosen, { context });
    };
    await inspect(['0', '1']);
    // In single precision, the second one is 0.
    const { issues } = await mistakeOf(inspect(['0', '1e-50']));
    expect(issues).toMatchObject([{ path: 'weight', expected: 'a weight above 0 in each part' }]);
    expect(issues[0]?.message).toContain('Each sequence of the test part');
  });
});

describe('files', () => {
  const rows = 'id;x;label\n1;1,5;u\n1;-2,25;u\n2;3;v\n';

  it('have a comma before decimals where the spec says so', async () => {
    expect(await inputsOf(rows, { decimal: ',' })).toEqual([
      [1.5, -2.25],
      [3, 0],
    ]);
    expect((await mistakeOf(read(rows.replace('1,5', '1.5'), { decimal: ',' }))).message).toContain(
      'a.csv:2: column "x" is not a number: "1.5"',
    );
  });

  it('may be compressed with gzip or zstd', async () => {
    const text = 'id,x,label\n1,1,u\n2,2,v\n';
    const plain = await read(text);
    expect(await read(gzipSync(text))).toEqual(plain);
    // `printf 'id,x,label\n1,1,u\n2,2,v\n' | zstd`
    const zstd = Buffer.from('KLUv/QRYuQAAaWQseCxsYWJlbAoxLDEsdQoyLDIsdgrGMlg7', 'base64');
    expect(await read(zstd)).toEqual(plain);
    const cut = await mistakeOf(read(gzipSync(text).subarray(0, 25)));
    expect(cut.issues).toMatchObject([{ path: 'file', expected: 'a whole gzip file' }]);
    expect((await mistakeOf(read(zstd.subarray(0, 20)))).issues).toMatchObject([
      { expected: 'a whole zstd file' },
    ]);
  });

  const folder = (files: Readonly<Record<string, string>>) => {
    const context = dataFolder({});
    mkdirSync(join(context.baseDirectory, 'sensors'));
    for (const [name, text] of Object.entries(files))
      writeFileSync(join(context.baseDirectory, 'sensors', name), text);
    return context;
  };
  const loadFolder = (files: Readonly<Record<string, string>>, parameters: Parameters) =>
    csvSequences.load(
      complete(csvSequences, {
        ...{ ...base, sequence: null, file: 'sensors/*.csv', testFile: 'sensors/*.csv' },
        ...parameters,
      }),
      folder(files),
    );
  const named = ({ shape, test }: Dataset) =>
    examplesOf(shape, test).map(({ inputs, targets }, at) => [test.id?.(at), inputs, targets]);

  it('of a pattern are one sequence each, with labels from their names', async () => {
    const files = { 'up-anna.csv': 'x\n1\n2\n', 'down-bert.csv': 'x\n3\n', 'notes.txt': 'none' };
    const dataset = await loadFolder(files, { fileName: '{label}-{subject}.csv' });
    expect(dataset.shape.task).toMatchObject({ labels: ['down', 'up'] });
    expect(named(dataset)).toEqual([
      ['down-bert', [3, 0], [0]],
      ['up-anna', [1, 2], [1]],
    ]);
    const other = loadFolder({ ...files, 'x.csv': 'x\n1\n' }, { fileName: '{label}-{subject}.csv' });
    expect((await mistakeOf(other)).issues).toMatchObject([
      { path: 'fileName', message: 'The name of sensors/x.csv does not fit {label}-{subject}.csv.' },
    ]);
  });

  it('whose names could be taken apart in very many ways are taken apart once', async () => {
    const names = Array.from({ length: 60 }, (_, at) => `{p${at}}`).join('');
    const files = { [`${'a'.repeat(120)}.csv`]: 'x\n1\n' };
    const refused = await mistakeOf(loadFolder(files, { fileName: `${names}.txt` }));
    expect(refused.issues).toMatchObject([{ path: 'fileName' }]);
    const many = await mistakeOf(loadFolder(files, { fileName: names.repeat(1000) }));
    expect(many.issues).toMatchObject([{ path: 'fileName' }]);
  });

  it('of a folder have labels from a second table', async () => {
    const context = folder({ 'a.csv': 'x\n1\n', 'b.csv': 'x\n2\n' });
    writeFileSync(join(context.baseDirectory, 'labels.csv'), 'name,label,age\na,u,40\nb.csv,v,50\n');
    const chosen = complete(csvSequences, {
      ...{ ...base, sequence: null, file: 'sensors', testFile: 'sensors' },
      ...{ labelsFile: 'labels.csv', static: ['age'] },
    });
    const dataset = await csvSequences.load(chosen, context);
    expect(named(dataset)).toEqual([
      ['a', [1, 40], [0]],
      ['b', [2, 50], [1]],
    ]);
    const digest = await csvSequences.digest(chosen, context);
    writeFileSync(join(context.baseDirectory, 'labels.csv'), 'name,label,age\na,u,40\nb.csv,v,51\n');
    expect(await csvSequences.digest(chosen, context)).not.toBe(digest);
  });

  it('of a pattern are reported by name where they are wrong, and where there is none', async () => {
    const wrong = loadFolder({ 'a.csv': 'x,label\n?,u\n', 'b.csv': 'x,label\n1,u\n?,u\n' }, {});
    expect((await mistakeOf(wrong)).issues.map(({ message }) => message)).toEqual([
      'sensors/a.csv has a row that cannot be used:\n  sensors/a.csv:2: column "x" is not a number: "?"',
      'sensors/b.csv has a row that cannot be used:\n  sensors/b.csv:3: column "x" is not a number: "?"',
    ]);
    expect((await mistakeOf(loadFolder({ 'a.txt': 'x' }, {}))).message).toContain(
      'No file fits sensors/*.csv.',
    );
    const other = loadFolder({ 'a.csv': 'x,label\n1,u\n', 'b.csv': 'y,label\n1,u\n' }, {});
    expect((await mistakeOf(other)).message).toContain('The files of sensors/*.csv have different features.');
    const without = loadFolder({ 'a.csv': 'x\n1\n', 'b.csv': 'x\n1\n', 'c.csv': 'x\n1\n' }, {});
    expect((await mistakeOf(without)).issues.map(({ message }) => message)).toEqual([
      'sensors/a.csv has no column "label". The same holds for other files.',
    ]);
  });

  it('have sequences of a second table beside those of a single file', async () => {
    const files = { 'a.csv': 'id,x\n7,1\n8,2\n', 'labels.csv': 'label,number\nu,8\nv,7\n' };
    const { shape, test } = await load(files, { labelsFile: 'labels.csv', labelsKey: 'number' });
    expect(examplesOf(shape, test).map(({ targets }) => targets)).toEqual([[1], [0]]);
    const missing = load({ ...files, 'labels.csv': 'id,label\n7,u\n' }, { labelsFile: 'labels.csv' });
    expect((await mistakeOf(missing)).message).toContain(
      'a.csv:3: sequence "8" has no "label" in labels.csv',
    );
  });
});

describe('the parts', () => {
  const partsOf = async (rows: readonly string[], parameters: Parameters) => {
    const { shape, train, validation, test } = await load(
      { 'a.csv': ['id,x,g,label', ...rows].join('\n') },
      { testFile: null, validationFraction: null, features: ['x'], ...parameters },
    );
    const ids = (split: Dataset['train'] | undefined) =>
      split ? examplesOf(shape, split).map(({ inputs }) => inputs[0] ?? NaN) : [];
    return { train: ids(train), validation: ids(validation), test: ids(test) };
  };
  const all = (parts: Awaited<ReturnType<typeof partsOf>>) =>
    Object.values(parts)
      .flat()
      .sort((a, b) => a - b);

  it('have the share of each class where they are stratified', async () => {
    const rows = Array.from({ length: 100 }, (_, id) => `${id},${id},g,${id < 20 ? 'rare' : 'usual'}`);
    const parts = await partsOf(rows, { split: 'stratified', validationFraction: 0.2, testFraction: 0.1 });
    const rare = ({ length }: readonly number[]) => length;
    expect([parts.train, parts.validation, parts.test].map(rare)).toEqual([70, 20, 10]);
    expect(parts.test.filter((id) => id < 20)).toHaveLength(2);
    expect(parts.validation.filter((id) => id < 20)).toHaveLength(4);
    expect(all(parts)).toEqual(rows.map((_, id) => id));
  });

  it('have whole groups where they are grouped, also as folds', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 30, maxLength: 60 }),
        fc.integer({ min: 1, max: 1000 }),
        async (groups, splitSeed) => {
          fc.pre(new Set(groups).size > 5);
          const rows = groups.map((group, id) => `${id},${id},${group},${id % 2 ? 'u' : 'v'}`);
          const given = { split: 'grouped', splitBy: 'g', splitSeed } as const;
          const parts = await partsOf(rows, given);
          const groupsOf = (ids: readonly number[]) => new Set(ids.map((id) => groups[id]));
          const [train, validation, test] = [parts.train, parts.validation, parts.test].map(groupsOf);
          for (const group of test ?? []) expect(train?.has(group) || validation?.has(group)).toBe(false);
          for (const group of validation ?? []) expect(train?.has(group)).toBe(false);
          expect(all(parts)).toEqual(rows.map((_, id) => id));
          const tests: number[] = [];
          for (const fold of [1, 2, 3])
            tests.push(...(await partsOf(rows, { ...given, folds: 3, fold })).test);
          expect(tests.sort((a, b) => a - b)).toEqual(rows.map((_, id) => id));
        },
      ),
      { seed: 18, numRuns: 5 },
    ));

  it.each(['random', 'stratified'] as const)('are each once the test part in %s folds', async (split) => {
    const rows = Array.from({ length: 23 }, (_, id) => `${id},${id},g,${id % 3}`);
    const tests: number[] = [];
    for (const fold of [1, 2, 3, 4, 5]) {
      const parts = await partsOf(rows, { split, folds: 5, fold });
      expect(all(parts)).toEqual(rows.map((_, id) => id));
      expect(parts.validation).toHaveLength(2);
      tests.push(...parts.test);
    }
    expect(tests.sort((a, b) => a - b)).toEqual(rows.map((_, id) => id));
  });

  it('follow one another in time where they are chronological', async () => {
    const rows = Array.from({ length: 20 }, (_, id) => `${id},${id},2024-01-${10 + ((id * 7) % 20)},u`);
    const timeOf = (id: number) => (id * 7) % 20;
    const given = { split: 'chronological', validationFraction: 0.2, testFraction: 0.1 } as const;
    for (const how of [{ splitBy: 'g' }, { order: 'g' }]) {
      const parts = await partsOf(rows, { ...given, ...how });
      expect(parts.test.map(timeOf).sort((a, b) => a - b)).toEqual([18, 19]);
      expect(parts.validation.map(timeOf).sort((a, b) => a - b)).toEqual([14, 15, 16, 17]);
    }
    // Without a time, the order of the file counts.
    expect((await partsOf(rows, given)).test).toEqual([18, 19]);
  });

  it('are those that a column names', async () => {
    const parts = ['train', 'Test', 'val', 'training', 'train', 'test'];
    const rows = parts.map((part, id) => `${id},${id},${part},${id % 2 ? 'u' : 'v'}`);
    const given = { split: 'column', splitBy: 'g' } as const;
    expect(await partsOf(rows, given)).toEqual({ train: [0, 3, 4], validation: [2], test: [1, 5] });
    const without = rows.filter((row) => !row.includes('val'));
    const { message } = await mistakeOf(partsOf(without, given));
    expect(message).toContain('has no sequence of the validation part');
    expect((await partsOf(without, { ...given, validationFraction: 0 })).validation).toEqual([]);
    expect((await partsOf(without, { ...given, validationFraction: 0.3 })).validation).toHaveLength(1);
    const wrong = await mistakeOf(partsOf([...rows, '6,6,later,u'], given));
    expect(wrong.message).toContain('a.csv:8: column "g" is not train, validation or test: "later"');
  });
});

it('nothing of the validation and test parts enters what is measured on the training part', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('', '1', '5', '-3.5', 'NA'), { minLength: 12, maxLength: 24 }),
      fc.constantFrom('interpolate', 'forward', 'mean', 'mask'),
      fc.integer({ min: 1, max: 100 }),
      async (cells, missing, splitSeed) => {
        const rowsOf = (change: (id: number, cell: string) => string) =>
          [
            'id,x,w,y',
            ...cells.flatMap((cell, id) =>
              [cell, '2'].map(
                (one) => `${id},${change(id, one)},${change(id, `w${id % 3}`)},${change(id, `${id}`)}`,
              ),
            ),
          ].join('\n');
        const given: Parameters = {
          ...{ testFile: null, validationFraction: 0.2, testFraction: 0.2, splitSeed, missing },
          ...{ categorical: ['w'], task: 'regression', targets: ['y'], standardize: true },
        };
        const before = await load({ 'a.csv': rowsOf((_, cell) => cell) }, given);
        const training = new Set(
          Array.from({ length: before.train.size }, (_, at) => Number(before.train.id?.(at))),
        );
        const after = await load(
          {
            'a.csv': rowsOf((id, cell) => (training.has(id) ? cell : cell.startsWith('w') ? 'other' : '1e6')),
          },
          given,
        );
        expect(examplesOf(after.shape, after.train)).toEqual(examplesOf(before.shape, before.train));
        expect(after.train.scaling?.(0)).toEqual(before.train.scaling?.(0));
        expect(after.shape).toEqual(before.shape);
      },
    ),
    { seed: 18, numRuns: 12 },
  ));
