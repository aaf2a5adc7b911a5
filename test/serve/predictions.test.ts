import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import { findDataFiles } from '../../src/data/columns/find-files.ts';
import { onnxPorts, toOnnx } from '../../src/export/onnx/to-onnx.ts';
import type { OpenModel } from '../../src/prediction/open-model.ts';
import { predictFiles } from '../../src/prediction/predict.ts';
import { registry } from '../../src/registry/rows.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import type { Cell } from '../../src/training/predicted-row.ts';
import { testSeed } from '../support/seed.ts';
import { openCase } from '../support/open-case.ts';
import { serve } from '../support/serving.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { trainedCase } from '../support/trained-models.ts';
import { trainModel } from '../support/trained-model.ts';

const network = (name = 'lstm') => `model: { name: ${name}, hiddenSize: 5 }
optimizer: { name: adam, learningRate: 0.02 }
train: { batchSize: 8, steps: 6, displayEvery: 3 }
`;

type Row = Readonly<Record<string, Cell>>;

/** What `unroll predict` writes of a file. */
const predicted = async (model: OpenModel, path: string, horizon?: number): Promise<readonly Row[]> => {
  const rows: Row[] = [];
  const files = await findDataFiles(path, { baseDirectory: '.' }, 'input');
  const done = await predictFiles([model], { files, registry, horizon }, (row) =>
    rows.push(Object.fromEntries(row)),
  );
  if (!done.ok) throw new Error(done.errors[0]?.message);
  return rows;
};

/** Equal but for 1e-6 in numbers. */
const expectRows = (
  answered: { readonly status: number; readonly body: unknown },
  expected: readonly Row[],
) => {
  expect(answered.status, JSON.stringify(answered.body)).toBe(200);
  const { predictions } = answered.body as { readonly predictions: readonly Row[] };
  expect(predictions).toHaveLength(expected.length);
  expected.forEach((row, at) => {
    expect(Object.keys(predictions[at] ?? {})).toEqual(Object.keys(row));
    for (const [name, cell] of Object.entries(row)) {
      const found = predictions[at]?.[name];
      if (typeof cell === 'number') expect(Math.abs(Number(found) - cell), name).toBeLessThan(1e-6);
      else expect(found, name).toBe(cell);
    }
  });
};

const tableRows = Array.from({ length: 30 }, (_, at) =>
  Array.from({ length: 3 }, (__, step) => ({
    id: `s${at}`,
    t: step,
    x: (at * (step + 1)) % 7,
    colour: 'rgb'[(at + step) % 3] as string,
    label: 'ab'[at % 2] as string,
  })),
).flat();

const csvOf = (rows: readonly Readonly<Record<string, unknown>>[], columns: readonly string[]) =>
  [columns.join(','), ...rows.map((row) => columns.map((name) => row[name]).join(','))].join('\n');

beforeAll(async () => {
  await loadTensorFlow();
});

