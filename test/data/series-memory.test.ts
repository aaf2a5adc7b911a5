import { join } from 'node:path';
import { expect, it } from 'vitest';
import { csvSeries } from '../../src/data/csv-series.ts';
import { ageFile } from '../support/age-file.ts';
import { dataFolder } from './support/data-files.ts';
import { complete } from './support/read-all.ts';

const rows = 50_000;

const longSeries = () => {
  const text = Array.from({ length: rows }, (_, at) => `${at},${(at * 7919) % 1000}`).join('\n');
  const context = dataFolder({ 'a.csv': `t,y\n${text}\n` });
  ageFile(join(context.baseDirectory, 'a.csv'));
  return context;
};

it('windows are views of the series, and not copied', async () => {
  const context = longSeries();
  const load = async (window: number) => {
    const chosen = complete(csvSeries, { file: 'a.csv', time: 't', targets: ['y'], window });
    const before = process.memoryUsage().arrayBuffers;
    const dataset = await csvSeries.load(chosen, context);
    return { dataset, bytes: process.memoryUsage().arrayBuffers - before };
  };
  await load(1);
  const { dataset, bytes } = await load(1000);
  const windows = dataset.train.size + (dataset.validation?.size ?? 0) + dataset.test.size;
  expect(windows).toBe(rows - 1000);
  // Copied, they would be 200 MB; the series and what is computed from it are a few numbers a row.
  expect(bytes).toBeLessThan(rows * 8 * 20);
});

it('what a plan asks of a series is kept, and the series is not read again', async () => {
  const context = longSeries();
  const chosen = complete(csvSeries, { file: 'a.csv', time: 't', targets: ['y'], window: 100 });
  const first = await csvSeries.inspect(chosen, context);
  const shape = await csvSeries.shape(chosen, context);
  const before = process.memoryUsage().arrayBuffers;
  expect(await csvSeries.inspect(chosen, context)).toEqual(first);
  expect(await csvSeries.shape(chosen, context)).toEqual(shape);
  // Less than the values of the series alone.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(rows * 8);
  expect(shape).toEqual((await csvSeries.load(chosen, context)).shape);
});
