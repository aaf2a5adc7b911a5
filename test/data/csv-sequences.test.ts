import { existsSync, readdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Static } from '@sinclair/typebox';
import { describe, expect, it } from 'vitest';
import { csvSequences } from '../../src/data/csv-sequences.ts';
import { DataError } from '../../src/data/dataset.ts';
import { systemErrorOf } from '../../src/system/system-error.ts';
import { dataFolder } from './support/data-files.ts';
import { complete, examplesOf } from './support/read-all.ts';

type Parameters = Partial<Static<typeof csvSequences.parameters>>;

const long: Parameters = {
  file: 'a.csv',
  sequence: 'id',
  targets: ['label'],
  standardize: false,
  standardizeTargets: false,
};

/** All sequences of a file, which is given as the test file as well so that every one is seen. */
const readFileOf = async (text: string | Uint8Array, parameters: Parameters = {}) => {
  const context = dataFolder({ 'a.csv': text });
  const chosen = complete(csvSequences, { ...long, testFile: 'a.csv', validationFraction: 0, ...parameters });
  const dataset = await csvSequences.load(chosen, context);
  expect(await csvSequences.shape(chosen, context)).toEqual(dataset.shape);
  return { shape: dataset.shape, examples: examplesOf(dataset.shape, dataset.test) };
};

/** The message of the `DataError` that reading ends with. */
const mistakeOf = async (text: string | Uint8Array, parameters: Parameters = {}): Promise<DataError> => {
  const error: unknown = await readFileOf(text, parameters).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DataError);
  return error as DataError;
};

const threeSequences = [
  'id,t,a,b,label',
  '7,0,1,10,up',
  '7,1,2,20,up',
  '8,0,3,30,down',
  '9,0,4,40,up',
  '9,1,5,50,up',
  '9,2,6,60,up',
  '',
].join('\n');

describe('the long layout', () => {
  it('makes a sequence of the rows of one id, padded to the longest', async () => {
    const { shape, examples } = await readFileOf(threeSequences, { order: 't' });
    expect(shape).toEqual({
      steps: 3,
      input: { kind: 'values', features: 2 },
      variableLength: true,
      task: { kind: 'classification', classes: 2, labels: ['down', 'up'] },
    });
    expect(examples).toEqual([
      { inputs: [1, 10, 2, 20, 0, 0], length: 2, targets: [1] },
      { inputs: [3, 30, 0, 0, 0, 0], length: 1, targets: [0] },
      { inputs: [4, 40, 5, 50, 6, 60], length: 3, targets: [1] },
    ]);
  });

  it('takes the features in the order in which they are named, and no others', async () => {
    const { examples } = await readFileOf(threeSequences, { features: ['b'] });
    expect(examples[0]).toEqual({ inputs: [10, 20, 0], length: 2, targets: [1] });
  });

  it('sorts the steps by the order column', async () => {
    const text = 'id,t,a,label\n1,30,3,x\n1,-1.5,1,x\n1,2e1,2,x\n';
    const { examples } = await readFileOf(text, { order: 't' });
    expect(examples[0]?.inputs).toEqual([1, 2, 3]);
    const labels = 'id,t,a,label\n1,30,3,x\n1,-1.5,1,y\n1,2e1,2,z\n';
    expect((await readFileOf(labels, { order: 't', task: 'labelling' })).examples[0]?.targets).toEqual([
      1, 2, 0,
    ]);
  });

  it('labels each step, zero past the length', async () => {
    const text = 'id,a,label\n1,1,x\n1,2,y\n2,3,y\n';
    const { shape, examples } = await readFileOf(text, { task: 'labelling' });
    expect(shape.task).toEqual({ kind: 'labelling', classes: 2, labels: ['x', 'y'] });
    expect(examples.map(({ targets }) => targets)).toEqual([
      [0, 1],
      [1, 0],
    ]);
  });

  it('predicts several numbers; a target may stand on one row of its sequence only', async () => {
    const text = 'id,a,u,v\n1,1,,0.5\n1,2,-3,\n2,3,4,5\n';
    const { shape, examples } = await readFileOf(text, { task: 'regression', targets: ['v', 'u'] });
    expect(shape.task).toEqual({ kind: 'regression', outputs: 2, targets: ['v', 'u'] });
    expect(examples.map(({ targets }) => targets)).toEqual([
      [0.5, -3],
      [5, 4],
    ]);
  });

  it('orders labels that are numbers by number', async () => {
    const { shape } = await readFileOf('id,a,label\n1,1,10\n2,1,9\n3,1,-2\n');
    expect(shape.task).toMatchObject({ labels: ['-2', '9', '10'] });
  });

  it('reads quotes, line ends of Windows, a byte order mark, spaces, empty lines and other delimiters', async () => {
    const text = '\uFEFF"id"; a ;label\r\n"one; ""two""\n";1;"x\r\ny"\r\n\r\n"3";" 2 ";z';
    const { shape, examples } = await readFileOf(text, { delimiter: ';' });
    expect(examples.map(({ inputs }) => inputs)).toEqual([[1], [2]]);
    expect(shape.task).toMatchObject({ labels: ['x\r\ny', 'z'] });
  });

  it('keeps letters whole that lie across the border of two pieces of the file', async () => {
    const rows = Array.from({ length: 60_000 }, (_, id) => `${id},1,${id % 2 ? 'żółć' : 'straße €'}`);
    const { shape } = await readFileOf(['id,a,label', ...rows].join('\n'));
    expect(shape.task).toMatchObject({ labels: ['straße €', 'żółć'] });
  });
});

