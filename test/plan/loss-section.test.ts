import { expect, it } from 'vitest';
import { soundPlan } from '../support/spec.ts';

it('a loss that the task has anyway makes no other run, and leaves no trace', async () => {
  const [before] = (await soundPlan()).runs;
  expect(before?.config).not.toHaveProperty('loss');
  const [written] = (await soundPlan({ loss: { name: 'cross-entropy' } })).runs;
  const [zero] = (await soundPlan({ loss: { name: 'cross-entropy', labelSmoothing: 0 } })).runs;
  expect(written).toEqual(before);
  expect(zero).toEqual(before);
});

it('any other loss is part of the run and of its id', async () => {
  const [before] = (await soundPlan()).runs;
  const [smoothed] = (await soundPlan({ loss: { name: 'cross-entropy', labelSmoothing: 0.1 } })).runs;
  expect(smoothed?.id).not.toBe(before?.id);
  expect(smoothed?.config.loss).toEqual({ name: 'cross-entropy', classWeights: null, labelSmoothing: 0.1 });
  expect(smoothed?.versions.loss).toBe(1);
});

it('a sweep varies the loss by its paths, and shows the default beside the others', async () => {
  const names = await soundPlan({ sweep: { axes: { 'loss.name': ['cross-entropy', 'focal'] } } });
  expect(names.runs.map(({ varying }) => varying)).toEqual([
    { 'loss.name': 'cross-entropy' },
    { 'loss.name': 'focal' },
  ]);
  expect(names.runs[0]?.id).toBe((await soundPlan()).runs[0]?.id);
  const gammas = await soundPlan({ loss: { name: 'focal' }, sweep: { axes: { 'loss.gamma': [1, 2] } } });
  expect(gammas.runs.map(({ config }) => config.loss?.['gamma'])).toEqual([1, 2]);
  const whole = { loss: [{ name: 'cross-entropy' }, { name: 'focal', gamma: 3 }] };
  expect((await soundPlan({ sweep: { axes: whole } })).runs).toHaveLength(2);
});
