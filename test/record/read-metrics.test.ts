import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readMetrics } from '../../src/record/read-metrics.ts';
import { fileNames } from '../../src/record/run-files.ts';
import { makePlan, metricsAt, writeRunDirectory } from '../support/run-directories.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const run = makePlan({ steps: 50 }).runs[0] ?? expect.fail();
const make = (made?: Parameters<typeof writeRunDirectory>[2]) =>
  writeRunDirectory(temporaryDirectory(), run, made);

test('reads the history of every metric', async () => {
  const { series, problems } = await readMetrics(make());
  expect(problems).toEqual([]);
  expect([...series.keys()]).toEqual(['train/loss', 'train/accuracy', 'test/accuracy', 'test/loss']);
  expect(series.get('train/loss')?.steps).toEqual([10, 20, 30, 40, 50]);
  expect(series.get('train/loss')?.values).toEqual(
    [10, 20, 30, 40, 50].map((step) => metricsAt(run, step)['train/loss']),
  );
  expect(series.get('test/accuracy')?.steps).toEqual([50]);
});

test('numbers that are not finite come back', async () => {
  const directory = make({ state: 'diverged' });
  appendFileSync(
    join(directory, fileNames.metrics),
    '{"step":60,"time":1,"metrics":{"train/loss":"Infinity"}}\n{"step":70,"time":2,"metrics":{"train/loss":"-Infinity"}}\n',
  );
  const { series, problems } = await readMetrics(directory);
  expect(problems).toEqual([]);
  expect(series.get('train/loss')?.values.slice(-3)).toEqual([NaN, Infinity, -Infinity]);
});

test('a torn last line is a notice and is left out, even when it looks whole', async () => {
  for (const tail of ['{"step":60,"ti', '{"step":60,"time":1,"metrics":{"train/loss":0.25}}']) {
    const { series, problems } = await readMetrics(make({ tail }));
    expect(series.get('train/loss')?.steps).toEqual([10, 20, 30, 40, 50]);
    expect(problems).toMatchObject([{ code: 'damaged-record', severity: 'notice' }]);
    expect(problems[0]?.message).toContain('ends in the middle of line 7');
  }
});

test('damaged lines are named, the first few one by one, and the rest is read', async () => {
  const bad = ['garbage', '{"step":"1"}', 'null', '{"step":1,"time":1}', '\0\0', '{}', '[1]'];
  const { series, problems } = await readMetrics(
    make({ tail: `${bad.join('\n')}\n{"step":60,"time":1,"metrics":{"train/loss":0.25}}\n` }),
  );
  expect(series.get('train/loss')?.steps.at(-1)).toBe(60);
  expect(problems.map((one) => one.message.replace(/^.*metrics\.jsonl /, ''))).toEqual([
    ...[7, 8, 9, 10, 11].map((line) => `line ${line} is not a metrics line; it is left out.`),
    'has 2 more lines that are left out.',
  ]);
});

test('a step that stands twice counts once, as first recorded, and steps rise', async () => {
  const { series, repeated } = await readMetrics(
    make({
      tail: [20, 70, 60]
        .map((step) => `{"step":${step},"time":9,"metrics":{"train/loss":${step}}}\n`)
        .join(''),
    }),
  );
  const loss = series.get('train/loss');
  expect(loss?.steps).toEqual([10, 20, 30, 40, 50, 60, 70]);
  expect(loss?.values[1]).toBe(metricsAt(run, 20)['train/loss']);
  expect(loss?.values.slice(-2)).toEqual([60, 70]);
  expect(repeated).toEqual([{ metric: 'train/loss', step: 20 }]);
});

test('lines that lie across the chunks of reading are whole, as are letters of several bytes', async () => {
  const directory = make();
  const lines = Array.from(
    { length: 20_000 },
    (_, i) => `${JSON.stringify({ step: i + 1, time: i, metrics: { 'verlust/größe': i / 7 } })}\n`,
  );
  writeFileSync(join(directory, fileNames.metrics), lines.join(''));
  const { series, problems } = await readMetrics(directory);
  expect(problems).toEqual([]);
  expect([...series.keys()]).toEqual(['verlust/größe']);
  expect(series.get('verlust/größe')?.values).toEqual(lines.map((_, i) => i / 7));
});

test('a run without metrics has none; a file that cannot be read is a problem, not an exception', async () => {
  const directory = make({ state: 'new' });
  expect(await readMetrics(directory)).toEqual({ series: new Map(), problems: [], repeated: [] });
  rmSync(join(directory, fileNames.metrics), { force: true });
  mkdirSync(join(directory, fileNames.metrics));
  expect((await readMetrics(directory)).problems).toMatchObject([{ code: 'damaged-record' }]);
});