describe('the wide layout', () => {
  const wide: Parameters = { layout: 'wide', sequence: null, targets: ['label'] };

  it('reads steps from left to right, up to the last cell that is not empty', async () => {
    const { shape, examples } = await readFileOf('label,s1,s2,s3\nx,1,2,3\ny,4,,\n', wide);
    expect(shape).toMatchObject({ steps: 3, input: { features: 1 }, variableLength: true });
    expect(examples).toEqual([
      { inputs: [1, 2, 3], length: 3, targets: [0] },
      { inputs: [4, 0, 0], length: 1, targets: [1] },
    ]);
  });

  it('takes several columns a step, and lengths from a column', async () => {
    const text = 'a1,b1,a2,b2,n,label\n1,2,3,4,2,x\n5,6,7,8,1,x\n';
    const { shape, examples } = await readFileOf(text, { ...wide, featuresPerStep: 2, length: 'n' });
    expect(shape).toMatchObject({ steps: 2, input: { features: 2 } });
    expect(examples.map(({ inputs, length }) => [inputs, length])).toEqual([
      [[1, 2, 3, 4], 2],
      [[5, 6, 0, 0], 1],
    ]);
  });

  it('labels each step from one column a step', async () => {
    const text = 's1,s2,l1,l2\n1,2,x,y\n3,,y,\n';
    const { examples } = await readFileOf(text, { ...wide, task: 'labelling', targets: ['l1', 'l2'] });
    expect(examples.map(({ targets }) => targets)).toEqual([
      [0, 1],
      [1, 0],
    ]);
  });
});

