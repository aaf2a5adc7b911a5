import { describe, expect, it } from 'vitest';
import { conll } from '../../../src/data/conll.ts';
import { csvText } from '../../../src/data/csv-text.ts';
import { DataError, type DataContext, type DatasetRow } from '../../../src/data/dataset.ts';
import { jsonlText } from '../../../src/data/jsonl-text.ts';
import { dataFolder } from '../support/data-files.ts';
import { complete, examplesOf } from '../support/read-all.ts';

type Row = DatasetRow;

const loaded = async (row: Row, context: DataContext, parameters: object) => {
  const chosen = complete(row, { validationFraction: 0, ...parameters });
  const dataset = await row.load(chosen, context);
  expect(await row.shape(chosen, context)).toEqual(dataset.shape);
  const { shape, vocabulary = [], train, test } = dataset;
  const textsOf = (split: typeof train) =>
    examplesOf(shape, split).map(({ inputs, length, targets }) => ({
      text: inputs.slice(0, length).map((token) => vocabulary[token]),
      padding: inputs.slice(length),
      targets,
    }));
  const inspection = await row.inspect?.(chosen, context);
  return { shape, vocabulary, train: textsOf(train), test: textsOf(test), inspection };
};

const mistakeOf = async (row: Row, context: DataContext, parameters: object): Promise<DataError> => {
  const error: unknown = await loaded(row, context, parameters).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DataError);
  return error as DataError;
};

const reviews = ['text,label', '"Good, good film!",pos', "I don't like it,neg", 'good,pos', ''].join('\n');
const others = ['text,label', 'a good Film,pos', 'terrible,neg', ''].join('\n');
const twoFiles = { file: 'train.csv', testFile: 'test.csv' };

