import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { freshCache } from '../../support/cache.ts';
import { takePlans } from '../../support/take-plans.ts';
import { createRig, until, type Rig } from '../../support/rig.ts';
import { noSlurm, testCluster, type Cluster } from '../../support/slurm.ts';
import { firstDiverges, smallSpec } from '../../support/small-sweep.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const reason = noSlurm;

const fiveMinutes = { timeout: 300_000 };
const tenMinutes = { timeout: 600_000 };

/** The same spec in a folder of this machine, and in one of the cluster. */
const twoRigs = (cluster: Cluster, spec: string) => {
  const here = createRig();
  const there = createRig(cluster.environment, temporaryDirectory('slurm-runs'));
  for (const rig of [here, there]) rig.write('spec.yaml', spec);
  return { here, there };
};

/** Trains on this machine what the cluster has trained, with its plan. */
const trainHere = async (here: Rig, there: Rig): Promise<void> => {
  takePlans(here, there);
  expect((await here.unroll('run', 'spec.yaml', '--no-mlflow')).code).toBe(0);
};

const onSlurm = ['--no-mlflow', '--executor', 'slurm'];

const expectSameRuns = (here: Rig, there: Rig, count: number) => {
  const ids = here.runIds('trial');
  expect(ids).toHaveLength(count);
  expect(there.runIds('trial')).toEqual(ids);
  for (const id of ids) {
    expect(there.status('trial', id).outcome?.reason).toBe(here.status('trial', id).outcome?.reason);
    expect(there.metrics('trial', id)).toEqual(here.metrics('trial', id));
  }
};

