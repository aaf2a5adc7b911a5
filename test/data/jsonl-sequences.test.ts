import type { Static } from '@sinclair/typebox';
import { describe, expect, it } from 'vitest';
import { jsonlSequences } from '../../src/data/nested-sequences.ts';
import { dataFolder } from './support/data-files.ts';
import { complete, examplesOf } from './support/read-all.ts';

type Parameters = Partial<Static<typeof jsonlSequences.parameters>>;

const read = async (lines: readonly unknown[], parameters: Parameters) => {
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  const context = dataFolder({ 'a.jsonl': text });
  const chosen = complete(jsonlSequences, {
    file: 'a.jsonl',
    testFile: 'a.jsonl',
    validationFraction: 0,
    standardize: false,
    layout: 'wide',
    targets: ['label'],
    ...parameters,
  });
  expect(jsonlSequences.check(chosen)).toEqual([]);
  const { shape, test } = await jsonlSequences.load(chosen, context);
  return { shape, examples: examplesOf(shape, test) };
};

describe('the wide layout', () => {
  it('reads a list of numbers a key, side by side', async () => {
    const lines = [
      { a: [1, 2, 3], b: [10, 20, 30], label: true },
      { label: false, b: [40], a: [4] },
    ];
    const { shape, examples } = await read(lines, {});
    expect(shape).toEqual({
      steps: 3,
      input: { kind: 'values', features: 2 },
      variableLength: true,
      task: { kind: 'classification', classes: 2, labels: ['false', 'true'] },
    });
    expect(examples).toEqual([
      { inputs: [1, 10, 2, 20, 3, 30], length: 3, targets: [1] },
      { inputs: [4, 40, 0, 0, 0, 0], length: 1, targets: [0] },
    ]);
  });

  it('reads a list of lists', async () => {
    const lines = [
      {
        values: [
          [1, 2],
          [3, 4],
        ],
        extra: 'x',
        label: 5,
      },
      { values: [[5, 6]], label: 4 },
    ];
    const { shape, examples } = await read(lines, { features: ['values'] });
    expect(shape).toMatchObject({ input: { features: 2 }, task: { labels: ['4', '5'] } });
    expect(examples.map(({ inputs }) => inputs)).toEqual([
      [1, 2, 3, 4],
      [5, 6, 0, 0],
    ]);
  });

  it('reads labels a step, and numbers to predict', async () => {
    const lines = [
      { x: [1, 2], tags: ['n', 'v'] },
      { x: [3], tags: ['v'] },
    ];
    const labelled = await read(lines, { task: 'labelling', targets: ['tags'] });
    expect(labelled.examples.map(({ targets }) => targets)).toEqual([
      [0, 1],
      [1, 0],
    ]);
    const predicted = await read([{ x: [1], u: 0.5, v: -2 }], {
      task: 'regression',
      targets: ['v', 'u'],
      standardizeTargets: false,
    });
    expect(predicted.examples.map(({ targets }) => targets)).toEqual([[-2, 0.5]]);
  });

  it('reports everything that is wrong', async () => {
    const lines = [
      {
        a: [1, 2],
        b: [
          [1, 2],
          [3, 4],
        ],
        label: 'x',
      },
      '{"a": [1,',
      [1, 2],
      '',
      { a: [1, 2], b: [[1, 2]], label: 'x' },
      { a: [1], b: [[1]], label: 'x' },
      {
        a: ['1', null],
        b: [
          [1, 2],
          [3, '4x'],
        ],
        label: 'x',
      },
      { a: 1, label: 'x' },
      { a: [1], b: [[1, 2]], label: [] },
      { a: [], b: [], label: 'x' },
    ];
    await expect(read(lines, {})).rejects.toThrowErrorMatchingInlineSnapshot(`
      [DataError: a.jsonl has 8 rows that cannot be used:
        a.jsonl:2: not valid JSON: Unexpected end of JSON input
        a.jsonl:3: not a JSON object
        a.jsonl:5: key "b" has 1 steps and "a" 2
        a.jsonl:6: key "b": step 1 has 1 numbers, the first of the file 2
        a.jsonl:7: column "a" is empty
        a.jsonl:8: key "a": 1 is not a list of steps
        a.jsonl:9: key "label": [] is no target
        a.jsonl:10: key "a": [] is not a list of steps]
    `);
    await expect(
      read(
        [
          { a: [1, 2], label: ['x'] },
          { a: [1], label: 'x' },
          { a: [1, 2], label: ['x', ''] },
        ],
        { task: 'labelling' },
      ),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`
      [DataError: a.jsonl has 3 rows that cannot be used:
        a.jsonl:1: key "label": ["x"] is not a list of 2 labels
        a.jsonl:2: key "label": "x" is not a list of 1 labels
        a.jsonl:3: key "label": "" is no target]
    `);
  });
});

