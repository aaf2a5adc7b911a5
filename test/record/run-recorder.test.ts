import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import * as digests from '../../src/record/digests.ts';
import { RecordRemoved, recordRun } from '../../src/record/run-recorder.ts';
import { makePlan } from '../support/run-directories.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

afterEach(() => void vi.restoreAllMocks());

test('fast steps are written together, and all of them at an evaluation, a checkpoint and the end', async () => {
  vi.spyOn(performance, 'now').mockReturnValue(0);
  const [run] = makePlan().runs;
  if (!run) throw new Error('no run');
  const directory = temporaryDirectory();
  const recorder = recordRun(directory, run, 1);
  const lines = (name: string) => readFileSync(join(directory, name), 'utf8').split('\n').length - 1;
  const written = () => [lines('metrics.jsonl'), lines('log.txt')];
  let step = 0;
  const log = (count: number) => {
    for (const last = step + count; step < last;)
      recorder.listen({
        type: 'step-logged',
        time: 1,
        step: ++step,
        examples: step,
        metrics: { 'train/loss': 1 },
      });
  };

  log(10);
  expect(written()).toEqual([1, 1]);
  recorder.flush();
  expect(written()).toEqual([10, 10]);
  log(10);
  await recorder.settle();
  expect(written()).toEqual([20, 20]);
  log(10);
  recorder.listen({ type: 'evaluated', time: 1, step: 30, metrics: { 'test/loss': 1 } });
  expect(written()).toEqual([31, 31]);
  log(1);
  const outcome = { reason: 'completed', message: '', step: 31, elapsedMs: 1, metrics: {} } as const;
  recorder.listen({ type: 'training-ended', time: 1, outcome });
  expect(written()).toEqual([32, 33]);
});

test('a folder that is removed while its last files are read leaves no run that looks whole', () => {
  const [run] = makePlan().runs;
  if (!run) throw new Error('no run');
  const directory = join(temporaryDirectory(), 'trial', run.id);
  const recorder = recordRun(directory, run, 1);
  const outcome = { reason: 'completed', message: '', step: 1, elapsedMs: 1, metrics: {} } as const;
  const { sealedStatus } = digests;
  vi.spyOn(digests, 'sealedStatus').mockImplementation((where, status) => {
    rmSync(where, { recursive: true });
    return sealedStatus(where, status);
  });
  expect(() => recorder.listen({ type: 'training-ended', time: 1, outcome })).toThrow(RecordRemoved);
  expect(existsSync(directory)).toBe(false);
});

test('a run.json whose settings were changed is replaced when the run is trained again', () => {
  const [run] = makePlan().runs;
  if (!run) throw new Error('no run');
  const directory = join(temporaryDirectory(), 'trial', run.id);
  recordRun(directory, run, 1);
  const path = join(directory, 'run.json');
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replace('"hiddenSize"', '"hiddenSixe"'));
  recordRun(directory, run, 2);
  expect(readFileSync(path, 'utf8')).toBe(text);
  // What decides no number stays as it was written.
  const before = text.replace(/"varying": \{[^}]*\}/, '"varying": {}');
  writeFileSync(path, before);
  recordRun(directory, run, 3);
  expect(readFileSync(path, 'utf8')).toBe(before);
});
