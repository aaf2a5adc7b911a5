import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Run } from '../../src/plan/plan.ts';
import { parseRun } from '../../src/record/parse-run-files.ts';
import { runDirectory } from '../../src/record/run-recorder.ts';
import { weightsFileOf } from '../../src/record/starting-weights.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { metricsIn } from '../support/toy-training.ts';
import { plan, planned, shownOf, train, trained, type Sections } from '../support/trained-runs.ts';

const directoryOf = (folder: string, run: Run) => runDirectory(join(folder, 'runs'), run);

const recordedIn = (folder: string, run: Run): Run => {
  const path = join(directoryOf(folder, run), 'run.json');
  const read = parseRun(path, readFileSync(path, 'utf8'));
  if (!read.ok) throw new Error(read.errors[0]?.message);
  return read.value;
};

const logOf = (folder: string, run: Run) => readFileSync(join(directoryOf(folder, run), 'log.txt'), 'utf8');

test('a run that continues from a shorter one has the bits of one that was trained from the start', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        model: fc.constantFrom(
          'hiddenSize: 5, layers: 2, dropout: 0.3',
          'hiddenSize: 5, recurrentDropout: 0.2',
        ),
        optimizer: fc.constantFrom(
          'name: adamw, weightDecay: 0.1, schedule: { name: exponential, everySteps: 5, warmupSteps: 3 }',
          'name: sgd, momentum: 0.9, nesterov: true, clipNorm: 0.5',
          'name: adadelta',
        ),
        train: fc.constantFrom(
          '',
          'evaluateEvery: 3, keepCheckpoints: best',
          'evaluateEvery: 2, earlyStopping: { patience: 100 }',
          'lastBatch: wrap, freeze: [layer1/forward/bias]',
        ),
      }),
      fc.constantFrom(['epochs: 1', 'epochs: 2.5'], ['steps: 5', 'steps: 9'], [
        'trainingIters: 100',
        'trainingIters: 200',
      ] as const),
      async (sections: Sections, [short = '', long = '']) => {
        const [folder, fresh] = [temporaryDirectory(), temporaryDirectory()];
        const parent = await trained(folder, { ...sections, length: short });
        const run = await trained(folder, { ...sections, length: long });
        const scratch = await trained(fresh, { ...sections, length: long });
        expect(run.continues).toMatchObject({ run: parent.id });
        expect(scratch.continues).toBeUndefined();
        expect(run.id).toBe(scratch.id);
        expect(logOf(folder, run)).toContain(`resumed after step ${run.continues?.step ?? 0}`);
        expect(metricsIn(directoryOf(folder, run))).toEqual(metricsIn(directoryOf(fresh, scratch)));
        expect(readFileSync(weightsFileOf(directoryOf(folder, run)))).toEqual(
          readFileSync(weightsFileOf(directoryOf(fresh, scratch))),
        );
        expect(recordedIn(folder, run).continues).toEqual(run.continues);
      },
    ),
    { numRuns: 6 },
  );
});

test('a killed continuation resumes, and a longer one follows it', async () => {
  const folder = temporaryDirectory();
  await trained(folder, { length: 'epochs: 1' });
  const second = await planned(folder, { length: 'epochs: 2' });
  await train(folder, second, 3);
  expect(await train(folder, second)).toMatchObject({ reason: 'completed', step: 8 });
  const third = await planned(folder, { length: 'epochs: 3' });
  expect(third.continues).toEqual({ run: second.id, step: 8, epoch: 2 });
  await trained(folder, { length: 'epochs: 3' });
  expect(await shownOf(folder, third)).toEqual(
    Array.from({ length: 3 }, () => `continues from ${second.id.slice(0, 8)} at epoch 2`),
  );
  // Planned again, a run keeps what is recorded of it.
  expect((await planned(folder, { length: 'epochs: 2' })).continues).toEqual(
    recordedIn(folder, second).continues,
  );
});

test.each([
  { why: 'the schedule cosine depends on the length', optimizer: 'name: adam, schedule: { name: cosine }' },
  { why: 'the schedule step depends on the length', optimizer: 'name: adam, schedule: { name: step }' },
  { why: 'early stopping ended it', train: 'evaluateEvery: 1, earlyStopping: { patience: 1, minDelta: 9 }' },
  { why: 'its last checkpoint is not there', train: 'keepCheckpoints: none' },
])('a run does not continue where $why', async ({ why, ...sections }) => {
  const folder = temporaryDirectory();
  await trained(folder, sections);
  const { value, notices } = await plan(folder, { ...sections, steps: 12 });
  expect(value.runs[0]?.continues).toBeUndefined();
  expect(notices.map(({ message }) => message)).toEqual([expect.stringContaining(why)]);
});

test('other settings, another seed and a shorter training do not continue', async () => {
  const folder = temporaryDirectory();
  await trained(folder, {});
  for (const sections of [
    { steps: 12, learningRate: 0.04 },
    { steps: 12, more: 'seeds: [2]' },
    { steps: 12, train: 'shuffle: false' },
    { steps: 4 },
  ]) {
    const { value, notices } = await plan(folder, sections);
    expect(value.runs[0]?.continues).toBeUndefined();
    expect(notices).toEqual([]);
  }
});

test('with a damaged checkpoint or on another machine the training starts over, and says so', async () => {
  const folder = temporaryDirectory();
  const parent = await trained(folder, {});
  const run = await planned(folder, { steps: 12 });
  expect(run.continues).toEqual({ run: parent.id, step: 8 });
  const environment = join(directoryOf(folder, parent), 'environment.json');
  const text = readFileSync(environment, 'utf8');
  writeFileSync(environment, text.replace(/"cpu": ".*"/, '"cpu": "another"'));
  const warnings: string[] = [];
  await train(folder, run, Infinity, (message) => warnings.push(message));
  expect(warnings).toEqual([expect.stringContaining('was trained with cpu another')]);
  expect(recordedIn(folder, run).continues).toBeUndefined();
  expect(logOf(folder, run)).toContain('started:');

  rmSync(directoryOf(folder, run), { recursive: true });
  writeFileSync(environment, text.replace(/"ownKernels": ".*"/, '"ownKernels": "0123456789abcdef"'));
  await train(folder, run, Infinity, (message) => warnings.push(message));
  expect(warnings.pop()).toContain('was trained with ownKernels 0123456789abcdef');

  rmSync(directoryOf(folder, run), { recursive: true });
  writeFileSync(environment, text);
  const checkpoint = join(directoryOf(folder, parent), 'checkpoints', 'last.safetensors');
  const bytes = readFileSync(checkpoint);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  writeFileSync(checkpoint, bytes);
  await train(folder, run, Infinity, (message) => warnings.push(message));
  expect(warnings[1]).toContain('its checksum does not match; training starts over');
  expect(recordedIn(folder, run).continues).toBeUndefined();
});

test('keepCheckpoints: none leaves no checkpoint of a run that is done', async () => {
  const folder = temporaryDirectory();
  const kept = await trained(folder, {});
  const none = await trained(folder, { train: 'keepCheckpoints: none, checkpointEvery: 2' });
  expect(existsSync(join(directoryOf(folder, kept), 'checkpoints', 'last.safetensors'))).toBe(true);
  expect(existsSync(join(directoryOf(folder, none), 'checkpoints'))).toBe(false);
});
