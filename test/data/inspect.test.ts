import type { Static } from '@sinclair/typebox';
import { describe, expect, it } from 'vitest';
import { characters } from '../../src/data/characters.ts';
import { copyMemory } from '../../src/data/copy-memory.ts';
import { csvSequences } from '../../src/data/csv-sequences.ts';
import { csvSeries } from '../../src/data/csv-series.ts';
import { DataError } from '../../src/data/dataset.ts';
import { inspectData } from '../../src/data/inspect.ts';
import { jsonlSequences } from '../../src/data/nested-sequences.ts';
import { mnistRows } from '../../src/data/mnist.ts';
import { randomStream } from '../../src/data/random.ts';
import { dataFields } from '../../src/report/data-fields.ts';
import { dataFolder } from './support/data-files.ts';
import { complete } from './support/read-all.ts';

type Parameters = Partial<Static<typeof csvSequences.parameters>>;

const inspectCsv = (text: string, parameters: Parameters, files: Record<string, string> = {}) =>
  inspectData(
    csvSequences,
    complete(csvSequences, { file: 'a.csv', sequence: 'id', targets: ['label'], ...parameters }),
    { context: dataFolder({ 'a.csv': text, ...files }) },
  );

const warningsOf = async (text: string, parameters: Parameters, files: Record<string, string> = {}) =>
  (await inspectCsv(text, parameters, files)).warnings.map(({ message }) => message);

const wide: Parameters = { layout: 'wide', sequence: null };

const csv = (header: string, rows: readonly (readonly (string | number)[])[]) =>
  [header, ...rows.map((row) => row.join(','))].join('\n');

const random = randomStream(11, 'inspect');
const noise = (count: number) => Array.from({ length: count }, () => random.uniform());

/** Sequences of two steps, in classes that alternate. */
const twoClasses = (count: number, more: (at: number) => readonly (string | number)[] = () => []) =>
  Array.from({ length: count }, (_, at) => [...more(at), ...noise(2), at % 2 ? 'up' : 'down']);

describe('a table', () => {
  it('is described: features, steps, classes and parts', async () => {
    const text = csv('id,x,y,label', [
      ['a', 1, 2, 'up'],
      ['a', 2, 7, 'up'],
      ['a', 3, 3, 'up'],
      ['b', 4, 1, 'down'],
      ['c', 5, 9, 'up'],
      ['c', 7, 5, 'up'],
    ]);
    const test = csv('id,x,y,label', [['d', 9, 5, 'down']]);
    const { description, warnings } = await inspectCsv(
      text,
      { testFile: 't.csv', validationFraction: 0 },
      { 't.csv': test },
    );
    expect(warnings).toEqual([]);
    expect(description).toEqual({
      inputs: { kind: 'values', features: 2, names: ['x', 'y'] },
      target: { kind: 'classes', each: 'sequence', classes: 2, labels: ['down', 'up'] },
      parts: {
        train: {
          sequences: 3,
          steps: { min: 1, median: 2, max: 3 },
          counts: [1, 2],
          majority: { label: 'up', share: 2 / 3 },
        },
        test: {
          sequences: 1,
          steps: { min: 1, median: 1, max: 1 },
          counts: [1, 0],
          majority: { label: 'down', share: 1 },
        },
      },
    });
    expect(dataFields(description)).toEqual([
      ['inputs', '2 features a step: x, y'],
      ['targets', 'one of 2 classes for each sequence'],
      ['training', '3 sequences of 1 to 3 steps, median 2; down 1, up 2; 66.7 % are up'],
      ['test', '1 sequence of 1 step; down 1, up 0; 100.0 % are down'],
    ]);
  });

  it('has the most frequent class by the weights, as the accuracy is', async () => {
    const rows = (weights: readonly number[]) =>
      csv(
        'x,w,label',
        weights.map((weight, at) => [at / 8, weight, at % 4 === 0 ? 'rare' : 'usual']),
      );
    const files = { 't.csv': rows([8, 1, 2, 0]) };
    const given = { ...wide, weight: 'w', testFile: 't.csv', validationFraction: 0 };
    const { description } = await inspectCsv(rows([1, 1, 1, 1]), given, files);
    const { train, test } = description.parts;
    expect(train).toMatchObject({ counts: [1, 3], majority: { label: 'usual', share: 0.75 } });
    expect(train?.majority).not.toHaveProperty('weighted');
    expect(test).toMatchObject({
      counts: [1, 3],
      majority: { label: 'rare', share: 8 / 11, weighted: true },
    });
    expect(dataFields(description)).toContainEqual([
      'test',
      '4 sequences of 1 step; rare 1, usual 3; 72.7 % by weight are rare',
    ]);
  });

  it('has the labels of steps counted by step, and numbers by their range', async () => {
    const labels = await inspectCsv(
      csv('id,x,label', [
        [1, 5, 'a'],
        [1, 3, 'b'],
        [2, 1, 'b'],
        [2, 1, 'b'],
      ]),
      { task: 'labelling', validationFraction: 0, testFraction: 0.5 },
    );
    const { train, test } = labels.description.parts;
    expect((train?.counts?.[1] ?? 0) + (test?.counts?.[1] ?? 0)).toBe(3);
    const numbers = await inspectCsv('a,b,u\n1,2,-5\n3,8,1\n9,2,4\n', {
      ...wide,
      task: 'regression',
      targets: ['u'],
      testFile: 'a.csv',
      validationFraction: 0,
    });
    expect(numbers.description.parts.train?.ranges).toEqual([{ min: -5, mean: 0, max: 4 }]);
    expect(numbers.description.inputs).toEqual({ kind: 'values', features: 1, names: ['a', 'b'] });
  });

  it('keeps its findings in the cache, by the parts and not by the name of the file alone', async () => {
    const rows = twoClasses(20);
    const context = dataFolder({ 'a.csv': csv('x,y,label', rows) });
    const chosen = complete(csvSequences, { file: 'a.csv', targets: ['label'], ...wide, testFraction: 0.5 });
    const first = await inspectData(csvSequences, chosen, { context });
    expect(await inspectData(csvSequences, chosen, { context })).toEqual(first);
    const other = await inspectData(csvSequences, { ...chosen, testFraction: 0.2 }, { context });
    expect(other.description.parts.test?.sequences).toBe(4);
  });
});