describe('the long layout', () => {
  it('reads one object a step', async () => {
    const lines = [
      { id: 1, t: 1, a: 2, label: 'x' },
      { id: 1, t: 0, a: 1 },
      { id: 'one', t: 0, a: 3, label: 'y\u2028' },
    ];
    const { examples, shape } = await read(lines, { layout: 'long', sequence: 'id', order: 't' });
    expect(shape.task).toMatchObject({ labels: ['x', 'y'] });
    expect(examples).toEqual([
      { inputs: [1, 2], length: 2, targets: [0] },
      { inputs: [3, 0], length: 1, targets: [1] },
    ]);
  });
});

describe('a file that cannot be read', () => {
  it('says that there is nothing in it', async () => {
    await expect(read(['', ' '], {})).rejects.toThrow('a.jsonl has no rows.');
  });

  it.each(['constructor', '__proto__', 'toString'])(
    'reports a missing key %s, which every object has',
    async (key) => {
      const first = `{"${key}":[1],"label":1}`;
      await expect(read([first, { label: 2 }], { features: [key] })).rejects.toThrow(
        `a.jsonl:2: key "${key}": nothing is not a list of steps`,
      );
    },
  );

  it('names missing keys', async () => {
    await expect(read([{ x: [1], y: 2 }], {})).rejects.toThrow(/a.jsonl has no column "label"/);
  });
});

describe('whole numbers beyond 2^53', () => {
  it('are told apart as labels, as ids and in text around them', async () => {
    const [first, second] = ['9007199254740992', '9007199254740993'];
    const labelled = [first, second].map((label) => `{"x": [0.1234567890123456789], "label": ${label}}`);
    const { shape, examples } = await read(labelled, {});
    expect(shape.task).toMatchObject({ labels: [first, second] });
    expect(examples.map(({ targets }) => targets)).toEqual([[0], [1]]);
    const steps = [first, second].map((id) => `{"id": ${id}, "x": ${second}, "label": "\\"${second}"}`);
    const long = await read(steps, { layout: 'long', sequence: 'id' });
    expect(long.shape.task).toMatchObject({ labels: [`"${second}`] });
    expect(long.examples.map(({ inputs }) => inputs)).toEqual([[2 ** 53], [2 ** 53]]);
  });
});

describe('true and false', () => {
  it('are 1 and 0 as numbers', async () => {
    const { examples } = await read(
      [
        { x: [true, false, 0.5], label: 'a' },
        { x: [1], label: 'b' },
      ],
      {},
    );
    expect(examples.map(({ inputs }) => inputs)).toEqual([
      [1, 0, 0.5],
      [1, 0, 0],
    ]);
  });
});

describe('keys that the first object lacks', () => {
  it('are columns where the spec names them', async () => {
    const lines = [
      { id: 1, x: 1, label: 'a' },
      { id: 2, x: 2, wind: 5, label: 'b' },
    ];
    const given: Parameters = { layout: 'long', sequence: 'id', missing: 'mask' };
    const named = await read(lines, { ...given, features: ['x', 'wind'] });
    expect(named.examples.map(({ inputs }) => inputs)).toEqual([
      [1, 0, 5, 1],
      [2, 0, 5, 0],
    ]);
    const all = await read(lines, given);
    expect(all.examples.map(({ inputs }) => inputs)).toEqual([
      [1, 0],
      [2, 0],
    ]);
    await expect(read(lines, { ...given, features: ['x', 'winds'] })).rejects.toMatchObject({
      issues: [{ message: 'a.jsonl has no column "winds".', help: 'Did you mean "wind"?' }],
    });
  });
});
