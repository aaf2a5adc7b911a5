import { expect, test, vi } from 'vitest';
import { acquireLock } from '../../src/system/lock.ts';
import { createRig, until } from '../support/rig.ts';
import { smallSpec } from '../support/small-sweep.ts';

// Real sweeps, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 240_000 });

test('a part of a sweep counts what is left out, and resume takes --concurrency', async () => {
  const rig = createRig();
  rig.write('spec.yaml', smallSpec({ steps: 2, seeds: 4, run: 'concurrency: 2, threadsPerRun: 1' }));
  const part = await rig.unroll('run', 'spec.yaml', '--only', 'seed==1');
  expect(part.stdout).toContain('4 runs, 3 left out; 2 at a time');
  expect(part.stdout).toMatch(/4 runs: 1 done, 3 left out in /);

  const tooMany = await rig.unroll('resume', '--concurrency', '4096');
  expect(tooMany.code).toBe(2);
  expect(tooMany.stderr).toContain('--concurrency 4096\n');
  expect(tooMany.stderr).toContain('4096 x 1 = 4096');

  const one = await rig.unroll('resume', '--concurrency', '1', '--limit', '2');
  expect(one.stdout).toContain('4 runs, 1 of them recorded before, 1 left out; 1 at a time');
  expect(one.stdout).toMatch(/4 runs: 1 recorded before, 2 done, 1 left out in /);

  const rest = await rig.unroll('resume', '--quiet');
  expect(rest.stdout).toContain('4 done');
  expect(rest.stdout).not.toContain('runs/');
});

test('a run starts only when the process that still writes it has stopped', async () => {
  const rig = createRig();
  rig.write('spec.yaml', smallSpec({ steps: 2 }));
  const { code } = await rig.unroll('run', 'spec.yaml');
  expect(code).toBe(0);
  const [id = expect.fail()] = rig.runIds('trial');
  const writer = acquireLock(rig.runPath('trial', id, 'writer'));
  if ('heldBy' in writer) expect.fail();

  const again = rig.start('run', 'spec.yaml', '--force');
  let printed = '';
  again.process.stdout?.on('data', (text: string) => (printed += text));
  await until(() => printed.includes(`Run ${id} waits until process ${process.pid} has stopped`));
  expect(printed).not.toContain('started');
  writer.release();
  expect((await again.finished).stdout).toContain(`started trial (run ${id}, attempt 2)`);
});
