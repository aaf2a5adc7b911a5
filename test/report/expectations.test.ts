import { expect, test } from 'vitest';
import { checkExpectations } from '../../src/report/expectations.ts';
import { findBaselines } from '../../src/report/baseline.ts';
import type { Expectation } from '../../src/language/config.ts';
import type { Run } from '../../src/plan/plan.ts';
import type { RunOutcome } from '../../src/record/events.ts';
import { finalMetrics, makePlan, writeSweep } from '../support/run-directories.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const runs = [{ id: 'a' }, { id: 'b' }, { id: 'c' }] as unknown as readonly Run[];
const outcome = (reason: RunOutcome['reason'], metrics: RunOutcome['metrics']): RunOutcome => ({
  reason,
  message: '',
  step: 1,
  elapsedMs: 1,
  metrics,
});
const outcomes = {
  a: outcome('completed', { 'test/accuracy': 0.97 }),
  b: outcome('completed', { 'test/accuracy': 0.9 }),
  c: outcome('diverged', { 'test/accuracy': 0.1 }),
};

const missedExpectations = (...given: Parameters<typeof checkExpectations>) =>
  checkExpectations(...given).filter(({ met }) => !met);

test('bounds hold at their very value; a run that is not done is judged elsewhere', () => {
  expect(missedExpectations({ runs, expect: [{ metric: 'test/accuracy', gte: 0.97 }] }, outcomes)).toEqual([
    expect.objectContaining({
      runId: 'b',
      wanted: 'test/accuracy at least 0.97',
      message: 'b: test/accuracy is 0.9000, expected at least 0.97',
    }),
  ]);
  expect(missedExpectations({ runs, expect: [{ metric: 'test/accuracy', lte: 0.97 }] }, outcomes)).toEqual(
    [],
  );
});

test('NaN and a metric that was never recorded miss', () => {
  const nan = { a: outcome('completed', { 'test/loss': Number.NaN }) };
  const both = [
    { metric: 'test/loss', gte: 0, lte: 1 },
    { metric: 'test/mae', lte: 1 },
  ];
  expect(missedExpectations({ runs, expect: both }, nan).map(({ message }) => message)).toEqual([
    'a: test/loss is NaN, expected at least 0 and at most 1',
    'a: test/mae is not recorded, expected at most 1',
  ]);
});

test('with a baseline the bounds are those of the difference', () => {
  const runDirectory = temporaryDirectory();
  const plan = makePlan({ experiment: 'release', axes: { 'optimizer.learningRate': [0.001, 0.003] } });
  writeSweep(runDirectory, plan);
  const best = Math.max(...plan.runs.map((run) => finalMetrics(run, 100)['test/accuracy'] ?? 0));
  const held = (expectation: Expectation, value: number) => {
    const ours = { expect: [expectation], runs: runs.slice(0, 1) };
    const baselines = findBaselines(ours, runDirectory);
    if (!baselines.ok) return baselines.errors.map(({ message }) => message);
    return checkExpectations(ours, { a: outcome('completed', { 'test/accuracy': value }) }, baselines.value);
  };
  const near = { metric: 'test/accuracy', baseline: 'release', gte: -0.01 };
  expect(held(near, best - 0.009)).toMatchObject([{ met: true }]);
  expect(held(near, best - 0.011)).toMatchObject([
    { met: false, wanted: 'test/accuracy at least that of release - 0.01' },
  ]);
  expect(held({ ...near, baseline: plan.runs[0]?.id ?? '' }, 0.1)).toMatchObject([{ met: false }]);
  expect(held({ ...near, baseline: 'relase' }, 1)).toEqual([
    'The baseline "relase" of the expectation of test/accuracy has no finished run with that metric.',
  ]);
  expect(held({ ...near, metric: 'test/mae' }, 1)).toHaveLength(1);
});
