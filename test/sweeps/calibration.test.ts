import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { Kept } from '../../src/runner/calibration/kept.ts';
import type { Execution } from '../../src/language/config.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { expectedKernels } from '../../src/tensorflow/expected-kernels.ts';
import { freshCache } from '../support/cache.ts';
import { createRig, until, type Rig } from '../support/rig.ts';
import { smallSpec } from '../support/small-sweep.ts';

// Real sweeps, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 240_000 });

const isNative = expectedKernels().length > 0;
const why = isNative ? '' : ' (left out: native TensorFlow is not set up)';

const sweepFiles = (rig: Rig): string[] => {
  const folder = join(rig.directory, 'runs', 'trial', 'sweeps');
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
};

const frozen = (rig: Rig, file = 0): Execution =>
  (JSON.parse(readFileSync(sweepFiles(rig)[file] ?? '', 'utf8')) as Plan).execution;

const kernelsOf = (rig: Rig): string[] =>
  rig
    .runIds('trial')
    .map(
      (id) =>
        (JSON.parse(readFileSync(rig.runPath('trial', id, 'environment.json'), 'utf8')) as { kernel: string })
          .kernel,
    );

const withKernel = (kernel: string) => (kept: Kept) => ({
  ...kept,
  kernels: Object.fromEntries(Object.entries(kept.kernels).map(([key, one]) => [key, { ...one, kernel }])),
});

test.skipIf(!isNative)(`a kernel is measured once, then kept, and frozen with each plan${why}`, async () => {
  const cache = freshCache();
  const measuring = 'measuring once which kernel is the fastest';
  const rig = createRig({ UNROLL_CACHE: cache.path });
  const spec = (seeds: string) =>
    smallSpec({ steps: 200, run: 'threadsPerRun: 1' }).replace('seeds: 1', `seeds: ${seeds}`);

  rig.write('spec.yaml', spec('[1, 2, 3]'));
  expect((await rig.unroll('plan', 'spec.yaml')).stdout).toContain('(measured when the sweep begins)');
  const first = await rig.unroll('run', 'spec.yaml', '--limit', '1');
  expect(first.stdout).toContain(measuring);
  const [[key, choice] = ['', undefined]] = Object.entries(cache.kept().kernels);
  expect(key).toBe('lstm 8; batch 16, 16+ steps of 1 features, of varying length; 1 thread');
  expect(Object.keys(choice?.msPerStep ?? {})).toEqual(
    expectedKernels().filter((name) => name.endsWith('lstm')),
  );
  expect(kernelsOf(rig)).toEqual([choice?.kernel]);
  expect(Object.values(frozen(rig).kernels ?? {})).toEqual([choice?.kernel]);

  // Nothing but the cache can make a process take a kernel that is not its default.
  cache.change(withKernel('block-lstm'));
  const other = createRig({ UNROLL_CACHE: cache.path });
  other.write('spec.yaml', spec('[4, 5, 6, 7]'));
  expect((await other.unroll('plan', 'spec.yaml')).stdout).toContain(
    'kernel block-lstm (the fastest when it was measured)',
  );
  const kept = await other.unroll('run', 'spec.yaml', '--limit', '1');
  expect(kept.stdout).not.toContain(measuring);
  expect(kernelsOf(other)).toEqual(['block-lstm']);

  cache.change(withKernel('composed-lstm'));
  for (const words of [['resume'], ['run', 'spec.yaml', '--concurrency', '1']]) {
    const { stdout } = await other.unroll(...words, '--limit', '1');
    expect(stdout).not.toContain(measuring);
  }
  expect(kernelsOf(other)).toEqual(['block-lstm', 'block-lstm', 'block-lstm']);
  expect((await other.unroll('plan', 'spec.yaml')).stdout).toContain(
    'kernel block-lstm (frozen with the plan)',
  );

  cache.change((before) => ({ ...before, runnable: ['fused-lstm', 'composed-lstm'] }));
  const lost = await other.unroll('resume');
  expect(lost.code).toBe(2);
  expect(lost.stderr).toMatch(
    /\[backend-missing\] .*begun with the kernel block-lstm, which cannot run here/,
  );
  expect(other.runIds('trial')).toHaveLength(3);
});

test.skipIf(!isNative || availableParallelism() < 2)(
  `the threads of long runs are measured once, then kept, and frozen with each plan${why}`,
  async () => {
    const cache = freshCache();
    const begin = async (seeds: string) => {
      const rig = createRig({ UNROLL_CACHE: cache.path });
      const spec = smallSpec({ steps: 30_000_000, more: '' }).replace('seeds: 1', `seeds: ${seeds}`);
      rig.write('spec.yaml', spec.replace('hiddenSize: 8', 'hiddenSize: 32'));
      const shown = await rig.unroll('plan', 'spec.yaml');
      const started = rig.start('run', 'spec.yaml');
      await until(() => rig.runIds('trial').some((id) => rig.lineCount('trial', id) > 2));
      started.process.kill('SIGINT');
      const { stdout } = await started.finished;
      return { shown: shown.stdout, stdout, execution: frozen(rig) };
    };
    const measured = await begin('[1, 2]');
    expect(measured.shown).toMatch(/when the sweep begins, a measurement chooses from \d+, \d+/);
    expect(measured.stdout).toContain('measuring once whether runs of');
    const [[key, choice] = ['', undefined]] = Object.entries(cache.kept().threads);
    expect(measured.execution.threadsPerRun).toBe(choice?.threads);
    expect(measured.execution).not.toHaveProperty('automatic');
    const rates = Object.entries(choice?.stepsPerSecond ?? {});
    expect(rates.length).toBeGreaterThan(1);
    for (const [, rate] of rates) expect(rate).toBeGreaterThan(0);

    const other = rates.map(([threads]) => Number(threads)).find((threads) => threads !== choice?.threads);
    cache.change((kept) => ({
      ...kept,
      threads: { [key]: { threads: other ?? 0, stepsPerSecond: {} } },
    }));
    const again = await begin('[3, 4]');
    expect(again.shown).not.toContain('a measurement chooses');
    expect(again.stdout).not.toContain('measuring once whether');
    expect(again.execution.threadsPerRun).toBe(other);
  },
);