describe('bad rows', () => {
  it('are all reported with file and line, and none is skipped', async () => {
    const text = [
      'id,t,a,b,label',
      '1,0,one,,x',
      '1,0,1',
      '"2",0,1,2,"a\nb"',
      ',0,1,2,x',
      '3,0,1,Infinity,x',
      '3,1,1,2,y',
      '4,0,0x,2,',
      '2,0,1,2,"a\nb"',
      '5,0,1,2,x',
      '5,0,1,2,x',
    ].join('\n');
    expect((await mistakeOf(text, { order: 't' })).message).toMatchInlineSnapshot(`
      "a.csv has 8 rows that cannot be used:
        a.csv:2: column "a" is not a number: "one"
        a.csv:3: 3 cells where the header has 5
        a.csv:6: column "id" is empty
        a.csv:7: column "b" is not a finite number: "Infinity"
        a.csv:8: sequence "3" has another "label" here than from line 7 on
        a.csv:9: column "a" is not a number: "0x"
        a.csv:10: more of sequence "2" after other sequences; its rows must be adjacent
        a.csv:13: sequence "5" has the same "t" as in line 12"
    `);
  });

  it('are counted beyond the first twenty', async () => {
    const rows = Array.from({ length: 50 }, (_, id) => `${id},?,x`);
    const { message, issues } = await mistakeOf(['id,a,label', ...rows].join('\n'));
    expect(message.split('\n').length).toBe(22);
    expect(message).toMatch(/^a.csv has 50 rows that cannot be used:\n {2}a.csv:2: /);
    expect(message).toMatch(/\n {2}and 30 more\.$/);
    expect(issues[0]?.path).toBe('file');
  });

  it('are told where a quote is not closed, or closed in the middle of a cell', async () => {
    const open = 'id,a,label\n1,1,x\n2,"1,x\n3,1,x\n';
    expect((await mistakeOf(open)).message).toMatchInlineSnapshot(`
      "a.csv has a row that cannot be used:
        a.csv:3: a quote is opened and never closed"
    `);
    const inside = 'id,a,label\n1,1,x\n2,"1"0,x\n3,1,x\n';
    expect((await mistakeOf(inside)).message).toMatchInlineSnapshot(`
      "a.csv has a row that cannot be used:
        a.csv:3: a quote is closed before the end of its cell"
    `);
    const large = 'id,a,label\n1,1,x\n2,"1,x\n'.padEnd(17 << 20, '3,1,x\n');
    expect((await mistakeOf(large)).message).toBe(
      'a.csv has a row of more than 16 MB: is a quote not closed? Look for a cell that begins with a quote and does not end with one.',
    );
  });

  it('are counted once each, also where the reports of lines alternate', async () => {
    // Each sequence is reported at its first line after its second row was.
    const rows = Array.from({ length: 30 }, (_, id) => [`${id},0,1,x`, `${id},0,1,x`]).flat();
    const { message } = await mistakeOf(['id,t,a,label', ...rows].join('\n'), { order: 't' });
    expect(message).toMatch(
      /^a.csv has 30 rows that cannot be used:\n {2}a.csv:3: sequence "0" has the same "t" as in line 2\n/,
    );
    const both = ['id,t,a,label', '1,?,?,x', '1,?,?,y', '2,0,1,'].join('\n');
    expect((await mistakeOf(both, { order: 't' })).message).toMatchInlineSnapshot(`
      "a.csv has 3 rows that cannot be used:
        a.csv:2: column "t" is not a number or an ISO date: "?"
        a.csv:3: column "t" is not a number or an ISO date: "?"
        a.csv:4: sequence "2" has no "label""
    `);
  });

  it.each([
    ['2024-03-01 10:00:00', {}, 'features'],
    ['2024/03/01 10:00:00', { order: 't' }, 'order'],
    ['2024-03-01T10:00Z', {}, 'features'],
    ['1.3.2024', { order: 't' }, 'order'],
    ['3/1/24', {}, 'features'],
    ['10:30', { order: 't' }, 'order'],
  ] as const)('of dates such as %s are one mistake of their column', async (date, parameters, path) => {
    const rows = Array.from({ length: 40 }, (_, at) => `${at >> 1},${date},1,x`);
    const { message, issues } = await mistakeOf(['id,t,a,label', ...rows].join('\n'), parameters);
    expect(issues).toMatchObject([
      {
        path,
        message: `a.csv:2: column "t" holds dates${path === 'order' ? ' that are not ISO 8601' : ''}, such as "${date}", in 40 rows.`,
        got: `"${date}"`,
      },
    ]);
    expect(message.split('\n')).toHaveLength(1);
    expect(message).toContain(path === 'order' ? '2024-01-31' : 'days or seconds since the first one');
  });

  it('of dates stand beside other mistakes once', async () => {
    const text = 'id,t,a,label\n1,1.3.2024,1,x\n1,2.3.2024,?,x\n2,5,?,x\n2,6,1\n';
    expect((await mistakeOf(text, { order: 't' })).message).toMatchInlineSnapshot(`
      "a.csv has 4 rows that cannot be used:
        a.csv:4: column "a" is not a number: "?"
        a.csv:5: 3 cells where the header has 4
        a.csv:2: column "t" holds dates that are not ISO 8601, such as "1.3.2024", in 2 rows"
    `);
  });

  it('are found in the wide layout too', async () => {
    const text = 's1,s2,s3,n,label\n1,2,3,4,x\n1,,3,2,x\n1,2,3,3,\n';
    const wide: Parameters = { layout: 'wide', sequence: null, length: 'n' };
    expect((await mistakeOf(text, wide)).message).toMatchInlineSnapshot(`
      "a.csv has 3 rows that cannot be used:
        a.csv:2: column "n": "4" is not a number of steps from 1 to 3
        a.csv:3: column "s2" is empty
        a.csv:4: column "label" is empty"
    `);
    const noLength = 's1,s2,label\n,,x\n,2,x\n';
    expect((await mistakeOf(noLength, { layout: 'wide', sequence: null })).message).toMatchInlineSnapshot(`
      "a.csv has 2 rows that cannot be used:
        a.csv:2: all steps are empty
        a.csv:3: column "s1" is empty"
    `);
  });
});

