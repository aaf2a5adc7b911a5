import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { rowOf, registry } from '../../src/registry/rows.ts';
import { readRun } from '../../src/record/read-runs.ts';
import { checkOnnx } from '../../src/verify/check-onnx.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { trainModel } from '../support/trained-model.ts';

const network = `model: { name: gru, hiddenSize: 5 }
optimizer: { name: adam, learningRate: 0.01 }
train: { batchSize: 8, steps: 6, displayEvery: 3 }
`;

const check = async (directory: string, folder: string) => {
  const read = readRun(directory);
  if (!read.ok || !read.value.status) throw new Error('no run');
  const { run, status } = read.value;
  const subject = {
    ...{ directory, run, status, here: run, baseDirectory: folder },
    ...{ environment: undefined, config: undefined, spec: undefined, startFile: undefined, unreadable: [] },
  };
  return checkOnnx(subject, { dataset: rowOf(registry.dataset, run.config.dataset), registry });
};

const table = Array.from({ length: 60 }, (_, one) =>
  Array.from({ length: 2 + (one % 4) }, (__, step) =>
    [
      `s${one}`,
      step,
      (one * 13 + step * 5) % 7 === 0 ? '' : (1000 + Math.sin(one + step)).toFixed(4),
      ['red', 'blue', 'green'][(one + step) % 3],
      10 + (one % 6),
      (one * 3 + step) % 5,
    ].join(','),
  ).join('\n'),
);

const shops = ['north', 'south'].flatMap((shop) =>
  Array.from({ length: 90 }, (_, day) => {
    const date = new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 10);
    const sales = day % 29 === 11 ? '' : (shop.length * 100 + (day % 7) + Math.sin(day)).toFixed(3);
    return `${date},${shop},${sales},${day % 7 === 0 ? 1 : 0},${shop === 'north' ? 'cold' : 'warm'}`;
  }),
);

/** Where each kind of number, category and series is read from a file. */
const cases = [
  [
    'numbers of a table',
    'table.csv',
    'csv-sequences, file: table.csv, sequence: id, order: t, features: [a, colour], categorical: [colour], missing: { a: mask }, deltaTime: true, targets: [size], task: regression, testFraction: 0.3',
  ],
  [
    'labels of a table of embedded categories',
    'table.csv',
    'csv-sequences, file: table.csv, sequence: id, order: t, features: [a, colour], categorical: { colour: 3 }, missing: { a: mean }, targets: [level], task: labelling, testFraction: 0.3',
  ],
  [
    'a forecast of series',
    'shops.csv',
    'csv-series, file: shops.csv, time: date, series: shop, targets: [sales], future: [holiday], static: [region], calendar: [dayOfWeek], window: 8, horizon: 3, missing: { sales: mask, holiday: forward }',
  ],
] as const;

describe('model.onnx is compared with the network where no predictions are recorded', () => {
  test.each(cases)('%s', async (name, file, dataset) => {
    const folder = temporaryDirectory();
    const rows =
      file === 'shops.csv'
        ? ['date,shop,sales,holiday,region', ...shops]
        : ['id,t,a,colour,size,level', ...table];
    writeFileSync(join(folder, file), rows.join('\n'));
    const [one, other] = [await trained('one', ''), await trained('other', 'seeds: [2]\n')];
    expect(await check(one, folder), name).toMatchObject({
      result: 'agrees',
      given: 'network',
      differing: 0,
    });
    const onnx = (directory: string) => join(directory, 'model', 'model.onnx');
    const whole = readFileSync(onnx(one));
    copyFileSync(onnx(other), onnx(one));
    expect(await check(one, folder), name).toMatchObject({ result: 'differs' });
    writeFileSync(onnx(one), whole.subarray(0, 100));
    const { compared, differing } = (await check(one, folder)) as { compared: number; differing: number };
    expect(compared).toBeGreaterThan(10);
    expect(differing).toBe(compared);

    async function trained(run: string, more: string): Promise<string> {
      const spec = `dataset: { name: ${dataset} }\n${network}${more}`;
      return (await trainModel(folder, run, spec)).directory;
    }
  });
});
