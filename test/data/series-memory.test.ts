import { expect, it } from 'vitest';
import { csvSeries } from '../../src/data/csv-series.ts';
import { dataFolder } from './support/data-files.ts';
import { complete } from './support/read-all.ts';

it('windows are views of the series, and not copied', async () => {
  const rows = 50_000;
  const text = Array.from({ length: rows }, (_, at) => `${at},${(at * 7919) % 1000}`).join('\n');
  const context = dataFolder({ 'a.csv': `t,y\n${text}\n` });
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