describe('a file that cannot be read', () => {
  it.each([
    ['no rows', 'id,a,label\n', {}, 'a.csv has no rows of data. Add rows, or name another file.'],
    [
      'nothing',
      '',
      {},
      'a.csv is empty. Write the names of the columns into the first row, or name another file.',
    ],
    [
      'two columns of one name',
      'id,a,a,label\n',
      {},
      'a.csv names the column "a" twice in its first row. Rename one of the two columns in the file.',
    ],
    [
      'bytes',
      Uint8Array.of(105, 0, 3),
      {},
      'a.csv is not a text file: it has null bytes. Name another file, or save it as UTF-8.',
    ],
    ['Latin-1', Uint8Array.of(105, 0xe9, 44), {}, 'a.csv is not UTF-8 text. Save it as UTF-8.'],
    ['no feature', 'id,label\n1,x\n', {}, 'No column is left for the features: the file has "id", "label".'],
    [
      'columns that do not make steps',
      'a,b,c,label\n1,2,3,x\n',
      { layout: 'wide', sequence: null, featuresPerStep: 2 },
      '3 feature columns do not make whole steps of 2. Change featuresPerStep, or name the feature columns.',
    ],
    [
      'too few sequences',
      'id,a,label\n1,1,x\n',
      { testFile: null },
      'a.csv has 1 sequence: too few for a validation part of 0 and a test part of 1.',
    ],
  ] as const)('%s', async (_, text, parameters, message) => {
    expect((await mistakeOf(text, parameters as Parameters)).message).toBe(message);
  });

  it('names every missing column, and the nearest', async () => {
    const { message, issues } = await mistakeOf(threeSequences, {
      sequence: 'ID',
      features: ['a', 'c'],
      targets: ['lable'],
    });
    expect(message).toMatchInlineSnapshot(`
      "a.csv has no column "ID". Did you mean "id"?
      a.csv has no column "lable". Did you mean "label"?
      a.csv has no column "c". Names are compared letter by letter, with upper and lower case.
      Its columns are "id", "t", "a", "b", "label"."
    `);
    expect(issues.map(({ path }) => path)).toEqual(['sequence', 'targets.0', 'features.1']);
  });

  it.each([';', '\t', '|'])('has its delimiter %j found', async (delimiter) => {
    const text = threeSequences.replaceAll(',', delimiter);
    expect(await readFileOf(text, { order: 't' })).toEqual(await readFileOf(threeSequences, { order: 't' }));
  });

  it.each([
    [';', ';', '|'],
    ['\\t', '\t', ';'],
    ['|', '|', ';'],
    [',', ',', ';'],
    ['^', '^', ','],
    [' ', ' ', ','],
  ])('has its delimiter %s proposed', async (written, delimiter, chosen) => {
    const text = threeSequences.replaceAll(',', delimiter);
    const { message, issues } = await mistakeOf(text, { order: 't', delimiter: chosen });
    expect(issues).toMatchObject([
      { path: 'delimiter', help: `Write \`delimiter: "${written}"\` in dataset.` },
    ]);
    expect(message).not.toContain('no column');
  });

  it('has only the columns reported that its own delimiter does not give', async () => {
    const text = threeSequences.replaceAll(',', ';');
    const { issues } = await mistakeOf(text, { sequence: 'series' });
    expect(issues.map(({ path }) => path)).toEqual(['sequence']);
  });

  it('is told apart from one that is missing; similar names are shown', async () => {
    const context = dataFolder({ 'train.csv': threeSequences });
    const digest = (file: string) => csvSequences.digest(complete(csvSequences, { ...long, file }), context);
    await expect(digest('trian.csv')).rejects.toThrow(
      'There is no file trian.csv. In the same folder there is train.csv.',
    );
    await expect(digest('none/')).rejects.toThrow('There is no file none/.');
    await expect(digest('x/train.csv')).rejects.toThrow(/There is no folder .* either/);
  });

  it('leaves nothing in the cache', async () => {
    const context = dataFolder({ 'a.csv': 'id,a,label\n1,?,x\n' });
    await expect(csvSequences.shape(complete(csvSequences, long), context)).rejects.toThrow(DataError);
    expect(readdirSync(join(context.baseDirectory, 'cache', 'datasets', 'packed'))).toEqual([]);
  });
});