describe('a warning', () => {
  it('names a column that only counts, or has no name', async () => {
    const counting = (header: string, more: (at: number) => readonly (string | number)[]) =>
      warningsOf(csv(header, twoClasses(30, more)), wide);
    expect(await counting('number,x,y,label', (at) => [at + 7])).toEqual([
      'a.csv:1: the column "number" is used as a feature, although it only counts the sequences.',
    ]);
    expect(await counting(',x,y,label', () => noise(1))).toEqual([
      'a.csv:1: the column "" is used as a feature, although it has no name.',
    ]);
    expect(await counting('Id,x,y,label', () => noise(1))).toEqual([
      'a.csv:1: the column "Id" is used as a feature, although its name is that of an index.',
    ]);
    expect(await counting('z,x,y,label', () => noise(1))).toEqual([]);
    const rows = Array.from({ length: 40 }, (_, at) => [
      at >> 2,
      at,
      at % 4,
      ...noise(1),
      (at >> 2) % 2 ? 'a' : 'b',
    ]);
    expect(await warningsOf(csv('id,row,time,x,label', rows), {})).toEqual([
      'a.csv:1: the column "row" is used as a feature, although it only counts the rows.',
      'a.csv:1: the column "time" is used as a feature, although it only counts the steps of each sequence.',
    ]);
    expect(
      await warningsOf(csv('id,row,time,x,label', rows), { features: ['row', 'x'], order: 'time' }),
    ).toEqual([]);
  });

  it('names many different numbers that are taken as classes', async () => {
    const labels = (label: (at: number) => number) =>
      warningsOf(
        csv(
          'x,y,label',
          Array.from({ length: 60 }, (_, at) => [...noise(2), label(at)]),
        ),
        wide,
      );
    expect(await labels((at) => at / 2)).toEqual([
      'a.csv:1: the column "label" has 60 different numbers, and each is taken as a class.',
    ]);
    expect(await labels((at) => at % 5)).toEqual([]);
  });

  it('names classes that are missing from the training part', async () => {
    const rows = twoClasses(20);
    const test = [...twoClasses(3), [...noise(2), 'left'], [...noise(2), 'left']];
    const files = { 't.csv': csv('x,y,label', test) };
    expect(await warningsOf(csv('x,y,label', rows), { ...wide, testFile: 't.csv' }, files)).toEqual([
      'The training part has no example of the class "left" (2 sequences of the test part).',
    ]);
  });

  it('names each target that is one number in the whole training part', async () => {
    const rows = (count: number) =>
      Array.from({ length: count }, (_, at) => [`${at}`, ...noise(1), at, 7, count === 9 ? 2.5 : at]);
    const regression: Parameters = { task: 'regression', targets: ['a', 'b', 'c'], testFile: 't.csv' };
    const of = (training: number) =>
      warningsOf(csv('id,x,a,b,c', rows(training)), regression, { 't.csv': csv('id,x,a,b,c', rows(8)) });
    const sentence = (target: string, value: number) =>
      `a.csv: the target "${target}" is ${value} in the whole training part, so there is nothing to learn.`;
    expect(await of(20)).toEqual([sentence('b', 7)]);
    expect(await of(9)).toEqual([sentence('b', 7), sentence('c', 2.5)]);
  });

  it('names each target of a forecast that never changes, in all series or in some', async () => {
    const days = Array.from({ length: 40 }, (_, day) => day);
    const series = (varying: string) =>
      csv(
        'day,shop,sales,price',
        days.flatMap((day) => ['north', 'south'].map((shop) => [day, shop, shop === varying ? day : 5, 8])),
      );
    const warnings = async (text: string) => {
      const chosen = { file: 'a.csv', time: 'day', series: 'shop', targets: ['sales', 'price'], window: 3 };
      const inspected = inspectData(csvSeries, complete(csvSeries, { ...chosen, horizon: 2 }), {
        context: dataFolder({ 'a.csv': text }),
      });
      return (await inspected).warnings.map(({ message }) => message);
    };
    const price = 'a.csv: the target "price" is 8 in the whole training part, so there is nothing to learn.';
    expect(await warnings(series('south'))).toEqual([
      'a.csv: the target "sales" never changes in the training part of 1 of 2 series, such as "north", where it is 5.',
      price,
    ]);
    const alike = 'a.csv: the target "sales" is 5 in the whole training part, so there is nothing to learn.';
    expect(await warnings(series('none'))).toEqual([alike, price]);
  });

  it('names rows of a second table that belong to no sequence', async () => {
    const text = csv(
      'id,x',
      Array.from({ length: 20 }, (_, at) => [`s${at}`, ...noise(1)]),
    );
    const labels = (names: readonly string[]) => ({
      'l.csv': csv(
        'name,label',
        names.map((name, at) => [name, at % 2 ? 'up' : 'down']),
      ),
    });
    const all = Array.from({ length: 20 }, (_, at) => `s${at}`);
    const joined: Parameters = { labelsFile: 'l.csv' };
    expect(await warningsOf(text, joined, labels(all))).toEqual([]);
    expect(await warningsOf(text, joined, labels(['t1', ...all, 't2']))).toEqual([
      'l.csv:2: 2 rows belong to no sequence of a.csv: "t1", "t2".',
    ]);
    const folder = Object.fromEntries(all.map((name) => [`${name}.csv`, `x\n${noise(1)[0]}\n`]));
    const perFile: Parameters = { ...joined, file: 's*.csv', sequence: null };
    const files = all.map((name) => `${name}.csv`);
    expect(await warningsOf('', perFile, { ...folder, ...labels(files) })).toEqual([]);
    expect(await warningsOf('', perFile, { ...folder, ...labels([...files, 'gone.csv']) })).toEqual([
      'l.csv:22: a row belongs to no file of s*.csv: "gone.csv".',
    ]);
  });

  it('counts sequences that two parts share', async () => {
    const rows = twoClasses(20);
    const test = [...twoClasses(3), ...rows.slice(0, 2)];
    const files = { 't.csv': csv('x,y,label', test) };
    const own: Parameters = { ...wide, testFile: 't.csv', validationFraction: 0 };
    expect(await warningsOf(csv('x,y,label', rows), own, files)).toEqual([
      'The test part shares sequences with the training part: 2 of its 5 are also there.',
    ]);
  });

  it('counts windows of one series that were split at random, and none of a split by time', async () => {
    const series = noise(200);
    const windows = Array.from({ length: 180 }, (_, at) => [
      ...series.slice(at, at + 20),
      series[at + 20] ?? 0,
    ]);
    const header = [...Array.from({ length: 20 }, (_, at) => `x${at}`), 'y'].join(',');
    const regression: Parameters = { ...wide, task: 'regression', targets: ['y'], validationFraction: 0 };
    const [message, ...others] = await warningsOf(csv(header, windows), { ...regression, testFraction: 0.1 });
    expect(others).toEqual([]);
    expect(message).toMatch(
      /^The test part shares sequences with the training part: 1[78] of its 18 overlap/,
    );
    const files = { 't.csv': csv(header, windows.slice(150)) };
    expect(
      await warningsOf(csv(header, windows.slice(0, 150)), { ...regression, testFile: 't.csv' }, files),
    ).toEqual([]);
    // Constant stretches are no windows of one series.
    const flat = Array.from({ length: 40 }, (_, at) => [at, ...new Array<number>(19).fill(0), at]);
    expect(
      await warningsOf(csv(header, flat), { ...regression, features: header.split(',').slice(0, 20) }),
    ).toEqual([]);
  });
});