describe.skipIf(reason !== undefined)(
  `on a cluster of two nodes${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    const cluster = testCluster();

    it('packs 40 runs into 4 jobs, with the bits of this machine', fiveMinutes, async () => {
      const { here, there } = twoRigs(
        cluster(),
        smallSpec({
          steps: 30,
          hiddenSizes: [4, 5, 6, 7, 8, 9, 10, 12],
          seeds: 5,
          run: 'threadsPerRun: 1, slurm: { time: 10m, memory: 1500M, runsPerJob: 10 }',
        }),
      );
      const remote = await there.unroll('run', 'spec.yaml', ...onSlurm);
      expect(remote.stdout).toContain('40 runs in 4 tasks');
      expect(remote.code).toBe(0);
      await trainHere(here, there);
      expectSameRuns(here, there, 40);
    });

    it(
      'cancels a sweep, which writes checkpoints, and resumes it to the same bits',
      fiveMinutes,
      async () => {
        const { here, there } = twoRigs(
          cluster(),
          smallSpec({
            steps: 3000,
            seeds: 6,
            run: 'threadsPerRun: 1, slurm: { time: 10m, memory: 1500M, runsPerJob: 1 }',
          }),
        );
        const started = there.start('run', 'spec.yaml', ...onSlurm);
        await until(() => there.runIds('trial').some((id) => there.lineCount('trial', id) > 20));
        const cancelled = await there.unroll('cancel');
        expect(cancelled.stdout).toContain('Cancelled');
        const first = await started.finished;
        expect(first.code).toBe(1);
        expect(first.stdout).toContain('was cancelled');
        await until(() => cluster().jobProcesses().length === 0);
        expect((await there.unroll('resume', '--executor', 'slurm', '--no-mlflow')).code).toBe(0);
        await trainHere(here, there);
        expectSameRuns(here, there, 6);
      },
    );

    it('is left with Ctrl-C, trains on, and is come back to', fiveMinutes, async () => {
      const { here, there } = twoRigs(
        cluster(),
        smallSpec({
          steps: 3000,
          seeds: 4,
          run: 'threadsPerRun: 1, slurm: { time: 10m, memory: 1500M, runsPerJob: 2 }',
        }),
      );
      const started = there.start('run', 'spec.yaml', ...onSlurm);
      await until(() => there.runIds('trial').some((id) => there.lineCount('trial', id) > 20));
      started.process.kill('SIGINT');
      const left = await started.finished;
      expect(left.code).toBe(130);
      expect(left.stdout).toContain('unroll attach');
      expect(cluster().jobProcesses()).not.toEqual([]);
      const attached = await there.unroll('attach', '--executor', 'slurm', '--no-mlflow');
      expect(attached.stdout).toContain('in jobs that an earlier command has submitted');
      expect(attached.code).toBe(0);
      await trainHere(here, there);
      expectSameRuns(here, there, 4);
    });

    it(
      'leaves a job that also trains runs of a command that was left, when the time of a later one is over',
      fiveMinutes,
      async () => {
        const rig = createRig(cluster().environment, temporaryDirectory('slurm-runs'));
        const run = 'threadsPerRun: 1, slurm: { time: 10m, memory: 1500M, runsPerJob: 2 }';
        rig.write('spec.yaml', smallSpec({ steps: 1_000_000, seeds: 2, run }));
        const started = rig.start('run', 'spec.yaml', ...onSlurm);
        const lines = () => Math.max(0, ...rig.runIds('trial').map((id) => rig.lineCount('trial', id)));
        await until(() => lines() > 20);
        started.process.kill('SIGINT');
        expect((await started.finished).code).toBe(130);
        const later = ['--only', 'seed=2', '--set', 'run.budget.time=3s'];
        const { stdout } = await rig.unroll('run', 'spec.yaml', ...later, ...onSlurm);
        expect(stdout).toContain('1 run is in jobs that an earlier command has submitted');
        expect(stdout).toContain('The budget of 3.0s is spent');
        const before = lines();
        await until(() => lines() > before + 20);
        expect((await rig.unroll('cancel')).stdout).toContain('Cancelled 1 job');
        await until(() => cluster().jobProcesses().length === 0);
      },
    );

    it('ends a job in time before its limit, and submits it again', tenMinutes, async () => {
      const run = 'threadsPerRun: 1, slurm: { time: 1m, memory: 1500M }';
      const spec = (steps: number) => smallSpec({ steps, seeds: 1, run });
      // As many steps as take about 100 s here: a fast machine would end fewer before the limit.
      const trial = createRig(cluster().environment, temporaryDirectory('slurm-rate'));
      trial.write('spec.yaml', spec(6000));
      const began = performance.now();
      expect((await trial.unroll('run', 'spec.yaml', '--no-mlflow')).code).toBe(0);
      const steps = Math.ceil((6000 * 100_000) / (performance.now() - began));
      const { here, there } = twoRigs(cluster(), spec(steps));
      const remote = await there.unroll('run', 'spec.yaml', ...onSlurm);
      expect(remote.code).toBe(0);
      const [id = ''] = there.runIds('trial');
      expect(there.status('trial', id).attempt).toBeGreaterThan(1);
      await trainHere(here, there);
      expectSameRuns(here, there, 1);
    });

    it('begins no other run after a failure with onError: stop', fiveMinutes, async () => {
      const there = createRig(
        { ...cluster().environment, UNROLL_CACHE: freshCache().path },
        temporaryDirectory('slurm-runs'),
      );
      there.write(
        'spec.yaml',
        firstDiverges({
          steps: 2000,
          others: 14,
          run: 'threadsPerRun: 1, onError: stop, slurm: { time: 10m, memory: 1000M, runsPerJob: 3 }',
        }),
      );
      const { code, stdout } = await there.unroll('run', 'spec.yaml', ...onSlurm);
      expect(code).toBe(1);
      expect(stdout).toMatch(/of 15 runs are not done/);
      // This machine has the place of the login node.
      expect(stdout).not.toContain('measuring');
      await until(() => cluster().jobProcesses().length === 0);
      const reasons = there
        .runIds('trial')
        .filter((id) => existsSync(there.runPath('trial', id, 'status.json')))
        .map((id) => there.status('trial', id).outcome?.reason);
      expect(reasons.filter((one) => one === 'diverged')).toHaveLength(1);
      // A job trains the run that it has begun to its end, and perhaps the next one.
      expect(reasons.every((one) => one === 'diverged' || one === 'completed')).toBe(true);
      expect(reasons.length).toBeLessThan(10);
    });

    it('gives each run the generic resource that the spec asks for', fiveMinutes, async () => {
      const { here, there } = twoRigs(
        cluster(),
        smallSpec({
          steps: 20,
          seeds: 3,
          run: "threadsPerRun: 1, slurm: { time: 10m, memory: 1000M, runsPerJob: 1, gres: 'gpu:1' }",
        }),
      );
      const { code, stdout } = await there.unroll('run', 'spec.yaml', ...onSlurm);
      expect(code, stdout).toBe(0);
      const jobs = cluster()
        .slurm('scontrol', 'show', 'job', '--oneliner')
        .match(/.*gres:gpu:1.*/g);
      expect(jobs?.map((job) => / NodeList=(\S+)/.exec(job)?.[1])).toEqual(['n1', 'n1', 'n1']);
      await trainHere(here, there);
      expectSameRuns(here, there, 3);
    });

    it('survives the death of a node', tenMinutes, async () => {
      const { here, there } = twoRigs(
        cluster(),
        smallSpec({
          steps: 1500,
          seeds: 4,
          run: 'threadsPerRun: 1, slurm: { time: 20m, memory: 1500M, runsPerJob: 2 }',
        }),
      );
      const started = there.start('run', 'spec.yaml', ...onSlurm);
      await until(() => there.runIds('trial').filter((id) => there.lineCount('trial', id) > 20).length > 1);
      cluster().killNode('n1');
      const remote = await started.finished;
      cluster().startNode('n1');
      expect(remote.code).toBe(0);
      await trainHere(here, there);
      expectSameRuns(here, there, 4);
    });
  },
);
