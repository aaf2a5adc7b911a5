import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/system/package-root.ts';
import { childrenOf } from '../support/children.ts';
import { createRig, until } from '../support/rig.ts';
import { smallSpec } from '../support/small-sweep.ts';

const onLinux = test.runIf(process.platform === 'linux');
const namespaces = test.runIf(process.platform === 'linux' && process.getuid?.() === 0);
const spec = smallSpec({ steps: 400, train: 'checkpointEvery: 20', run: 'concurrency: 1, threadsPerRun: 1' });
const longAgo = new Date(Date.now() - 3_600_000);

const undisturbed = async () => {
  const rig = createRig();
  rig.write('spec.yaml', spec);
  expect((await rig.unroll('run', 'spec.yaml', '--quiet')).code).toBe(0);
  const [id = ''] = rig.runIds('trial');
  return { id, metrics: rig.metrics('trial', id) };
};

namespaces.each([
  ['--uts', 'a machine with another name'],
  ['--pid --fork --mount-proc --uts --kill-child=SIGKILL', 'another container'],
])('a run of a process that was killed under unshare %s, %s, is continued', async (options) => {
  const { id, metrics } = await undisturbed();
  const rig = createRig();
  rig.write('spec.yaml', spec);
  const command = `hostname elsewhere && exec ${process.execPath} ${join(packageRoot, 'bin', 'unroll.js')} run spec.yaml --quiet`;
  const elsewhere = spawn('unshare', [...options.split(' '), 'sh', '-c', command], { cwd: rig.directory });
  const ended = new Promise((resolve) => elsewhere.on('close', resolve));
  await until(() => rig.lineCount('trial', id) > 30);
  elsewhere.kill('SIGKILL');
  await ended;
  // As if the lease had passed since.
  for (const name of ['lock', 'writer']) {
    const path = rig.runPath('trial', id, name);
    if (options.includes('--pid')) utimesSync(path, longAgo, longAgo);
  }

  const { code, stdout, stderr } = await rig.unroll('run', 'spec.yaml', '--quiet');

  expect(stdout + stderr).not.toContain('bug');
  expect(code).toBe(0);
  expect(rig.metrics('trial', id)).toEqual(metrics);
});

onLinux('a process that was stopped for longer than its lease writes nothing when it wakes up', async () => {
  const { id, metrics } = await undisturbed();
  const leaseMs = 2000;
  const rig = createRig({ UNROLL_LEASE_MS: String(leaseMs) });
  rig.write('spec.yaml', spec);
  const stopped = rig.start('run', 'spec.yaml', '--quiet');
  await until(() => rig.lineCount('trial', id) > 30);
  const parent = stopped.process.pid ?? 0;
  const child = childrenOf(parent)[0] ?? expect.fail('it has no child');
  process.kill(parent, 'SIGSTOP');
  process.kill(child, 'SIGSTOP');
  for (const name of ['lock', 'writer'])
    await until(() => Date.now() - statSync(rig.runPath('trial', id, name)).mtimeMs > leaseMs);

  expect((await rig.unroll('run', 'spec.yaml', '--quiet')).code).toBe(0);
  expect(rig.metrics('trial', id)).toEqual(metrics);
  const files = ['metrics.jsonl', 'status.json', 'log.txt'].map((name) => rig.runPath('trial', id, name));
  const before = files.map((path) => readFileSync(path, 'utf8'));
  process.kill(child, 'SIGCONT');
  process.kill(parent, 'SIGCONT');
  await stopped.finished;
  await until(() => !existsSync(`/proc/${child}`));

  expect(files.map((path) => readFileSync(path, 'utf8'))).toEqual(before);
});