describe('data that cannot be trained on', () => {
  const mistakeOf = async (inspected: Promise<unknown>) => {
    const error: unknown = await inspected.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(DataError);
    return (error as DataError).issues.map(({ path, message }) => [path, message]);
  };

  it('has a single class, which is named', async () => {
    const rows = Array.from({ length: 9 }, () => [...noise(2), 'walk']);
    expect(await mistakeOf(inspectCsv(csv('x,y,label', rows), wide))).toEqual([
      ['targets', 'The target "label" of a.csv has a single class, "walk", so there is nothing to learn.'],
    ]);
    const lines = Array.from({ length: 9 }, (_, at) => JSON.stringify({ x: [at, 2], label: 'run' }));
    const context = dataFolder({ 'a.jsonl': lines.join('\n') });
    const chosen = complete(jsonlSequences, { file: 'a.jsonl', layout: 'wide', targets: ['label'] });
    expect(await mistakeOf(inspectData(jsonlSequences, chosen, { context }))).toEqual([
      ['targets', 'The target "label" of a.jsonl has a single class, "run", so there is nothing to learn.'],
    ]);
  });

  it('has too few sequences for its parts', async () => {
    const issues = await mistakeOf(inspectCsv('x,y,label\n1,2,a\n3,4,b\n', wide));
    expect(issues).toEqual([
      ['file', 'a.csv has 2 sequences: too few for a validation part of 1 and a test part of 1.'],
    ]);
  });

  it('is a text that is too short, or of one letter', async () => {
    const inspect = (text: string) =>
      inspectData(characters, complete(characters, { file: 'a.txt', length: 5 }), {
        context: dataFolder({ 'a.txt': text }),
      });
    expect((await mistakeOf(inspect('xy'))).map(([path]) => path)).toEqual(['length']);
    expect(await mistakeOf(inspect('x'.repeat(400)))).toEqual([
      ['file', 'a.txt has a single class, "x", so there is nothing to learn.'],
    ]);
  });
});

