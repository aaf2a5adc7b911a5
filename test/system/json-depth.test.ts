import { expect, test } from 'vitest';
import { fromText, parseJob, toText } from '../../src/executor/bullmq/protocol.ts';
import { parseNote } from '../../src/executor/slurm/folder.ts';
import { isSealIntact, sealed } from '../../src/record/digests.ts';
import { parseRun } from '../../src/record/parse-run-files.ts';
import { deepestJson, isDeeperThan, JsonTooDeep, parseJson, readJsonText } from '../../src/system/json.ts';
import { makePlan } from '../support/run-directories.ts';

const nestedText = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;

/** Lists within lists. */
const nested = (levels: number): unknown => JSON.parse(nestedText(levels));

test('the levels of a value are counted at any depth', () => {
  expect(isDeeperThan(7, 0)).toBe(false);
  expect(isDeeperThan({}, 0)).toBe(false);
  expect(isDeeperThan([1], 0)).toBe(true);
  expect(isDeeperThan([1], 1)).toBe(false);
  expect(isDeeperThan({ a: { b: [] } }, 1)).toBe(true);
  expect(isDeeperThan({ a: { b: [] } }, 2)).toBe(false);
  expect(isDeeperThan(nested(500_000), 200)).toBe(true);
});

test('a seal around values that are nested too deep counts as broken, and is not computed', () => {
  expect(isSealIntact(sealed({ a: nested(100) }))).toBe(true);
  expect(isSealIntact({ ...sealed({ a: 1 }), a: nested(500_000) })).toBe(false);
  const wide = Array.from({ length: 200 }, () => nested(2500));
  const before = process.memoryUsage.rss();
  expect(isSealIntact({ ...sealed({ a: 1 }), a: wide })).toBe(false);
  expect(process.memoryUsage.rss() - before).toBeLessThan(300e6);
});

test('JSON of others that nests too deep is refused wherever it comes in', () => {
  expect(readJsonText(nestedText(deepestJson))).toEqual(nested(deepestJson));
  expect(() => readJsonText(nestedText(deepestJson + 2))).toThrow(JsonTooDeep);
  expect(parseJson(nestedText(450_000))).toBeUndefined();
  expect(parseJson(`["NaN", ${nestedText(450_000)}]`, (_, value) => value)).toBeUndefined();

  const [run] = makePlan({ axes: {}, seeds: [1], steps: 2 }).runs;
  if (!run) throw new Error('no run');
  const deepRun = {
    ...run,
    config: { ...run.config, dataset: { ...run.config.dataset, more: nested(450) } },
  };
  const job = { sweep: 's', pauseAt: null, attempt: 1, fromTheStart: false, threads: 1 };
  const more = { profile: false, timeoutMs: null };
  expect(parseJob({ run, ...job, ...more })).toBeDefined();
  expect(parseJob({ run: deepRun, ...job, ...more })).toBeUndefined();
  expect(parseJob(nested(450_000))).toBeUndefined();
  expect(fromText(toText({ a: [NaN, nested(450)] }))).toBeUndefined();

  expect(parseRun('run.json', JSON.stringify(run)).ok).toBe(true);
  const read = parseRun('run.json', JSON.stringify(deepRun));
  expect(read.ok ? '' : read.errors[0]?.message).toBe('run.json nests lists or objects too deep.');

  const note = { run: 'r', waitsFor: 1 };
  expect(parseNote(JSON.stringify(note))).toEqual(note);
  expect(parseNote(JSON.stringify({ ...note, more: nested(450) }))).toBeUndefined();
});
