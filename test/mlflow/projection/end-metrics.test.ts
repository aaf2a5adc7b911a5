import { expect, test } from 'vitest';
import { endMetrics } from '../../../src/mlflow/projection/end-metrics.ts';
import { trackedRun } from '../../support/mlflow/tracked-run.ts';

/** Stopped at step 60, with the weights of step 30; recorded by a version that sent no values of restored weights. */
const fixture = 'test/fixtures/recorded-by-0.1.0/runs/csv/de33ab8a421e';

test('restored weights get one point a step after the last, without what is measured with them anyway', () => {
  const record = trackedRun(fixture);
  const points = endMetrics(record).filter(({ key }) => !key.startsWith('time/'));
  expect(points.map(({ key, value, step }) => [key, value, step]).sort()).toEqual([
    ['train/accuracy', 1, 61],
    ['train/loss', 0.08527980744838715, 61],
    ['val/accuracy', 0.8333333333333334, 61],
    ['val/loss', 0.25378236174583435, 61],
  ]);
});

test('weights of the last step get none: their point is on the curve', () => {
  const { status, ...record } = trackedRun(fixture);
  const { outcome } = status ?? expect.fail();
  const ofLastStep = outcome && { ...outcome, keptStep: outcome.step };
  const points = endMetrics({ ...record, status: status && { ...status, outcome: ofLastStep } });
  expect(points.every(({ key, step }) => key.startsWith('time/') && step === 0)).toBe(true);
  expect(points.length).toBeGreaterThan(0);
});