it('a text is described by its vocabulary and its most frequent character', async () => {
  const text = 'aab'.repeat(100);
  const chosen = complete(characters, {
    file: 'a.txt',
    length: 10,
    validationFraction: 0.01,
    testFraction: 0.1,
  });
  const { description, warnings } = await inspectData(characters, chosen, {
    context: dataFolder({ 'a.txt': text }),
  });
  expect(description.inputs).toEqual({ kind: 'tokens', vocabulary: 2 });
  expect(description.parts.train).toEqual({
    sequences: 26,
    steps: { min: 10, median: 10, max: 10 },
    counts: [178, 89],
    majority: { label: 'a', share: 178 / 267 },
  });
  expect(description.parts.validation).toBeUndefined();
  expect(warnings.map(({ path }) => path)).toEqual(['validationFraction']);
});

it('generated data and images are described whole', async () => {
  const context = dataFolder({});
  const copy = complete(copyMemory, {
    trainSize: 20,
    validationSize: 0,
    testSize: 5,
    delay: 3,
    copyLength: 2,
  });
  const { description } = await inspectData(copyMemory, copy, { context });
  expect(description.parts.train).toMatchObject({
    sequences: 20,
    majority: { label: 'blank', share: 5 / 7 },
  });
  const digits = await inspectData(mnistRows, complete(mnistRows, { trainSize: 100 }), { context });
  expect(digits.description.parts.train?.sequences).toBe(100);
  expect(digits.description.parts.test?.counts).toEqual([
    980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
  ]);
});