describe('rows', () => {
  test('of a table are predicted as in a file, whatever form they come in', async () => {
    const folder = temporaryDirectory();
    const columns = ['id', 't', 'x', 'colour', 'label'];
    for (const part of ['train', 'test'])
      writeFileSync(join(folder, `${part}.csv`), csvOf(tableRows, columns));
    const { model } = await trainModel(
      folder,
      'table',
      `dataset: { name: csv-sequences, file: train.csv, testFile: test.csv, sequence: id, order: t, targets: [label], categorical: [colour] }\n${network('gru')}`,
    );
    const given = tableRows.slice(0, 12);
    const inputs = columns.slice(0, -1);
    const csv = csvOf(given, inputs);
    writeFileSync(join(folder, 'given.csv'), csv);
    const expected = await predicted(model, join(folder, 'given.csv'));
    expect(expected).toHaveLength(4);
    const { post } = await serve({ table: model });
    const split = { columns: inputs, data: given.map((row) => inputs.map((name) => row[name as 'x'])) };
    expectRows(await post(csv, { type: 'text/csv; charset=UTF-8' }), expected);
    expectRows(await post({ dataframe_split: split }), expected);
    expectRows(await post({ dataframe_records: given }), expected);
    expectRows(
      await post(given.map((row) => JSON.stringify(row)).join('\n'), { type: 'application/x-ndjson' }),
      expected,
    );

    const warm = given.map((row, at) => (at === 4 ? { ...row, x: 'warm' } : row));
    const refused = await post({ dataframe_records: warm });
    expect(refused.status).toBe(400);
    expect(refused.body).toMatchObject({
      error_code: 'INVALID_PARAMETER_VALUE',
      message: expect.stringContaining(
        'row 5 of dataframe_records: column "x" is not a number: "warm"',
      ) as string,
    });
    const misnamed = given.map(({ x, ...rest }) => ({ ...rest, x_: x }));
    expect(await post({ dataframe_records: misnamed })).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('"x_"') as string },
    });
  });

  test('of a series are forecast with dates and quantiles, as far as asked', async () => {
    const folder = temporaryDirectory();
    const day = (at: number) => new Date(Date.UTC(2026, 0, 1 + at)).toISOString().slice(0, 10);
    const rows = Array.from({ length: 80 }, (_, at) => ({ date: day(at), load: (at % 7) + Math.sin(at) }));
    writeFileSync(join(folder, 'load.csv'), csvOf(rows, ['date', 'load']));
    const { model } = await trainModel(
      folder,
      'load',
      `dataset: { name: csv-series, file: load.csv, time: date, targets: [load], window: 14, horizon: 3 }
loss: { name: quantile, quantiles: [0.1, 0.5, 0.9] }\n${network()}`,
    );
    const expected = await predicted(model, join(folder, 'load.csv'), 5);
    expect(expected[4]).toMatchObject({ time: day(84), ahead: 5 });
    expect(Object.keys(expected[0] ?? {})).toContain('quantile 0.9 load');
    const { post } = await serve({ load: model });
    expectRows(await post({ dataframe_records: rows, params: { horizon: 5 } }), expected);
    expectRows(await post(csvOf(rows, ['date', 'load']), { type: 'text/csv' }), expected.slice(0, 3));
    expect(await post({ dataframe_records: rows, params: { horizen: 5 } })).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('Did you mean horizon?') as string },
    });
  });

  test('of texts, sentences and one long text are given as strings', async () => {
    const folder = temporaryDirectory();
    const texts = Array.from({ length: 24 }, (_, at) => ({
      text: at % 2 ? 'a good film' : 'a bad, dull film of two hours',
      mood: at % 2 ? 'good' : 'bad',
    }));
    writeFileSync(join(folder, 'texts.jsonl'), texts.map((row) => JSON.stringify(row)).join('\n'));
    const sentence = 'the O\nold O\nman B\nsails O\n\nanna B\nsails O\n\n';
    for (const part of ['train', 'test']) writeFileSync(join(folder, `${part}.conll`), sentence.repeat(6));
    writeFileSync(join(folder, 'book.txt'), 'the old man and the sea. '.repeat(20));
    const moods = await trainModel(
      folder,
      'moods',
      `dataset: { name: jsonl-text, file: texts.jsonl, text: text, targets: [mood] }\n${network()}`,
    );
    const words = await trainModel(
      folder,
      'words',
      `dataset: { name: conll, file: train.conll, testFile: test.conll, tokenColumn: 1, labelColumn: 2 }\n${network()}`,
    );
    const book = await trainModel(
      folder,
      'book',
      `dataset: { name: characters, file: book.txt, length: 12 }\n${network()}`,
    );
    const { post } = await serve({ moods: moods.model, words: words.model, book: book.model });
    writeFileSync(join(folder, 'some.txt'), 'a good film\nnothing');
    expectRows(
      await post({ inputs: ['a good film', 'nothing'] }),
      await predicted(moods.model, join(folder, 'some.txt')),
    );
    expectRows(
      await post('a good film\nnothing', { type: 'text/plain' }),
      await predicted(moods.model, join(folder, 'some.txt')),
    );
    writeFileSync(join(folder, 'some.jsonl'), '{"token": ["anna", "swims"]}\n{"token": ["the", "man", "x"]}');
    const tagged = await predicted(words.model, join(folder, 'some.jsonl'));
    expect(tagged).toHaveLength(5);
    const path = '/models/words/invocations';
    expectRows(
      await post(
        {
          inputs: [
            ['anna', 'swims'],
            ['the', 'man', 'x'],
          ],
        },
        { path },
      ),
      tagged,
    );
    writeFileSync(join(folder, 'more.txt'), 'the sea and the old man.');
    const scored = await predicted(book.model, join(folder, 'more.txt'));
    expectRows(
      await post({ inputs: ['the sea and the old man.'] }, { path: '/models/book/invocations' }),
      scored,
    );
    expect(await post({ inputs: ['sea?'] }, { path: '/models/book/invocations' })).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('"?"') as string },
    });
  });
});

