import { describe, expect, it } from 'vitest';
import { createRig, until } from '../../support/rig.ts';
import { noSlurm, testCluster } from '../../support/slurm.ts';
import { smallSpec } from '../../support/small-sweep.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const onSlurm = ['--no-mlflow', '--executor', 'slurm'];

describe.skipIf(noSlurm !== undefined)(
  `on a cluster that ends jobs for their memory${noSlurm === undefined ? '' : ` (${noSlurm})`}`,
  () => {
    const cluster = testCluster({ limitsMemory: true });

    it('names memory as the reason, and submits nothing again', { timeout: 300_000 }, async () => {
      const there = createRig(cluster().environment, temporaryDirectory('slurm-runs'));
      there.write(
        'spec.yaml',
        smallSpec({
          steps: 3000,
          seeds: 2,
          run: 'threadsPerRun: 1, retries: 0, slurm: { time: 10m, memory: 150M, runsPerJob: 1 }',
        }),
      );
      const { code, stdout } = await there.unroll('run', 'spec.yaml', ...onSlurm);
      expect(code).toBe(1);
      const ids = there.runIds('trial');
      expect(ids).toHaveLength(2);
      for (const id of ids) {
        const { outcome } = there.status('trial', id);
        expect(outcome?.reason, stdout).toBe('out-of-memory');
        expect(outcome?.message).toContain('set a larger run.slurm.memory');
      }
      expect(stdout.match(/Submitted job/g)).toHaveLength(1);
      expect(stdout).not.toContain('is left');
    });

    it('leaves a job that somebody else cancels', { timeout: 300_000 }, async () => {
      const there = createRig(cluster().environment, temporaryDirectory('slurm-runs'));
      there.write(
        'spec.yaml',
        smallSpec({
          steps: 3000,
          seeds: 2,
          run: 'threadsPerRun: 1, slurm: { time: 10m, memory: 1500M, runsPerJob: 2 }',
        }),
      );
      const started = there.start('run', 'spec.yaml', ...onSlurm);
      await until(() => there.runIds('trial').some((id) => there.lineCount('trial', id) > 20));
      cluster().slurm('scancel', '--user=root');
      const { code, stdout } = await started.finished;
      expect(code).toBe(1);
      expect(stdout.match(/The job \d+ was cancelled/g), stdout).toHaveLength(1);
      expect(stdout.match(/Submitted job/g)).toHaveLength(1);
      await until(() => cluster().jobProcesses().length === 0);
      expect(cluster().slurm('squeue', '--noheader')).toBe('');
    });
  },
);
