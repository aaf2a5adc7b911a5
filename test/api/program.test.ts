import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compare, defineExperiment, plan, run, UnrollError, type RunEvent } from 'unroll-ml';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const experiment = defineExperiment({
  name: 'program',
  dataset: { name: 'toy-sequences', trainSize: 200, testSize: 50 },
  model: { name: 'lstm' },
  optimizer: { name: 'adam', learningRate: 0.01 },
  train: { steps: 20, batchSize: 16 },
  sweep: { axes: { 'model.hiddenSize': [4, 8] } },
});

it('plans, trains what is missing with events, and compares', async () => {
  const runsDirectory = join(temporaryDirectory(), 'runs');
  const planned = await plan(experiment);
  expect(planned.runs.map(({ varying }) => varying)).toEqual([
    { 'model.hiddenSize': 4 },
    { 'model.hiddenSize': 8 },
  ]);

  const events: RunEvent[] = [];
  const settings = { runsDirectory, mlflow: false, listener: (event: RunEvent) => void events.push(event) };
  const result = await run(planned, settings);
  expect(result.trained).toEqual(planned.runs.map(({ id }) => id));
  expect(Object.values(result.outcomes).map(({ reason }) => reason)).toEqual(['completed', 'completed']);
  expect(events[0]?.type).toBe('sweep-started');
  expect(events.at(-1)?.type).toBe('sweep-ended');
  expect(events.filter(({ type }) => type === 'run-ended')).toHaveLength(2);

  expect((await run(experiment, settings)).trained, 'nothing is missing').toEqual([]);
  const comparison = await compare('program', { runsDirectory, filter: ['model.hiddenSize>=8'] });
  const wider = planned.runs.find(({ varying }) => varying['model.hiddenSize'] === 8);
  expect(comparison.configurations.flatMap(({ runs }) => runs.map(({ id }) => id))).toEqual([wider?.id]);
});

it('ends in order when its signal is aborted, and goes on from there', async () => {
  const runsDirectory = join(temporaryDirectory(), 'runs');
  const long = { ...experiment, sweep: {}, train: { steps: 3000, batchSize: 16 } };
  const abort = new AbortController();
  const stopped = await run(long, {
    runsDirectory,
    mlflow: false,
    signal: abort.signal,
    listener: (event) => {
      if (event.type === 'run-progressed' && event.event.type === 'step-logged') abort.abort();
    },
  });
  const [outcome] = Object.values(stopped.outcomes);
  expect(outcome?.reason).toBe('interrupted');
  expect(outcome?.step).toBeGreaterThan(0);
  expect(outcome?.step).toBeLessThan(3000);
});

it('throws what the caller can fix as one error with its diagnostics', async () => {
  const wrong = { ...experiment, model: { name: 'lstm', hiddenSize: -1 } as const, sweep: {} };
  const error = await plan(wrong).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UnrollError);
  expect((error as UnrollError).diagnostics.map(({ code }) => code)).toEqual(['out-of-range']);
  expect((error as UnrollError).message).toContain('expected: a whole number from 1 to 16384');
  await expect(compare('nothing', { runsDirectory: temporaryDirectory() })).rejects.toThrow(
    'No sweep is recorded in ',
  );
});
