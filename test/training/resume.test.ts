import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HostEnvironment } from '../../src/record/environment.ts';
import { trainInDirectory } from '../../src/training/train-in-directory.ts';
import { planExperiment } from '../../src/plan/plan-experiment.ts';
import type { Run } from '../../src/plan/plan.ts';
import type { TrainerEvent } from '../../src/record/events.ts';
import type { MetricLine } from '../../src/record/run-files.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const steps = 24;

const models = [
  'name: lstm, hiddenSize: 5, layers: 2, dropout: 0.3',
  'name: lstm, hiddenSize: 5, recurrentDropout: 0.2, layerNorm: true',
  'name: gru, hiddenSize: 5, bidirectional: true',
  'name: simple-rnn, hiddenSize: 5',
];

const optimizers = [
  'name: sgd, learningRate: 0.05, momentum: 0.9, nesterov: true',
  'name: adam, learningRate: 0.02, schedule: { name: cosine, warmupSteps: 5 }',
  'name: rmsprop, learningRate: 0.01, clipNorm: 1',
  'name: adadelta, learningRate: 1',
];

const trains = ['', ', earlyStopping: { patience: 2, minDelta: 0.02 }', ', shuffle: false, lastBatch: wrap'];

const runOf = async (
  folder: string,
  which: { model: string; optimizer: string; train: string; every: number },
) => {
  const path = join(folder, 'spec.yaml');
  writeFileSync(
    path,
    `version: 1
name: trial
dataset: { name: toy-sequences, trainSize: 60, testSize: 20, validationSize: 20 }
model: { ${which.model} }
optimizer: { ${which.optimizer} }
train: { batchSize: 16, steps: ${steps}, displayEvery: 1, evaluateEvery: 4, checkpointEvery: ${which.every}${which.train} }
`,
  );
  const plan = await planExperiment(path, { cores: 1 });
  if (!plan.ok) throw new Error(plan.errors.map(({ message }) => message).join(' '));
  return plan.value.runs[0] ?? expect.fail();
};

class Killed extends Error {}

/** Trains in a directory; dies without a word after so many events. */
const trainUntil = async (run: Run, directory: string, events: number) => {
  let heard = 0;
  const listen = (event: TrainerEvent) => {
    if (event.type !== 'training-ended' && ++heard === events) throw new Killed('killed');
  };
  return await trainInDirectory(
    {
      type: 'train',
      run,
      attempt: 1,
      fromTheStart: false,
      pauseAt: null,
      profile: false,
      directory,
      baseDirectory: directory,
      environment: {} as HostEnvironment,
      threads: 1,
    },
    { listen, stopRequested: () => undefined },
  );
};

const metricsIn = (directory: string) =>
  readFileSync(join(directory, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { step, metrics } = JSON.parse(line) as MetricLine;
      return { step, metrics };
    });

test('killed at any moments and resumed, a run has the metrics of one that was never killed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        model: fc.constantFrom(...models),
        optimizer: fc.constantFrom(...optimizers),
        train: fc.constantFrom(...trains),
        every: fc.integer({ min: 1, max: 9 }),
      }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 3 }),
      async (which, moments) => {
        const folder = temporaryDirectory();
        const run = await runOf(folder, which);
        const calm = join(folder, 'calm', run.id);
        const disturbed = join(folder, 'disturbed', run.id);
        const end = await trainUntil(run, calm, Infinity);
        expect(end.reason).toBe('completed');
        for (const moment of moments) await trainUntil(run, disturbed, moment);
        const again = await trainUntil(run, disturbed, Infinity);
        expect(again.reason).toBe('completed');
        expect(again.step).toBe(end.step);
        expect(metricsIn(disturbed)).toEqual(metricsIn(calm));
        expect(readFileSync(join(disturbed, 'log.txt'), 'utf8')).not.toContain('recorded before');
      },
    ),
    { numRuns: 8 },
  );
});