describe('csv-text', () => {
  it('splits texts into words, and takes the vocabulary from the training part alone', async () => {
    const context = dataFolder({ 'train.csv': reviews, 'test.csv': others });
    const { shape, vocabulary, train, test } = await loaded(csvText, context, twoFiles);
    expect(vocabulary).toEqual([
      ...['<pad>', '<unk>'],
      // By frequency, then by code units.
      ...['good', '!', ',', 'Good', 'I', "don't", 'film', 'it', 'like'],
    ]);
    expect(shape).toEqual({
      steps: 5,
      input: { kind: 'tokens', vocabulary: 11 },
      variableLength: true,
      task: { kind: 'classification', classes: 2, labels: ['neg', 'pos'] },
    });
    expect(train).toEqual([
      { text: ['Good', ',', 'good', 'film', '!'], padding: [], targets: [1] },
      { text: ['I', "don't", 'like', 'it'], padding: [0], targets: [0] },
      { text: ['good'], padding: [0, 0, 0, 0], targets: [1] },
    ]);
    expect(test).toEqual([
      { text: ['<unk>', 'good', '<unk>'], padding: [0, 0], targets: [1] },
      { text: ['<unk>'], padding: [0, 0, 0, 0], targets: [0] },
    ]);
  });

  it('counts tokens and unknown ones', async () => {
    const context = dataFolder({ 'train.csv': reviews, 'test.csv': others });
    const { inspection } = await loaded(csvText, context, twoFiles);
    expect(inspection?.description).toMatchObject({
      inputs: { kind: 'tokens', vocabulary: 11 },
      parts: { train: { tokens: { count: 10, unknown: 0 } }, test: { tokens: { count: 4, unknown: 3 } } },
    });
  });

  it('reads in lower case, cuts long texts, and leaves out rare tokens', async () => {
    const context = dataFolder({ 'train.csv': reviews, 'test.csv': others });
    const tokens = { unit: 'words', lowercase: true, maxLength: 3 };
    const { vocabulary, train } = await loaded(csvText, context, { ...twoFiles, tokens });
    expect(vocabulary).toEqual(['<pad>', '<unk>', 'good', ',', "don't", 'i', 'like']);
    expect(train[0]?.text).toEqual(['good', ',', 'good']);
    const rare = await loaded(csvText, context, { ...twoFiles, tokens: { ...tokens, minCount: 2 } });
    expect(rare.vocabulary).toEqual(['<pad>', '<unk>', 'good']);
    const few = await loaded(csvText, context, { ...twoFiles, tokens: { ...tokens, maxVocabulary: 2 } });
    expect(few.vocabulary).toEqual(['<pad>', '<unk>', 'good', ',']);
  });

  it('splits into characters and into bytes', async () => {
    const context = dataFolder({ 'a.csv': 'text,label\nné😀,x\nno,y\n' });
    const files = { file: 'a.csv', testFile: 'a.csv' };
    const characters = await loaded(csvText, context, { ...files, tokens: { unit: 'characters' } });
    expect(characters.train.map(({ text }) => text)).toEqual([
      ['n', 'é', '😀'],
      ['n', 'o'],
    ]);
    const bytes = await loaded(csvText, context, { ...files, tokens: { unit: 'bytes' } });
    expect(bytes.train[0]?.text.map((byte) => Number(byte?.slice(1, -1)))).toEqual([...Buffer.from('né😀')]);
  });

  it('finds the texts that two files share, whatever else is in them', async () => {
    const context = dataFolder({
      'train.csv': 'text,label\none two,x\nthree four five,y\n',
      'test.csv': 'text,label\nsix seven,x\nthree four five,y\n',
    });
    const { inspection } = await loaded(csvText, context, twoFiles);
    expect(inspection?.warnings.map(({ message }) => message)).toEqual([
      'The test part shares sequences with the training part: 1 of its 2 are also there.',
    ]);
  });

  it('does not take texts with a phrase in common for windows of one series', async () => {
    const phrase = 'the quick brown fox jumps over a lazy dog and runs into the dark wood';
    const context = dataFolder({
      'train.csv': `text,label\n${phrase} today,x\none more text,y\n`,
      'test.csv': `text,label\nyesterday ${phrase} again,x\n${phrase},y\n`,
    });
    const { inspection } = await loaded(csvText, context, twoFiles);
    expect(inspection?.warnings).toEqual([]);
  });

  it('predicts numbers', async () => {
    const context = dataFolder({ 'a.csv': 'text,stars\ngood,4.5\nbad,1\n' });
    const { shape, train } = await loaded(csvText, context, {
      ...{ file: 'a.csv', testFile: 'a.csv' },
      ...{ task: 'regression', targets: ['stars'], standardizeTargets: false },
    });
    expect(shape.task).toEqual({ kind: 'regression', outputs: 1 });
    expect(train.map(({ targets }) => targets)).toEqual([[4.5], [1]]);
  });

  it('names the lines of texts without tokens', async () => {
    const context = dataFolder({ 'a.csv': 'text,label\ngood,x\n"  ",y\nfine,x\n,y\n' });
    const { message } = await mistakeOf(csvText, context, { file: 'a.csv', testFile: 'a.csv' });
    expect(message).toContain('a.csv:3: column "text": "  " has no tokens');
    expect(message).toContain('a.csv:5: column "text": "" has no tokens');
  });

  it('splits by a tokenizer file, whose content is part of the digest', async () => {
    const tokenizer = (lower: boolean) =>
      JSON.stringify({
        version: '1.0',
        truncation: null,
        padding: null,
        added_tokens: [],
        normalizer: lower ? { type: 'Lowercase' } : null,
        pre_tokenizer: { type: 'Whitespace' },
        post_processor: null,
        decoder: null,
        model: { type: 'BPE', vocab: { G: 0, g: 1, o: 2, d: 3, go: 4, god: 5 }, merges: ['g o', 'go d'] },
      });
    const context = dataFolder({ 'a.csv': 'text,label\nGod,x\ngood,y\n', 't.json': tokenizer(false) });
    const chosen = { file: 'a.csv', testFile: 'a.csv', tokenizer: 't.json' };
    const { train } = await loaded(csvText, context, chosen);
    expect(train.map(({ text }) => text)).toEqual([
      ['G', 'o', 'd'],
      ['go', 'o', 'd'],
    ]);
    const lower = dataFolder({ 'a.csv': 'text,label\nGod,x\ngood,y\n', 't.json': tokenizer(true) });
    expect((await loaded(csvText, lower, chosen)).train[0]?.text).toEqual(['god']);
    const digest = (where: DataContext) =>
      csvText.digest(complete<typeof csvText.parameters>(csvText, chosen), where);
    expect(await digest(lower)).not.toBe(await digest(context));
  });

  it('refuses a tokenizer whose pattern backtracks for ever', async () => {
    const tokenizer = JSON.stringify({
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: [],
      normalizer: null,
      post_processor: null,
      decoder: null,
      pre_tokenizer: {
        type: 'Split',
        pattern: { Regex: '^(a+)+$' },
        behavior: 'Isolated',
        invert: false,
      },
      model: { type: 'BPE', vocab: { a: 0, b: 1 }, merges: [] },
    });
    const table = `text,label\n${'a'.repeat(60)}b,x\ngood,y\n`;
    const context = dataFolder({ 'a.csv': table, 't.json': tokenizer });
    const { issues } = await mistakeOf(csvText, context, {
      file: 'a.csv',
      testFile: 'a.csv',
      tokenizer: 't.json',
    });
    expect(issues[0]?.message).toBe('t.json takes too long to split a text of 61 characters.');
  });

  it('refuses a file that is no tokenizer', async () => {
    const context = dataFolder({ 'a.csv': reviews, 't.json': '{"version": 1}' });
    const { issues } = await mistakeOf(csvText, context, {
      file: 'a.csv',
      testFile: 'a.csv',
      tokenizer: 't.json',
    });
    expect(issues[0]).toMatchObject({ path: 'tokenizer', expected: 'a tokenizer.json of Hugging Face' });
    expect(issues[0]?.message).toMatch(/^t\.json is not a tokenizer that can be read/);
  });
});

