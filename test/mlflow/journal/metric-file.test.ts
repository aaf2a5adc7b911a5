import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countPoints, fileStart, readPage, type Page } from '../../../src/mlflow/journal/metric-file.ts';
import { metricLines } from '../../support/mlflow/journals.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const page = (result: ReturnType<typeof readPage>): Page => {
  if (result === 'rewritten') throw new Error('rewritten');
  return result;
};

test('a torn last line is left for later, a damaged one is passed over and reported', () => {
  const path = join(temporaryDirectory(), 'metrics.jsonl');
  writeFileSync(path, '{"step":1,"time":10,"metrics":{"a@b":1,"c":"NaN"}}\nnot json\n{"step":2,"ti');
  const first = page(readPage(path, fileStart, 100));
  expect(first.points).toEqual([
    { key: 'a_b', value: 1, timestamp: 10, step: 1 },
    { key: 'c', value: 'NaN', timestamp: 10, step: 1 },
  ]);
  expect(first.damaged.map(({ text }) => text)).toEqual(['not json']);
  expect(page(readPage(path, first.end, 100)).lines).toBe(0);
  appendFileSync(path, 'me":20,"metrics":{"c":3}}\n');
  expect(page(readPage(path, first.end, 100)).points).toEqual([
    { key: 'c', value: 3, timestamp: 20, step: 2 },
  ]);
});

test('a file that is shorter or other than what was read is told from one that grew', () => {
  const path = join(temporaryDirectory(), 'metrics.jsonl');
  const lines = metricLines(1, 40).map((line) => `${JSON.stringify(line)}\n`);
  writeFileSync(path, lines.join(''));
  const { end } = page(readPage(path, fileStart, 1e6));
  appendFileSync(path, lines[0] ?? '');
  expect(page(readPage(path, end, 1e6)).lines).toBe(1);
  writeFileSync(path, lines.slice(0, 39).join(''));
  expect(readPage(path, end, 1)).toBe('rewritten');
  const other = [...lines.slice(0, 39), (lines[39] ?? '').replace('"time":1', '"time":2')];
  writeFileSync(path, other.join(''));
  expect(readPage(path, end, 1)).toBe('rewritten');
  expect(readPage(join(path, 'missing'), end, 1)).toBe('rewritten');
  expect(page(readPage(`${path}x`, fileStart, 1)).points).toEqual([]);
});

test('pages of any size give every point once, in order', () => {
  const path = join(temporaryDirectory(), 'metrics.jsonl');
  const lines = metricLines(2, 1000);
  // A line longer than the reader's window.
  const long = {
    step: 9999,
    time: 1,
    metrics: Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i])),
  };
  writeFileSync(path, [...lines, long].map((line) => `${JSON.stringify(line)}\n`).join(''));
  const expected = lines.length * 2 + 20 + 20_000;
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 5000 }), (size) => {
      let at = fileStart;
      let count = 0;
      let last = 0;
      let ordered = true;
      for (;;) {
        const next = page(readPage(path, at, size));
        if (next.lines === 0) break;
        ordered &&= next.points.every(({ step }) => {
          const after = step >= last;
          last = step;
          return after;
        });
        count += next.points.length;
        at = next.end;
      }
      expect([count, ordered]).toEqual([expected, true]);
    }),
    { numRuns: 15 },
  );
  expect(countPoints(path, fileStart)).toBe(expected);
});