describe('tensors', () => {
  test('have the names of their columns in what describes the model', async () => {
    const labelled = await trainedCase(0, 4);
    const numbers = await trainedCase(2, 4);
    const forecast = await trainedCase(4, 4);
    const { shape } = numbers.model;
    const named = { ...shape, task: { ...shape.task, targets: ['force', 'wear'] } as typeof shape.task };
    const { url } = await serve({
      labelled: openCase(temporaryDirectory(), labelled),
      numbers: openCase(temporaryDirectory(), { ...numbers, model: { ...numbers.model, shape: named } }),
      earlier: openCase(temporaryDirectory(), numbers),
      forecast: openCase(temporaryDirectory(), forecast),
    });
    const axes: Record<string, unknown> = {};
    for (const name of ['labelled', 'numbers', 'earlier', 'forecast']) {
      const entry = (await (await fetch(`${url}/models/${name}`)).json()) as { readonly axes: unknown };
      axes[name] = entry.axes;
    }
    expect(axes).toEqual({
      labelled: { classes: ['a', 'b', 'c'] },
      numbers: { targets: ['force', 'wear'] },
      // Its file was written before targets had names.
      earlier: {},
      forecast: { targets: ['load'], quantiles: ['0.1', '0.25', '0.5', '0.9'] },
    });
    const document = await (await fetch(`${url}/openapi.json`)).text();
    expect(document).toContain(JSON.stringify('The targets in their order: "force", "wear".').slice(1, -1));
  });

  // Kinds of data and cells in turn: pixels, tokens, tables with masks and categories, series with scales, quantiles.
  test.each(Array.from({ length: 10 }, (_, at) => at * 11 + (testSeed % 11)))(
    'are answered as ONNX Runtime answers with model.onnx (case %i)',
    async (number) => {
      const found = await trainedCase(number, 24);
      const model = openCase(temporaryDirectory(), found);
      const file = toOnnx(found.model, found.weights);
      if ('impossible' in file) throw new Error(file.impossible);
      const session = await ort.InferenceSession.create(Buffer.concat(file.pieces));
      const ports = onnxPorts(found.model);
      const feeds: Record<string, ort.Tensor> = {};
      const asked: Record<string, unknown> = {};
      for (const { name, type, shape } of ports.inputs) {
        const values = { inputs: found.inputs, lengths: found.lengths, series: found.series }[name] ?? [];
        const dims = shape.map((size) => ({ batch: found.examples, time: found.time })[size] ?? Number(size));
        const typed = { float32: Float32Array, float64: Float64Array, int32: Int32Array }[type as 'float32'];
        feeds[name] = new ort.Tensor(type as 'float32', typed.from(values) as Float32Array, dims);
        const listed = [...values].map((one) => (name === 'series' && one === 2 ? -1 : one));
        asked[name] = nested(
          listed.map((one) => (Number.isNaN(one) ? null : one)),
          dims,
        );
      }
      const results = await session.run(feeds);
      const { post } = await serve({ one: model });
      const answered = await post({ inputs: asked });
      expect(answered.status, `${found.title} ${JSON.stringify(answered.body)}`).toBe(200);
      const { predictions } = answered.body as { readonly predictions: Readonly<Record<string, unknown>> };
      expect(Object.keys(predictions)).toEqual(ports.outputs.map(({ name }) => name));
      for (const [name, tensor] of Object.entries(results)) {
        const given = [predictions[name]].flat(9) as readonly number[];
        const wanted = [...(tensor.data as Float32Array)];
        expect(given, name).toHaveLength(wanted.length);
        const largest = Math.max(
          ...wanted.map((value, at) => Math.abs(value - (given[at] ?? NaN)) / Math.max(1, Math.abs(value))),
        );
        expect(largest, `${found.title}: ${name}`).toBeLessThan(1e-5);
      }
      const instances = Array.from({ length: found.examples }, (_, at) =>
        Object.fromEntries(Object.entries(asked).map(([name, values]) => [name, (values as unknown[])[at]])),
      );
      expect((await post({ instances })).body).toEqual(answered.body);
      await session.release();
    },
  );
});

const nested = (values: readonly unknown[], [size = 1, ...rest]: readonly number[]): unknown => {
  if (rest.length === 0) return values;
  const each = values.length / size;
  return Array.from({ length: size }, (_, at) => nested(values.slice(at * each, (at + 1) * each), rest));
};
