import { expect, test } from 'vitest';
import { missedExpectations } from '../../src/report/expectations.ts';
import type { Run } from '../../src/spec/plan.ts';
import type { RunOutcome } from '../../src/tracking/events.ts';

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

test('bounds hold at their very value; a run that is not done is judged elsewhere', () => {
  expect(missedExpectations({ runs, expect: [{ metric: 'test/accuracy', gte: 0.97 }] }, outcomes)).toEqual([
    { runId: 'b', metric: 'test/accuracy', message: 'b: test/accuracy is 0.9000, expected at least 0.97' },
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
