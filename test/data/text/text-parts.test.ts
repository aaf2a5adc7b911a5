import { describe, expect, it } from 'vitest';
import { conll } from '../../../src/data/conll.ts';
import { csvText } from '../../../src/data/csv-text.ts';
import { DataError, type DataContext, type DatasetRow } from '../../../src/data/dataset.ts';
import { jsonlText } from '../../../src/data/jsonl-text.ts';
import { dataFolder } from '../support/data-files.ts';
import { complete, examplesOf } from '../support/read-all.ts';

/** The parts of a dataset as texts with their targets, in order. */
const partsOf = async (row: DatasetRow, context: DataContext, parameters: object) => {
  const chosen = complete(row, parameters);
  const dataset = await row.load(chosen, context);
  const { shape, vocabulary = [], train, validation, test } = dataset;
  const textsOf = (split: typeof train) =>
    examplesOf(shape, split).map(({ inputs, length, targets }) => ({
      text: inputs
        .slice(0, length)
        .map((token) => vocabulary[token])
        .join(' '),
      targets,
    }));
  return {
    dataset,
    train: textsOf(train),
    validation: validation ? textsOf(validation) : [],
    test: textsOf(test),
  };
};

const mistakesOf = async (row: DatasetRow, context: DataContext, parameters: object) => {
  const error: unknown = await partsOf(row, context, parameters).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DataError);
  return (error as DataError).issues;
};

/** Twelve texts by four authors; every word is in every text's own author's other texts, so none is unknown. */
const letters = Array.from({ length: 12 }, (_, at) => ({
  text: `dear ${'abcd'.charAt(at % 4)}`,
  label: at % 3 === 0 ? 'spam' : 'ham',
  author: 'abcd'.charAt(at % 4),
  date: `2024-01-${String(28 - at).padStart(2, '0')}`,
  part: ['train', 'train', 'dev', 'test'][at % 4],
}));
const letterFile = [
  'text,label,author,date,part',
  ...letters.map((row) => Object.values(row).join(',')),
  '',
].join('\n');

describe('the parts of texts', () => {
  const context = () => dataFolder({ 'a.csv': letterFile });
  const file = { file: 'a.csv', validationFraction: 0 };

  it('keep the texts of a group together', async () => {
    const { train, test } = await partsOf(csvText, context(), {
      ...file,
      ...{ split: 'grouped', splitBy: 'author', testFraction: 0.25 },
    });
    expect([train.length, test.length]).toEqual([9, 3]);
    expect(new Set(test.map(({ text }) => text)).size).toBe(1);
  });

  it('have their share of each class', async () => {
    const { test } = await partsOf(csvText, context(), { ...file, split: 'stratified', testFraction: 0.25 });
    expect(test.map(({ targets }) => targets[0]).sort()).toEqual([0, 0, 1]);
  });

  it('follow a time', async () => {
    const { dataset } = await partsOf(csvText, context(), {
      ...file,
      ...{ split: 'chronological', splitBy: 'date', testFraction: 0.25 },
    });
    // The dates fall, so the first rows are the latest.
    expect([0, 1, 2].map((at) => dataset.test.id?.(at))).toEqual(['1', '2', '3']);
  });

  it('follow the file where no time is named', async () => {
    const { dataset } = await partsOf(csvText, context(), {
      ...file,
      ...{ split: 'chronological', testFraction: 0.25 },
    });
    expect([0, 1, 2].map((at) => dataset.test.id?.(at))).toEqual(['10', '11', '12']);
  });

  it('are those that a column names', async () => {
    const { train, validation, test } = await partsOf(csvText, context(), {
      ...{ file: 'a.csv', split: 'column', splitBy: 'part' },
    });
    expect([train, validation, test].map((part) => part.length)).toEqual([6, 3, 3]);
  });

  it('have each text once in the test parts of all folds', async () => {
    const folder = context();
    const tested: string[] = [];
    for (const fold of [1, 2, 3]) {
      const { dataset } = await partsOf(csvText, folder, { ...file, folds: 3, fold });
      for (let at = 0; at < dataset.test.size; at++) tested.push(dataset.test.id?.(at) ?? '');
    }
    expect(tested.map(Number).sort((a, b) => a - b)).toEqual(letters.map((_, at) => at + 1));
    const row: DatasetRow = csvText;
    expect(row.folds?.(complete(row, { file: 'a.csv', folds: 3 }))).toBe(3);
  });

  it('keep the sentences of a document together', async () => {
    const sentence = (word: string) => `${word} O\nsays B\n\n`;
    const documents = ['a', 'b', 'c', 'd'].map((word) => `-DOCSTART- O\n\n${sentence(word).repeat(3)}`);
    const folder = dataFolder({ 'a.conll': documents.join('') });
    for (const fold of [1, 2, 3, 4]) {
      const { test, train } = await partsOf(conll, folder, {
        ...{ file: 'a.conll', validationFraction: 0 },
        ...{ split: 'grouped', folds: 4, fold },
      });
      expect(train).toHaveLength(9);
      // Words of the test part alone are unknown.
      expect(test.map(({ text }) => text)).toEqual(['<unk> says', '<unk> says', '<unk> says']);
    }
  });
});

