import { describe, expect, it } from 'vitest';
import { createRig } from '../../support/rig.ts';
import { noSlurm, testCluster } from '../../support/slurm.ts';
import { smallSpec } from '../../support/small-sweep.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

describe.skipIf(noSlurm !== undefined)(
  `on a cluster of two nodes${noSlurm === undefined ? '' : ` (${noSlurm})`}`,
  () => {
    const cluster = testCluster();

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
  },
);
