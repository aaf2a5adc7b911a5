import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isShown } from '../../src/metrics/metrics.ts';
import { writeRunPlots } from '../../src/report/run-plots.ts';
import { writeJson } from '../../src/system/files.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { metricsIn, toyRun, trainUntil } from '../support/toy-training.ts';

const train = async (schedule: string, more = '') => {
  const folder = temporaryDirectory();
  const run = await toyRun(folder, {
    model: 'name: simple-rnn, hiddenSize: 3',
    optimizer: `name: sgd, learningRate: 0.08${schedule}`,
    train: `steps: 8${more}`,
  });
  const directory = join(folder, run.id);
  const outcome = await trainUntil(run, directory, Infinity);
  return { run, directory, outcome };
};

const ratesIn = (directory: string) =>
  metricsIn(directory).flatMap(({ step, metrics }) =>
    metrics['train/learningRate'] === undefined ? [] : [{ step, rate: metrics['train/learningRate'] }],
  );

/** The rates of the updates 2, 4, 6 and 8, by hand. */
test.each([
  [', schedule: { warmupSteps: 4 }', [0.04, 0.08, 0.08, 0.08]],
  [', schedule: { name: step, everySteps: 3, factor: 0.5 }', [0.08, 0.04, 0.04, 0.02]],
  [', schedule: { name: exponential, everySteps: 1, factor: 0.5 }', [0.04, 0.01, 0.0025, 0.000625]],
  // Evaluated after 2, 4, 6 and 8 steps; never better than at first.
  [', schedule: { name: plateau, patience: 1, factor: 0.5, minDelta: 1000 }', [0.08, 0.08, 0.04, 0.02]],
] as const)('is recorded with the displayed steps where it changes: %s', async (schedule, rates) => {
  const { directory, outcome } = await train(schedule, ', evaluateEvery: 2');
  const found = ratesIn(directory);
  expect(found.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(found.filter(({ step }) => step % 2 === 0).map(({ rate }) => rate)).toEqual(rates);
  expect(outcome.metrics['train/learningRate']).toBe(rates[3]);
});

test.each(['', ', schedule: { name: constant }'])(
  'is not recorded where it is constant: "%s"',
  async (schedule) => {
    const { directory, outcome } = await train(schedule);
    expect(ratesIn(directory)).toEqual([]);
    expect(outcome.metrics).not.toHaveProperty('train/learningRate');
  },
);

test('is drawn with the run', async () => {
  const { run, directory } = await train(', schedule: { warmupSteps: 4 }');
  writeJson(join(directory, 'run.json'), run);
  await writeRunPlots(directory);
  expect(existsSync(join(directory, 'plots', 'learningRate.svg'))).toBe(true);
});

test('is in no table by default, since none of its values is a better one', () => {
  expect(isShown('train/learningRate')).toBe(false);
  expect(isShown('train/loss')).toBe(true);
});
