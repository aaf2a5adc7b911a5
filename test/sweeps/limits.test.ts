import { expect, test, vi } from 'vitest';
import { createRig, until, type Rig } from '../support/rig.ts';
import { smallSpec } from '../support/small-sweep.ts';

// Real sweeps, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 240_000 });

const reasons = (rig: Rig) =>
  rig.runIds('trial').map((id) => rig.status('trial', id).outcome?.reason ?? 'none');

const killFirst = async (rig: Rig) => {
  const id = () => rig.runIds('trial')[0] ?? '';
  await until(() => id() !== '' && rig.lineCount('trial', id()) > 20);
  process.kill(rig.status('trial', id()).holder?.pid ?? 0, 'SIGKILL');
};

test('a crash is tried again only where the reasons of retries hold it', async () => {
  const attempts = async (on: string) => {
    const rig = createRig();
    rig.write('spec.yaml', smallSpec({ steps: 600, run: `retries: { count: 1, on: [${on}] }` }));
    const started = rig.start('run', 'spec.yaml');
    await killFirst(rig);
    const { code } = await started.finished;
    return [code, rig.status('trial', rig.runIds('trial')[0] ?? '').attempt, ...reasons(rig)];
  };
  expect(await attempts('out-of-memory')).toEqual([1, 1, 'crashed']);
  expect(await attempts('crashed')).toEqual([0, 2, 'completed']);
});

test('a budget of runs holds over all calls', async () => {
  const rig = createRig();
  rig.write('spec.yaml', smallSpec({ steps: 3, seeds: 4, run: 'budget: { runs: 3 }' }));
  const plan = JSON.parse((await rig.unroll('plan', 'spec.yaml', '--json')).stdout) as {
    runs: { toTrain: boolean }[];
  };
  expect(plan.runs.map(({ toTrain }) => toTrain)).toEqual([true, true, true, false]);
  for (let call = 0; call < 2; call++) {
    expect((await rig.unroll('run', 'spec.yaml')).code).toBe(0);
    expect(reasons(rig)).toEqual(['completed', 'completed', 'completed']);
  }
});

test('a budget of time ends running runs with a checkpoint, and the next call goes on', async () => {
  const rig = createRig();
  rig.write('spec.yaml', smallSpec({ steps: 1_000_000, seeds: 3, run: 'budget: { time: 4s }' }));
  const { code, stdout } = await rig.unroll('run', 'spec.yaml');
  expect(code).toBe(0);
  expect(stdout).toContain('The budget of 4.0s is spent');
  expect(stdout).toContain('3 of 3 runs are not done');
  expect(new Set(reasons(rig))).toEqual(new Set(['interrupted']));
  const [first = ''] = rig.runIds('trial');
  const before = rig.status('trial', first).outcome?.step ?? 0;
  await rig.unroll('resume');
  expect(rig.status('trial', first).outcome?.step).toBeGreaterThanOrEqual(before);
});

test('a loss above the bound of stopOn ends the run as diverged', async () => {
  const rig = createRig();
  rig.write('spec.yaml', smallSpec({ steps: 50, train: 'stopOn: { lossAbove: 0.001 }' }));
  const { code, stdout } = await rig.unroll('run', 'spec.yaml');
  expect(code).toBe(1);
  expect(reasons(rig)).toEqual(['diverged']);
  expect(stdout).toMatch(/the loss became [\d.]+ at step 1, above the bound of 0.001/);
});

test('a time limit of a month does not end a run at once', async () => {
  const rig = createRig();
  rig.write('spec.yaml', smallSpec({ steps: 20, run: 'timeout: 720h' }));
  const { code, stderr } = await rig.unroll('run', 'spec.yaml');
  expect(code, stderr).toBe(0);
  expect(reasons(rig)).toEqual(['completed']);
});