describe('jsonl-text', () => {
  it('takes a string or a list of tokens', async () => {
    const context = dataFolder({
      'a.jsonl': '{"text": "New York", "label": "x"}\n{"text": ["New York", "is"], "label": "y"}\n',
    });
    const { train } = await loaded(jsonlText, context, { file: 'a.jsonl', testFile: 'a.jsonl' });
    expect(train.map(({ text }) => text)).toEqual([
      ['New', 'York'],
      ['New York', 'is'],
    ]);
  });
});

describe('conll', () => {
  const sentences = [
    '-DOCSTART- -X- -X- O',
    '',
    'Anna NNP B-PER',
    'sleeps VBZ O',
    '',
    '# text = In Rome',
    'In\tIN\tO',
    '# # O',
    'Rome NNP B-LOC',
  ].join('\r\n');

  it('reads a label for each token, and a sentence up to a blank line', async () => {
    const context = dataFolder({ 'a.conll': sentences });
    const { shape, train } = await loaded(conll, context, { file: 'a.conll', testFile: 'a.conll' });
    expect(shape.task).toEqual({ kind: 'labelling', classes: 3, labels: ['B-LOC', 'B-PER', 'O'] });
    expect(train).toEqual([
      { text: ['Anna', 'sleeps'], padding: [0], targets: [1, 2, 0] },
      { text: ['In', '#', 'Rome'], padding: [], targets: [2, 2, 0] },
    ]);
  });

  it('reads the columns that are named', async () => {
    const context = dataFolder({ 'a.conll': sentences });
    const { shape } = await loaded(conll, context, {
      ...{ file: 'a.conll', testFile: 'a.conll', labelColumn: 2 },
    });
    expect(shape.task).toMatchObject({ labels: ['#', 'IN', 'NNP', 'VBZ'] });
  });

  it('names the lines with too few columns', async () => {
    const context = dataFolder({ 'a.conll': 'Anna B-PER\nsleeps\n\nIn O\n' });
    const { message } = await mistakeOf(conll, context, { file: 'a.conll', testFile: 'a.conll' });
    expect(message).toContain('a.conll:2: 1 column where at least 2 are needed');
  });
});
