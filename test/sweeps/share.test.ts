import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { processIdentity } from '../../src/system/process-identity.ts';
import { createRig, until, type Rig } from '../support/rig.ts';
import { smallSpec } from '../support/small-sweep.ts';

// Real sweeps, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 240_000 });

const stepsOf = (rig: Rig, id: string) =>
  rig
    .metrics('trial', id)
    .filter(({ metrics }) => 'train/loss' in metrics)
    .map(({ step }) => step);

const upTo = (steps: number) => Array.from({ length: steps }, (_, index) => index + 1);

test('two processes share a sweep: each run is trained once, and both know all results', async () => {
  const rig = createRig();
  rig.write('spec.yaml', smallSpec({ steps: 150, hiddenSizes: [4, 6, 8], seeds: 2, run: 'concurrency: 1' }));
  const [one, two] = await Promise.all([rig.unroll('run', 'spec.yaml'), rig.unroll('run', 'spec.yaml')]);
  expect([one.code, two.code]).toEqual([0, 0]);
  for (const { stdout } of [one, two]) expect(stdout).toContain('3 configurations, 2 seeds; 6 done');
  expect(one.stdout + two.stdout).toMatch(/being trained by process \d+ on/);
  const ids = rig.runIds('trial');
  expect(ids).toHaveLength(6);
  for (const id of ids) {
    expect(rig.status('trial', id)).toMatchObject({ attempt: 1, outcome: { reason: 'completed' } });
    expect(stepsOf(rig, id)).toEqual(upTo(150));
    const left = readdirSync(rig.runPath('trial', id)).filter((name) => /lock|writer|tmp/.test(name));
    expect(left).toEqual([]);
  }
});

test('what a process gives up undone, the other one takes up', async () => {
  const rig = createRig();
  rig.write('spec.yaml', smallSpec({ steps: 2500 }));
  const first = rig.start('run', 'spec.yaml');
  const id = () => rig.runIds('trial')[0] ?? '';
  await until(() => id() !== '' && rig.lineCount('trial', id()) > 20);
  const second = rig.start('run', 'spec.yaml');
  let heard = '';
  second.process.stdout?.on('data', (text: string) => (heard += text));
  await until(() => heard.includes('being trained by process'));
  first.process.kill('SIGINT');
  expect((await first.finished).code).toBe(130);
  expect((await second.finished).code).toBe(0);
  expect(rig.status('trial', id())).toMatchObject({ attempt: 2, outcome: { reason: 'completed' } });
  expect(stepsOf(rig, id())).toEqual(upTo(2500));
});

test('a lock of a dead process is taken over, and one of another host once its lease is over', async () => {
  const rig = createRig();
  rig.write('spec.yaml', smallSpec({ steps: 3, seeds: 2 }));
  const planned = JSON.parse((await rig.unroll('plan', 'spec.yaml', '--json')).stdout) as {
    runs: { id: string }[];
  };
  const [dead = '', foreign = ''] = planned.runs.map((run) => run.id);
  const hold = (id: string, holder: object) => {
    mkdirSync(rig.runPath('trial', id), { recursive: true });
    writeFileSync(join(rig.runPath('trial', id), 'lock'), JSON.stringify(holder));
  };
  hold(dead, { ...processIdentity(), pid: spawnSync('true').pid, processStartedAt: 1 });
  hold(foreign, { host: 'far-away', pid: 7, processStartedAt: 1 });
  utimesSync(rig.runPath('trial', foreign, 'lock'), 0, 0);
  const { code, stderr } = await rig.unroll('run', 'spec.yaml');
  expect(code, stderr).toBe(0);
  for (const id of [dead, foreign]) expect(rig.status('trial', id).outcome?.reason).toBe('completed');
});
