import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startStopwatch } from '../../src/training/stopwatch.ts';
import { phases, type ProfileFile } from '../../src/record/run-files.ts';
import { createRig } from '../support/rig.ts';

const busy = (ms: number) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

test('each moment is in one phase, and the phases add up', () => {
  const began = performance.now();
  const stopwatch = startStopwatch();
  expect(stopwatch.enter('forward')).toBe('waiting');
  busy(5);
  expect(stopwatch.enter('recording')).toBe('forward');
  busy(3);
  stopwatch.enter('forward');
  const ms = stopwatch.ms();
  const total = phases.reduce((sum, phase) => sum + ms[phase], 0);
  expect(ms.forward).toBeGreaterThanOrEqual(5);
  expect(ms.recording).toBeGreaterThanOrEqual(3);
  expect(ms.backward).toBe(0);
  expect(total).toBeLessThanOrEqual(performance.now() - began);
  expect(total).toBeGreaterThanOrEqual(8);
});

test('a sweep tells where its time went: with each run, in a table and as JSON; unasked, nothing is recorded', async () => {
  const rig = createRig();
  rig.write(
    'spec.yaml',
    `version: 1
name: trial
dataset: { name: toy-sequences, trainSize: 100, testSize: 50 }
model: { name: lstm, hiddenSize: 8 }
optimizer: { name: adam }
train: { batchSize: 20, steps: 5, displayEvery: 1 }
objective: { metric: test/accuracy, goal: maximize }
seeds: [1, 2]
`,
  );
  const { code, stdout } = await rig.unroll('run', 'spec.yaml', '--profile', '--json');
  expect(code).toBe(0);
  const { profile, trained } = JSON.parse(stdout) as {
    profile: { ms: ProfileFile['ms']; wallMs: number; withoutRunMs: number; runs: ProfileFile[] };
    trained: string[];
  };
  expect(profile.runs).toHaveLength(2);
  for (const phase of phases) {
    const sum = profile.runs.reduce((total, { ms }) => total + ms[phase], 0);
    expect(profile.ms[phase]).toBeCloseTo(sum, 9);
    if (phase !== 'waiting') expect(sum).toBeGreaterThan(0);
  }
  const path = join(rig.directory, 'runs', 'trial', trained[0] ?? '', 'profile.json');
  const recorded = JSON.parse(readFileSync(path, 'utf8')) as ProfileFile;
  expect(recorded).toMatchObject({ attempt: 1, steps: 5, ms: profile.runs[0]?.ms });

  const again = await rig.unroll('run', 'spec.yaml', '--profile', '--force', '--quiet');
  expect(again.stdout).toContain('all 2 runs');
  await rig.unroll('run', 'spec.yaml', '--force', '--quiet');
  expect(() => readFileSync(path)).toThrow();
});
