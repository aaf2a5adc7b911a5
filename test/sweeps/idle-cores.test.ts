import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { run } from '../../src/api/run.ts';
import { shareOut } from '../../src/executor/local/pool.ts';
import { planExperiment } from '../../src/plan/plan-experiment.ts';
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

test.skipIf(!existsSync('/proc/self/task'))(
  'a core that cannot be divided among the runs is lent to the first of them from the start',
  async () => {
    const rig = createRig();
    rig.write('spec.yaml', smallSpec({ steps: 3000, seeds: 2 }));
    const plan = await planExperiment(join(rig.directory, 'spec.yaml'), { cores: 3 });
    if (!plan.ok) throw new Error('the spec is wrong');
    const ids = plan.value.runs.map(({ id }) => id);
    const pids = () => ids.map((id) => rig.status('trial', id).holder?.pid ?? 0);
    const stop = new AbortController();
    const runsDirectory = join(rig.directory, 'runs');
    const ended = run(plan.value, { runsDirectory, mlflow: false, signal: stop.signal });
    await until(() => ids.every((id) => rig.runIds('trial').includes(id) && rig.lineCount('trial', id) > 0));
    await until(() => pids().map(kernelThreads).join() === '1,0');
    stop.abort();
    await ended;
  },
);

describe('threads shared out', () => {
  test.each([
    [4, 3, [2, 1, 1]],
    [5, 5, [1, 1, 1, 1, 1]],
    [8, 3, [3, 3, 2]],
    [2, 3, [1, 1, 0]],
  ])('%i among %i processes', (total, processes, shares) => {
    expect(shareOut(total, processes)).toEqual(shares);
  });
});
