import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { noRedis, startRedis } from '../../support/redis.ts';
import { createRig, type Rig } from '../../support/rig.ts';
import { numbersOf } from '../../support/run-numbers.ts';
import { noSlurm, testCluster } from '../../support/slurm.ts';
import { sweepsFolder, takePlans } from '../../support/take-plans.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { startWorker, submitter } from '../../support/workers.ts';

const reason = noSlurm ?? noRedis;

/** With four slots as on the cluster, a search begins as much at a time and hears of it in another order. */
const spec = `
version: 1
name: trial
dataset: { name: toy-sequences, trainSize: 200, validationSize: 100, testSize: 50 }
model: { name: lstm, hiddenSize: 8 }
optimizer: { name: adam, learningRate: 0.01 }
train: { batchSize: 32, steps: 36, displayEvery: 4, evaluateEvery: 4 }
objective: { metric: val/loss, goal: minimize }
sweep:
  method: tpe
  samples: 10
  seed: 5
  pruning: { name: asha, minSteps: 4, reductionFactor: 3 }
  axes:
    optimizer.learningRate: { logUniform: [1e-4, 1e-1] }
    model.hiddenSize: [4, 8, 16]
run: { threadsPerRun: 1, concurrency: 2, slurm: { time: 10m, memory: 1500M } }
`;

/** The decisions in their order, and the result of each: results are written as they come. */
const journalOf = (rig: Rig) => {
  const [name = ''] = readdirSync(sweepsFolder(rig)).filter((one) => one.endsWith('.decisions.jsonl'));
  const lines = readFileSync(join(sweepsFolder(rig), name), 'utf8')
    .trimEnd()
    .split('\n');
  const isResult = (line: string): boolean => 'result' in (JSON.parse(line) as object);
  return {
    decisions: lines.filter((line) => !isResult(line)),
    results: lines.filter(isResult).sort(),
  };
};

describe.skipIf(reason !== undefined)(
  `one search on three executors${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    const cluster = testCluster();

    it('takes the same decisions and records the same numbers', { timeout: 600_000 }, async () => {
      const slurm = createRig(cluster().environment, temporaryDirectory('slurm-runs'));
      const redis = await startRedis();
      const workers = [
        await startWorker(redis.url, { words: ['--slots', '2'] }),
        await startWorker(redis.url, { words: ['--slots', '2'] }),
      ];
      const bullmq = submitter(redis.url);
      const local = createRig();
      const search = async (rig: Rig, ...words: readonly string[]) => {
        rig.write('spec.yaml', spec);
        if (rig !== slurm) takePlans(rig, slurm);
        const { code, stdout, stderr } = await rig.unroll('run', 'spec.yaml', '--no-mlflow', ...words);
        expect(code, `${stdout}${stderr}`).toBe(0);
      };
      await search(slurm, '--executor', 'slurm');
      await Promise.all([search(bullmq, '--executor', 'bullmq'), search(local)]);

      for (const { said } of workers) expect(said()).toContain('began trial/');
      const expected = { ...journalOf(local), runs: numbersOf(local) };
      expect(expected.runs.map(({ reason }) => reason)).toContain('pruned');
      expect(expected.runs).toHaveLength(10);
      for (const rig of [bullmq, slurm])
        expect({ ...journalOf(rig), runs: numbersOf(rig) }).toEqual(expected);
    });
  },
);
