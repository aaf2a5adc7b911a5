import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recordLoss, recordRun } from '../../../src/record/run-recorder.ts';
import type { OutcomeReason, RunOutcome } from '../../../src/record/events.ts';
import { makePlan, writeRunDirectory } from '../../support/run-directories.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { until } from '../../support/until.ts';
import { trackedRun } from '../../support/mlflow/tracked-run.ts';

const [run] = makePlan().runs;
if (!run) throw new Error('no run');

const outcome = (reason: OutcomeReason, step: number): RunOutcome => ({
  reason,
  message: '',
  step,
  elapsedMs: 1,
  metrics: {},
});

const begin = (directory: string, attempt: number) => {
  const { listen } = recordRun(directory, run, attempt);
  return {
    log: (step: number) =>
      listen({ type: 'step-logged', time: Date.now(), step, examples: step, metrics: { 'train/loss': 1 } }),
    end: (reason: OutcomeReason, step: number) =>
      listen({ type: 'training-ended', time: Date.now(), outcome: outcome(reason, step) }),
  };
};

const recordingOf = (directory: string) => trackedRun(directory).recording;

/** A recording is identified by the millisecond in which it began. */
const nextMillisecond = () => {
  const now = Date.now();
  return until(() => Date.now() > now);
};

test('a run that was stopped or lost before its first metric keeps its identity when it goes on', async () => {
  const directory = join(temporaryDirectory(), run.id);
  begin(directory, 1).end('interrupted', 0);
  const first = recordingOf(directory);
  expect(first).toBeDefined();
  await nextMillisecond();
  begin(directory, 2);
  recordLoss(directory, run, { outcome: outcome('crashed', 0), attempt: 2 });
  expect(recordingOf(directory)).toBe(first);
  await nextMillisecond();
  const third = begin(directory, 3);
  third.log(1);
  third.end('completed', 1);
  expect(recordingOf(directory)).toBe(first);
});

test('a run that is recorded anew is another recording', async () => {
  const directory = join(temporaryDirectory(), run.id);
  begin(directory, 1).end('interrupted', 0);
  const first = recordingOf(directory);
  rmSync(directory, { recursive: true });
  await nextMillisecond();
  begin(directory, 1).end('interrupted', 0);
  expect(recordingOf(directory)).not.toBe(first);
});

test('a record of an earlier version is told by its first metric line', () => {
  const runsDirectory = temporaryDirectory();
  const first = recordingOf(writeRunDirectory(runsDirectory, run, { state: 'interrupted', step: 50 }));
  expect(first).toBeDefined();
  expect(recordingOf(writeRunDirectory(runsDirectory, run))).toBe(first);
});
