import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { testSeed } from '../support/seed.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { metricsIn, toyRun, trainUntil } from '../support/toy-training.ts';

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

const trains = [
  '',
  ', bucketing: true',
  ', earlyStopping: { patience: 2, minDelta: 0.02 }, precision: bfloat16',
  ', shuffle: false, lastBatch: wrap',
];

/** Each model and each optimizer once; the slow part is what reaches the disk. */
const chosen = models.map((model, at) => ({
  model,
  optimizer: optimizers[at] ?? '',
  train: trains[at % trains.length] ?? '',
}));

test.each(chosen)(
  'killed at any moments and resumed, a run ends as if never killed: $model',
  async (sections) => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 3 }),
        async (every, moments) => {
          const folder = temporaryDirectory();
          const train = `steps: ${steps}, evaluateEvery: 4, checkpointEvery: ${every}${sections.train}`;
          const run = await toyRun(folder, { ...sections, train });
          const calm = join(folder, 'calm', run.id);
          const disturbed = join(folder, 'disturbed', run.id);
          const end = await trainUntil(run, calm, Infinity);
          expect(end.reason).toBe('completed');
          for (const moment of moments) await trainUntil(run, disturbed, moment);
          const again = await trainUntil(run, disturbed, Infinity);
          expect(again.reason).toBe('completed');
          expect(again.step).toBe(end.step);
          expect(metricsIn(disturbed)).toEqual(metricsIn(calm));
          expect(readFileSync(join(disturbed, 'log.txt'), 'utf8')).not.toContain('warning:');
        },
      ),
      { numRuns: 1, seed: testSeed + chosen.indexOf(sections) },
    );
  },
);