describe('the parts', () => {
  const rows = Array.from({ length: 100 }, (_, id) => `${id},${id},${id % 3}`);
  const hundred = ['id,a,label', ...rows].join('\n');
  const idsOf = async (parameters: Parameters, files: Record<string, string> = {}) => {
    const context = dataFolder({ 'a.csv': hundred, ...files });
    const dataset = await csvSequences.load(complete(csvSequences, { ...long, ...parameters }), context);
    const ids = (split = dataset.train) =>
      examplesOf(dataset.shape, split).map(({ inputs }) => inputs[0] ?? NaN);
    return {
      shape: dataset.shape,
      train: ids(),
      validation: dataset.validation && ids(dataset.validation),
      test: ids(dataset.test),
    };
  };

  it('are drawn by fraction, share nothing and leave nothing out', async () => {
    const { train, validation = [], test } = await idsOf({ validationFraction: 0.2 });
    expect([train.length, validation.length, test.length]).toEqual([70, 20, 10]);
    expect([...train, ...validation, ...test].sort((a, b) => a - b)).toEqual(rows.map((_, id) => id));
    const again = await idsOf({ validationFraction: 0.2 });
    expect(again.test).toEqual(test);
    expect((await idsOf({ validationFraction: 0.2, splitSeed: 2 })).test).not.toEqual(test);
  });

  it('come from files of their own; classes are those of all files', async () => {
    const files = {
      'v.csv': 'id,a,label\n1,1000,zebra\n1,1001,zebra',
      't.csv': 'id,a,label\n1,2000,1\n2,2001,2',
    };
    const parts = await idsOf({ validationFile: 'v.csv', testFile: 't.csv' }, files);
    expect(parts.train.length).toBe(100);
    expect(parts.validation).toEqual([1000]);
    expect(parts.test).toEqual([2000, 2001]);
    expect(parts.shape.task).toMatchObject({ labels: ['0', '1', '2', 'zebra'] });
    const context = dataFolder({ 'a.csv': hundred, ...files });
    const dataset = await csvSequences.load(
      complete(csvSequences, { ...long, validationFile: 'v.csv', testFile: 't.csv' }),
      context,
    );
    expect(examplesOf(dataset.shape, dataset.test).map(({ targets }) => targets)).toEqual([[1], [2]]);
    expect(dataset.validation && examplesOf(dataset.shape, dataset.validation)[0]?.targets).toEqual([3]);
  });

  it('of files with other features are refused', async () => {
    await expect(idsOf({ testFile: 't.csv' }, { 't.csv': 'id,b,label\n1,1,x' })).rejects.toThrow(
      /have different features: a.csv has a; another has b/,
    );
  });
});

describe('standardisation', () => {
  it('is fitted on the training part only, over the steps that there are', async () => {
    const files = {
      'a.csv': 'id,a,b,label\n1,1,5,x\n1,3,5,x\n2,5,5,x\n',
      't.csv': 'id,a,b,label\n1,3,6,x\n2,1e6,5,x\n2,3,5,x\n',
    };
    const context = dataFolder(files);
    const parameters = { ...long, standardize: true, testFile: 't.csv', validationFraction: 0 };
    const dataset = await csvSequences.load(complete(csvSequences, parameters), context);
    const train = examplesOf(dataset.shape, dataset.train);
    // Mean 3 and population standard deviation sqrt(8/3); b never changes and is only shifted.
    const unit = Math.fround(2 / Math.sqrt(8 / 3));
    expect(train[0]?.inputs).toEqual([-unit, 0, 0, 0]);
    expect(train[1]?.inputs).toEqual([unit, 0, 0, 0]);
    const test = examplesOf(dataset.shape, dataset.test);
    expect(test[0]?.inputs.slice(0, 2)).toEqual([0, 1]);
  });

  it('keeps what is small beside a large offset', async () => {
    const rows = Array.from({ length: 20 }, (_, id) => `${id},${1.7e12 + id},x`);
    const context = dataFolder({ 'a.csv': ['id,a,label', ...rows].join('\n') });
    const parameters = { ...long, standardize: true, validationFraction: 0 };
    const dataset = await csvSequences.load(complete(csvSequences, parameters), context);
    const values = examplesOf(dataset.shape, dataset.train).map(({ inputs }) => inputs[0] ?? NaN);
    expect(new Set(values).size).toBe(18);
    expect(values.reduce((sum, value) => sum + value ** 2, 0) / values.length).toBeCloseTo(1, 3);
  });
});