describe('the targets of texts', () => {
  const both = { file: 'a.csv', testFile: 'a.csv', validationFraction: 0 };

  it('are any number of labels', async () => {
    const context = dataFolder({
      'a.csv': 'text,tags\nwar and peace,old;long\npoem,\nnovel,long\n',
      'a.jsonl': '{"text": "x", "tags": ["b", "a"]}\n{"text": "y", "tags": []}\n',
      'flags.csv': 'text,old,long\nwar,1,yes\npoem,0,no\n',
    });
    const task = { task: 'multi-label', targets: ['tags'] };
    const { dataset, train } = await partsOf(csvText, context, { ...both, ...task, labelSeparator: ';' });
    expect(dataset.shape.task).toEqual({ kind: 'multi-label', classes: 2, labels: ['long', 'old'] });
    expect(train.map(({ targets }) => targets)).toEqual([
      [1, 1],
      [0, 0],
      [1, 0],
    ]);
    const lists = await partsOf(jsonlText, context, {
      ...{ file: 'a.jsonl', testFile: 'a.jsonl', validationFraction: 0 },
      ...task,
    });
    expect(lists.train.map(({ targets }) => targets)).toEqual([
      [1, 1],
      [0, 0],
    ]);
    const flags = await partsOf(csvText, context, {
      ...{ ...both, file: 'flags.csv', testFile: 'flags.csv' },
      ...{ task: 'multi-label', targets: ['old', 'long'] },
    });
    expect(flags.train.map(({ targets }) => targets)).toEqual([
      [1, 1],
      [0, 0],
    ]);
  });

  it('are scaled by the training part alone', async () => {
    const context = dataFolder({
      'a.csv': 'text,stars\ngood,5\nbad,1\n',
      'b.csv': 'text,stars\nfine,1000\n',
    });
    const { dataset, train, test } = await partsOf(csvText, context, {
      ...{ ...both, testFile: 'b.csv', task: 'regression', targets: ['stars'], standardizeTargets: true },
    });
    expect(train.map(({ targets }) => targets)).toEqual([[1], [-1]]);
    expect(test.map(({ targets }) => targets)).toEqual([[(1000 - 3) / 2]]);
    expect(dataset.train.scaling?.(0)).toEqual({ mean: [3], factor: [0.5] });
    const row: DatasetRow = csvText;
    const chosen = complete(row, { ...both, task: 'regression', targets: ['stars'] });
    expect(row.configured?.(chosen)).toMatchObject({ standardizeTargets: true });
  });

  it('have weights', async () => {
    const context = dataFolder({ 'a.csv': 'text,label,w\ngood,x,2\nbad,y,0.5\n' });
    const { dataset } = await partsOf(csvText, context, { ...both, weight: 'w' });
    expect([0, 1].map((at) => dataset.train.weight?.(at))).toEqual([2, 0.5]);
  });

  it('are named with file and line where one is wrong', async () => {
    const context = dataFolder({
      'a.csv': 'text,label,w,part\ngood,x,-1,train\nbad,,1,train\nfine,y,1,exam\n',
    });
    const [issue] = await mistakesOf(csvText, context, {
      ...{ file: 'a.csv', weight: 'w', split: 'column', splitBy: 'part' },
    });
    expect(issue?.message.split('\n').slice(1)).toEqual([
      '  a.csv:2: column "w" is not a weight of 0 or more: "-1"',
      '  a.csv:3: column "label": "" is no target',
      '  a.csv:4: column "part" is not train, validation or test: "exam"',
    ]);
  });
});
