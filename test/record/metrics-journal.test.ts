import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openMetricsJournal } from '../../src/record/metrics-journal.ts';

const freshPath = () => join(mkdtempSync(join(tmpdir(), 'unroll-journal-')), 'metrics.jsonl');
const linesOf = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { step: number; time: number; metrics: Record<string, unknown> });

describe('the metrics journal', () => {
  afterEach(() => void vi.restoreAllMocks());

  test('keeps NaN and infinities, which JSON cannot', () => {
    const path = freshPath();
    const journal = openMetricsJournal(path);
    journal.append(1, 5, { 'train/loss': Number.NaN, 'train/norm': Infinity, 'train/low': -Infinity });
    journal.close();
    expect(linesOf(path)).toEqual([
      {
        step: 1,
        time: 5,
        metrics: { 'train/loss': 'NaN', 'train/norm': 'Infinity', 'train/low': '-Infinity' },
      },
    ]);
    expect(openMetricsJournal(path).append(1, 9, { 'train/loss': Number.NaN })).toEqual([]);
  });

  test('says which repeated values differ, and keeps the first', () => {
    const path = freshPath();
    const first = openMetricsJournal(path);
    first.append(10, 1, { 'train/loss': 0.5, 'train/accuracy': 0.25 });
    first.close();
    const second = openMetricsJournal(path);
    expect(second.append(10, 2, { 'train/loss': 0.5000001, 'train/accuracy': 0.25 })).toEqual(['train/loss']);
    second.close();
    expect(linesOf(path)).toEqual([
      { step: 10, time: 1, metrics: { 'train/loss': 0.5, 'train/accuracy': 0.25 } },
    ]);
  });

  test('holds lines back while they come fast, and has them all in the file once it is told to', () => {
    vi.spyOn(performance, 'now').mockReturnValue(0);
    const path = freshPath();
    const journal = openMetricsJournal(path);
    for (let step = 1; step <= 100; step++) journal.append(step, step, { loss: step });
    expect(journal.lastStep()).toBe(100);
    expect(linesOf(path)).toHaveLength(1);
    journal.flush();
    expect(linesOf(path).map(({ step }) => step)).toEqual(Array.from({ length: 100 }, (_, at) => at + 1));
    journal.append(101, 101, { loss: 101 });
    journal.close();
    expect(linesOf(path)).toHaveLength(101);
  });

  test('a journal cut at any byte and written again holds every step once, with its value', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: false }), { minLength: 1, maxLength: 12 }),
        fc.nat(),
        fc.nat(12),
        (values, cut, resumeAfter) => {
          const path = freshPath();
          const write = (from: number) => {
            const journal = openMetricsJournal(path);
            for (let step = from; step <= values.length; step++)
              journal.append(step, step, { loss: values[step - 1] ?? 0 });
            journal.close();
          };
          write(1);
          const whole = readFileSync(path);
          const kept = whole.subarray(0, cut % (whole.length + 1));
          writeFileSync(path, kept);
          // The run goes on after a checkpoint whose metrics were flushed: never after a step that is lost.
          const survived = kept.toString().split('\n').length - 1;
          write(Math.min(resumeAfter, survived) + 1);
          expect(linesOf(path).map(({ step }) => step)).toEqual(values.map((_, index) => index + 1));
          expect(readFileSync(path)).toEqual(whole);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('leaves a damaged line between good ones for a person to see', () => {
    const path = freshPath();
    appendFileSync(
      path,
      '{"step":1,"time":1,"metrics":{"a":1}}\n\0\0\0\n{"step":2,"time":2,"metrics":{"a":2}}\n{"step":3,"ti',
    );
    const journal = openMetricsJournal(path);
    expect(journal.lastStep()).toBe(2);
    journal.close();
    expect(readFileSync(path, 'utf8').split('\n')).toEqual([
      '{"step":1,"time":1,"metrics":{"a":1}}',
      '\0\0\0',
      '{"step":2,"time":2,"metrics":{"a":2}}',
      '',
    ]);
  });
});