describe('the cache', () => {
  it('is used while the content is the same, and not after a change', async () => {
    const context = dataFolder({ 'a.csv': threeSequences });
    const chosen = complete(csvSequences, long);
    const packs = () => readdirSync(join(context.baseDirectory, 'cache', 'datasets', 'packed'));
    const digest = await csvSequences.digest(chosen, context);
    await csvSequences.shape(chosen, context);
    expect(packs().length).toBe(1);

    // Touched, but the same content: the same digest and pack.
    utimesSync(join(context.baseDirectory, 'a.csv'), new Date(1e12), new Date(1e12));
    expect(await csvSequences.digest(chosen, context)).toBe(digest);
    await csvSequences.shape(chosen, context);
    expect(packs().length).toBe(1);

    writeFileSync(join(context.baseDirectory, 'a.csv'), threeSequences.replace('60', '61'));
    expect(await csvSequences.digest(chosen, context)).not.toBe(digest);
    await csvSequences.shape(chosen, context);
    expect(packs().length).toBe(2);

    // Other columns make another pack; other fractions do not.
    await csvSequences.shape({ ...chosen, features: ['a'] }, context);
    await csvSequences.shape({ ...chosen, testFraction: 0.5 }, context);
    expect(packs().length).toBe(3);
    expect(
      packs().every((name) =>
        existsSync(join(context.baseDirectory, 'cache/datasets/packed', name, 'pack.json')),
      ),
    ).toBe(true);
  });

  it('is swept of what a killed process left', async () => {
    const context = dataFolder({ 'a.csv': threeSequences });
    const chosen = complete(csvSequences, long);
    await csvSequences.shape(chosen, context);
    const packed = join(context.baseDirectory, 'cache', 'datasets', 'packed');
    const [name = ''] = readdirSync(packed);
    // No process has a number as large as this.
    renameSync(join(packed, name), join(packed, `${name}.4999999-0123abcd`));
    await csvSequences.shape(chosen, context);
    expect(readdirSync(packed)).toEqual([name]);
  });

  it('says when it cannot be written', async () => {
    const context = dataFolder({ 'a.csv': threeSequences });
    process.env['UNROLL_CACHE'] = join(context.baseDirectory, 'a.csv');
    const error: unknown = await csvSequences
      .shape(complete(csvSequences, long), context)
      .catch((one: unknown) => one);
    expect(systemErrorOf(error)?.message).toMatch(
      /^Cannot create the folder \S+\/a\.csv\/datasets\/packed\/\w+: a part of its path is not a folder$/,
    );
    expect(systemErrorOf(error)?.advice).toMatch(/ Or let UNROLL_CACHE name another folder for the cache\.$/);
  });

  it('is filled by two at once without harm', async () => {
    const context = dataFolder({ 'a.csv': threeSequences });
    const chosen = complete(csvSequences, { ...long, validationFraction: 0 });
    const loaded = await Promise.all([1, 2, 3].map(() => csvSequences.load(chosen, context)));
    const [first, ...others] = loaded.map(({ shape, train }) => examplesOf(shape, train));
    others.forEach((other) => {
      expect(other).toEqual(first);
    });
  });
});

describe('combinations that make no sense', () => {
  it.each([
    ['long without a sequence column', { sequence: null }, ['sequence']],
    ['wide with a sequence column', { layout: 'wide' }, ['sequence']],
    ['wide with an order', { layout: 'wide', sequence: null, order: 't' }, ['order']],
    ['wide parameters for long', { featuresPerStep: 2, length: 'n' }, ['featuresPerStep', 'length']],
    ['two labels', { targets: ['x', 'y'] }, ['targets']],
    ['a column used twice', { features: ['a', 'label'] }, ['features']],
    ['a file and a fraction', { testFile: 't.csv', testFraction: 0.1 }, ['testFraction']],
    ['nothing to test on', { testFraction: 0 }, ['testFraction']],
    ['nothing to train on', { testFraction: 0.5, validationFraction: 0.5 }, ['validationFraction']],
    ['nothing wrong', {}, []],
    ['nothing wrong', { task: 'regression', targets: ['x', 'y'], testFile: 't.csv' }, []],
  ] as const)('%s', (_, parameters, paths) => {
    const chosen = complete(csvSequences, { ...long, ...(parameters as Parameters) });
    expect(csvSequences.check(chosen).map(({ path }) => path)).toEqual(paths);
  });
});
