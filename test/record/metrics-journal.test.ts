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
    const metrics = { 'train/loss': Number.NaN, 'train/norm': Infinity, 'train/low': -Infinity };
    expect(openMetricsJournal(path).append(1, 9, metrics)).toBeUndefined();
  });

  test('is a new file for whoever takes a run over, so that a late write of the last owner is lost', () => {
    const path = freshPath();
    const stopped = openMetricsJournal(path);
    stopped.append(1, 5, { loss: 1 });
    stopped.write();
    const owner = openMetricsJournal(path);
    expect(owner.append(1, 50, { loss: 1 })).toBeUndefined();
    stopped.append(2, 6, { loss: 2 });
    stopped.close();
    owner.append(2, 60, { loss: 2 });
    owner.close();
    expect(linesOf(path).map(({ step, time }) => [step, time])).toEqual([
      [1, 5],
      [2, 60],
    ]);
    expect(stopped.isThere()).toBe(false);
    expect(owner.isThere()).toBe(true);
  });

  const written = (losses: readonly number[]) => {
    const path = freshPath();
    const journal = openMetricsJournal(path);
    losses.forEach((loss, at) => journal.append(at + 1, 100 + at, { loss }));
    const counted = journal.flush();
    journal.close();
    return { path, counted };
  };

  test('replaces the recorded lines from the first that does not come out the same, and says so', () => {
    const { path } = written([1, 2, 3, 4]);
    const journal = openMetricsJournal(path);
    journal.goOnAfter(1);
    expect(journal.append(2, 7, { loss: 2 })).toBeUndefined();
    expect(journal.append(3, 8, { loss: 3.5 })).toContain('line 3 of metrics.jsonl');
    expect(journal.append(4, 9, { loss: 4 })).toBeUndefined();
    journal.close();
    expect(linesOf(path).map(({ time, metrics }) => [time, metrics['loss']])).toEqual([
      [100, 1],
      [101, 2],
      [8, 3.5],
      [9, 4],
    ]);
  });

  test('removes what a training that ends did not repeat', () => {
    const { path } = written([1, 2, 3]);
    const journal = openMetricsJournal(path);
    journal.append(1, 7, { loss: 1 });
    journal.append(2, 7, { loss: 2 });
    expect(journal.endHere()).toContain('from line 3 on');
    expect(journal.endHere()).toBeUndefined();
    journal.close();
    expect(linesOf(path)).toHaveLength(2);
  });

  test('knows whether the counted lines are there, byte for byte', () => {
    const { path, counted } = written([1, 2, 3]);
    const begins = () => openMetricsJournal(path).begins(counted);
    expect(counted.lines).toBe(3);
    expect(begins()).toBe(true);
    appendFileSync(path, '{"step":4,"time":1,"metrics":{"loss":4}}\n');
    expect(begins()).toBe(true);
    const bytes = readFileSync(path);
    for (const at of [0, 8, 20, 60, bytes.indexOf(10)]) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 4;
      writeFileSync(path, flipped);
      expect(begins(), `byte ${at}`).toBe(false);
    }
    writeFileSync(path, bytes.subarray(0, 80));
    expect(begins()).toBe(false);
    writeFileSync(path, '');
    expect(begins()).toBe(false);
  });

  test('counts kept, repeated and new lines alike', () => {
    const { path } = written([1, 2]);
    const journal = openMetricsJournal(path);
    journal.goOnAfter(1);
    journal.append(2, 7, { loss: 2 });
    journal.append(3, 7, { loss: 3 });
    const counted = journal.flush();
    journal.close();
    expect(counted.lines).toBe(3);
    expect(openMetricsJournal(path).begins(counted)).toBe(true);
  });

  test('an evaluation repeated at the step of the checkpoint is recorded once', () => {
    const { path } = written([1, 2]);
    const journal = openMetricsJournal(path);
    journal.goOnAfter(2);
    expect(journal.append(2, 7, { loss: 2 })).toBeUndefined();
    journal.append(3, 7, { loss: 3 });
    journal.close();
    expect(linesOf(path).map(({ step }) => step)).toEqual([1, 2, 3]);
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
            journal.goOnAfter(from - 1);
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

  test('replaces a damaged line once its step is repeated', () => {
    const path = freshPath();
    appendFileSync(
      path,
      '{"step":1,"time":1,"metrics":{"a":1}}\n\0\0\0\n{"step":2,"time":2,"metrics":{"a":2}}\n{"step":3,"ti',
    );
    const journal = openMetricsJournal(path);
    expect(journal.lastStep()).toBe(2);
    expect(readFileSync(path, 'utf8').endsWith('{"a":2}}\n')).toBe(true);
    journal.append(1, 9, { a: 1 });
    expect(journal.append(2, 9, { a: 2 })).toContain('line 2 of metrics.jsonl');
    journal.close();
    expect(linesOf(path)).toEqual([
      { step: 1, time: 1, metrics: { a: 1 } },
      { step: 2, time: 9, metrics: { a: 2 } },
    ]);
  });
});
