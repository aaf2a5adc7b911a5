import { afterEach, describe, expect, it, vi } from 'vitest';
import { checkSlurm } from '../../../src/executor/slurm/check.ts';
import { usualSlurm } from '../../../src/plan/execution.ts';
import type { SlurmSettings } from '../../../src/language/config.ts';
import { createRig } from '../../support/rig.ts';
import { noSlurm, testCluster } from '../../support/slurm.ts';
import { smallSpec } from '../../support/small-sweep.ts';
import { sharedDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';

describe.skipIf(noSlurm !== undefined)(
  `on a cluster of two nodes${noSlurm === undefined ? '' : ` (${noSlurm})`}`,
  () => {
    const hidden = sharedDirectory('slurm-hidden');
    const cluster = testCluster({ hidden });
    afterEach(() => vi.unstubAllEnvs());

    it('trains a sweep in packed jobs to the bits of this machine', { timeout: 120_000 }, async () => {
      const spec = smallSpec({
        steps: 40,
        seeds: 4,
        run: 'threadsPerRun: 1, slurm: { time: 5m, memory: 1500M, runsPerJob: 2 }',
      });
      const here = createRig();
      const there = createRig(cluster().environment, temporaryDirectory('slurm-runs'));
      for (const rig of [here, there]) rig.write('spec.yaml', spec);
      const [local, remote] = await Promise.all([
        here.unroll('run', 'spec.yaml', '--no-mlflow'),
        there.unroll('run', 'spec.yaml', '--no-mlflow', '--executor', 'slurm'),
      ]);
      expect(local.stderr + remote.stderr).toBe('');
      expect(remote.stdout).toContain('4 runs in 2 tasks');
      expect([local.code, remote.code]).toEqual([0, 0]);
      const ids = here.runIds('trial');
      expect(there.runIds('trial')).toEqual(ids);
      for (const id of ids) expect(there.metrics('trial', id)).toEqual(here.metrics('trial', id));
    });

    it('refuses what the cluster would not take, before anything is submitted', async () => {
      vi.stubEnv('SLURM_CONF', cluster().environment['SLURM_CONF']);
      const check = async (settings: Partial<SlurmSettings>, cpus = 1) => {
        const checked = await checkSlurm({ ...usualSlurm, ...settings }, { cpus, directory: hidden });
        return checked.ok
          ? checked.value
          : checked.errors.map(({ message, help }) => `${message} ${help ?? ''}`);
      };
      expect(await check({})).toEqual({ slots: 4 });
      expect(await check({ partition: 'short', timeMs: 300_000 }, 2)).toEqual({ slots: 2 });
      expect(await check({ partition: 'shrot' })).toEqual([
        'The cluster has no partition shrot. Write `partition: short` in run.slurm.',
      ]);
      expect(await check({ partition: 'short' })).toEqual([
        expect.stringMatching(/^run.slurm.time is longer than the partition short allows. Write `time: 5m`/),
      ]);
      for (const tooMuch of [check({ memory: '400G' }), check({}, 64)])
        expect(await tooMuch).toEqual([expect.stringMatching(/^No node has what a job asks for./)]);
      expect(await check({ gres: 'gpu:1' })).toEqual({ slots: 4 });
      expect(await check({ gres: 'fpga:1' })).toEqual([
        expect.stringMatching(/^The cluster has no generic resource fpga:1/),
      ]);
      expect(await check({ options: ['--constraint=abacus'] })).toEqual([
        expect.stringMatching(/^Slurm refuses the jobs./),
      ]);
      vi.stubEnv('PATH', '/nowhere');
      expect(await check({})).toEqual([expect.stringMatching(/^This machine has no sbatch/)]);
    });

    it(
      'reports in one message that a node does not see the runs directory',
      { timeout: 60_000 },
      async () => {
        const rig = createRig(cluster().environment, hidden);
        rig.write(
          'spec.yaml',
          smallSpec({
            steps: 2,
            seeds: 3,
            run: "threadsPerRun: 1, slurm: { time: 5m, memory: 1500M, runsPerJob: 1, options: ['--nodelist=n2'] }",
          }),
        );
        const { code, stdout, stderr } = await rig.unroll(
          'run',
          'spec.yaml',
          '--no-mlflow',
          '--executor',
          'slurm',
        );
        expect(stderr).toBe('');
        expect(stdout.match(/could not start Unroll. The node does not see .*share/g)).toHaveLength(1);
        expect(stdout).toContain('3 of 3 runs are not done');
        expect(code).toBe(1);
      },
    );
  },
);
