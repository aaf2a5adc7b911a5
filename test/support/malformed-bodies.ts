import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenModel } from '../../src/prediction/open-model.ts';
import type { randomStream } from '../../src/data/random.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { mutated } from './mutated.ts';
import { openCase } from './open-case.ts';
import { trainModel } from './trained-model.ts';
import { trainedCase } from './trained-models.ts';

type Random = ReturnType<typeof randomStream>;

interface Body {
  readonly model: string;
  readonly type: string;
  readonly text: string;
}

const network = `model: { name: lstm, hiddenSize: 4 }
optimizer: { name: adam, learningRate: 0.01 }
train: { batchSize: 8, steps: 3, displayEvery: 3 }
`;

const day = (at: number): string => new Date(Date.UTC(2026, 0, 1 + at)).toISOString().slice(0, 10);
const tableLine = (at: number): string => `s${at >> 1},${at % 2},${at % 5},${'ab'[(at >> 1) % 2] ?? ''}`;
const seriesLine = (at: number): string => `${day(at)},${at % 7}`;
const numbers = (count: number) => Array.from({ length: count }, (_, at) => at);

/** A model of each kind of data, by name. */
export const modelsOfEachKind = async (folder: string): Promise<Readonly<Record<string, OpenModel>>> => {
  await loadTensorFlow();
  mkdirSync(join(folder, 'images'));
  const images = openCase(join(folder, 'images'), await trainedCase(0, 1));
  writeFileSync(join(folder, 'table.csv'), ['id,t,x,label', ...numbers(40).map(tableLine)].join('\n'));
  writeFileSync(join(folder, 'series.csv'), ['date,load', ...numbers(60).map(seriesLine)].join('\n'));
  writeFileSync(join(folder, 'book.txt'), 'the old man and the sea. '.repeat(20));
  const texts = numbers(20).map((at) =>
    JSON.stringify({ text: at % 2 ? 'good film' : 'a bad one', mood: at % 2 }),
  );
  writeFileSync(join(folder, 'texts.jsonl'), texts.join('\n'));
  const trained = async (name: string, dataset: string) =>
    (await trainModel(folder, name, `dataset: { ${dataset} }\n${network}`)).model;
  return {
    images,
    table: await trained(
      'table',
      'name: csv-sequences, file: table.csv, sequence: id, order: t, targets: [label]',
    ),
    series: await trained(
      'series',
      'name: csv-series, file: series.csv, time: date, targets: [load], window: 7, horizon: 2',
    ),
    texts: await trained('texts', 'name: jsonl-text, file: texts.jsonl, text: text, targets: [mood]'),
    book: await trained('book', 'name: characters, file: book.txt, length: 8'),
    plain: await trained(
      'plain',
      'name: toy-sequences, trainSize: 20, testSize: 10, minLength: 3, maxLength: 6',
    ),
  };
};

const image = numbers(6).map((row) => [0, row, 128, 255]);
const tableRecords = numbers(4).map((at) => ({ id: `s${at >> 1}`, t: at % 2, x: at }));
const seriesRows = numbers(10).map((at) => [day(at), at]);

/** What each of the models answers with 200. */
export const validBodies: readonly Body[] = [
  ...[
    { model: 'images', value: { inputs: [image, image] } },
    { model: 'images', value: { instances: [{ inputs: image }] } },
    { model: 'table', value: { dataframe_records: tableRecords } },
    {
      model: 'table',
      value: { dataframe_split: { columns: ['id', 't', 'x'], data: tableRecords.map(Object.values) } },
    },
    { model: 'table', value: { inputs: [[[1], [2]]] } },
    {
      model: 'series',
      value: { dataframe_split: { columns: ['date', 'load'], data: seriesRows }, params: { horizon: 3 } },
    },
    { model: 'texts', value: { inputs: ['a good film', 'one'] } },
    { model: 'texts', value: { instances: [{ inputs: [2, 3, 1], lengths: 2 }] } },
    { model: 'book', value: { inputs: ['the old sea'] } },
    { model: 'plain', value: { inputs: { inputs: [[[0.5], [0.25], [1]], [[0.5]]] } } },
    { model: 'plain', value: { dataframe_records: [{ inputs: [[0.5], [1]] }] } },
  ].map(({ model, value }) => ({ model, type: 'application/json', text: JSON.stringify(value) })),
  {
    model: 'table',
    type: 'text/csv',
    text: ['id,t,x', ...numbers(6).map((at) => `s${at >> 1},${at % 2},${at}`)].join('\n'),
  },
  { model: 'series', type: 'text/csv', text: ['date,load', ...numbers(12).map(seriesLine)].join('\n') },
  { model: 'texts', type: 'text/plain', text: 'a good film\nbad' },
  { model: 'texts', type: 'application/x-ndjson', text: '{"text": "a good film"}\n{"text": "one"}' },
  { model: 'book', type: 'text/plain', text: 'the sea and the old man.' },
];

const types = [
  'application/json',
  'text/csv',
  'application/x-ndjson',
  'text/plain',
  'image/png',
  'text/html',
  '',
];

/** A valid body with one to six changes; one of ten goes to another model, or says that it is of another type. */
export const malformedBody = (random: Random): Body => {
  const pick = <T>(list: readonly T[]): T => list[random.integer(list.length)] as T;
  const body = pick(validBodies);
  const text = mutated(body.text, random);
  switch (random.integer(20)) {
    case 0:
      return { ...body, text, model: pick(validBodies).model };
    case 1:
      return { ...body, text, type: pick(types) };
    default:
      return { ...body, text };
  }
};
