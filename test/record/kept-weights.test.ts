import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Run } from '../../src/plan/plan.ts';
import { mayLackKeptValues, withKeptValues } from '../../src/record/kept-weights.ts';
import { readRun, readStatus } from '../../src/record/read-runs.ts';
import type { StatusFile } from '../../src/record/run-files.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Stopped at step 60, with the weights of step 30; 0.1.0 recorded the values of step 60 as the run's own. */
const fixture = 'test/fixtures/recorded-by-0.1.0/runs/csv/de33ab8a421e';
const json = (name: string): unknown => JSON.parse(readFileSync(join(fixture, name), 'utf8'));
const status = json('status.json') as StatusFile;
const run = json('run.json') as Run;

/** The point of step 30, the last minibatch before it, and the test part, which was evaluated with the kept weights. */
const ofStep30 = {
  'val/loss': 0.25378236174583435,
  'val/accuracy': 0.8333333333333334,
  'train/loss': 0.08527980744838715,
  'train/accuracy': 1,
  'test/loss': 0.06925198435783386,
  'test/accuracy': 1,
  'test/macroF1': 1,
};

const withEarlyStopping = (changes: object): Run => {
  const { train } = run.config;
  const earlyStopping = train.earlyStopping && { ...train.earlyStopping, ...changes };
  return { ...run, config: { ...run.config, train: { ...train, earlyStopping } } };
};

test('a run of 0.1.0 has the values of the weights that it restored', () => {
  expect(mayLackKeptValues(status)).toBe(true);
  const read = withKeptValues(status, run, fixture);
  expect(read.outcome).toEqual({ ...status.outcome, keptStep: 30, metrics: ofStep30 });
  expect(mayLackKeptValues(read)).toBe(false);
  expect(withKeptValues(read, run, fixture)).toBe(read);
});

test('whoever reads the run gets these values', () => {
  const directory = join(temporaryDirectory(), 'de33ab8a421e');
  cpSync(fixture, directory, { recursive: true });
  expect(readStatus(directory)?.outcome?.metrics).toEqual(ofStep30);
  const recorded = readRun(directory);
  expect(recorded.ok && recorded.value.metrics).toEqual(ofStep30);
});

test('the best evaluation is found by the goal and minDelta that chose the weights', () => {
  const keptStep = (changes: object) =>
    withKeptValues(status, withEarlyStopping(changes), fixture).outcome?.keptStep;
  expect(keptStep({ metric: 'val/accuracy', goal: 'maximize' })).toBe(50);
  expect(keptStep({ metric: 'val/accuracy', goal: 'minimize' })).toBe(10);
  expect(keptStep({ minDelta: 0.17 })).toBe(20);
});

test('a run that restored nothing, or did not end its training, keeps its last values', () => {
  const isUnchanged = (one: StatusFile, of: Run) => withKeptValues(one, of, fixture) === one;
  expect(isUnchanged(status, withEarlyStopping({ restoreBest: false }))).toBe(true);
  expect(isUnchanged(status, withEarlyStopping({ metric: 'val/perplexity' }))).toBe(true);
  const { outcome } = status;
  expect(isUnchanged({ ...status, outcome: outcome && { ...outcome, reason: 'interrupted' } }, run)).toBe(
    true,
  );
  expect(isUnchanged({ ...status, outcome: null }, run)).toBe(true);
});
