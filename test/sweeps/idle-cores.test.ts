import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { createRig, until, type Rig } from '../support/rig.ts';
import { smallSpec } from '../support/small-sweep.ts';

// Real sweeps, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 240_000 });

/** Threads of our kernels beside the one that calls them; none where the process is gone. */
const kernelThreads = (pid: number): number => {
  const tasks = `/proc/${pid}/task`;
  try {
    const names = readdirSync(tasks).map((task) => readFileSync(`${tasks}/${task}/comm`, 'utf8').trim());
    return names.filter((name) => name === 'unroll-kernels').length;
  } catch {
    return 0;
  }
};

/** A short run and one of as many steps as given. */
const sweep = (rig: Rig, steps: number) =>
  rig.write(
    'spec.yaml',
    smallSpec({ steps: 5, run: 'threadsPerRun: 1', more: `sweep: { axes: { train.steps: [5, ${steps}] } }` }),
  );

test.skipIf(!existsSync('/proc/self/task'))(
  'the run that is left at the end computes on the core of the other, too, and to the same bits',
  async () => {
    const rig = createRig();
    sweep(rig, 3000);
    const { stdout } = await rig.unroll('plan', 'spec.yaml', '--json');
    const [, long = ''] = (JSON.parse(stdout) as { runs: { id: string }[] }).runs.map(({ id }) => id);
    const started = rig.start('run', 'spec.yaml', '--concurrency', '2');
    const pid = () => rig.status('trial', long).holder?.pid ?? 0;
    await until(() => rig.runIds('trial').includes(long) && rig.lineCount('trial', long) > 0);
    await until(() => kernelThreads(pid()) === 1);
    expect((await started.finished).code).toBe(0);

    const alone = createRig();
    sweep(alone, 3000);
    expect((await alone.unroll('run', 'spec.yaml', '--concurrency', '1')).code).toBe(0);
    expect(rig.metrics('trial', long)).toEqual(alone.metrics('trial', long));
  },
);
