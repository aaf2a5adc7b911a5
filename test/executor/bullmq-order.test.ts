import { describe, expect, test } from 'vitest';
import { noRedis, startRedis } from '../support/redis.ts';
import { createRig, until, type Rig } from '../support/rig.ts';
import { numbersOf } from '../support/run-numbers.ts';
import { firstDiverges, smallSpec } from '../support/small-sweep.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startWorker, submitter } from '../support/workers.ts';

const onWorkers = ['--no-mlflow', '--executor', 'bullmq'] as const;

/** Submits a spec and leaves it in the queue; returns what the command printed. */
const queueIt = async (
  rig: Rig,
  name: string,
  runs: number,
  ...words: readonly string[]
): Promise<string> => {
  const sweep = rig.start('run', name, ...onWorkers, ...words);
  let said = '';
  sweep.process.stdout?.on('data', (part: string) => (said += part));
  await until(
    () => said.includes(`${runs} runs`),
    () => said,
  );
  sweep.process.kill('SIGINT');
  const { code, stdout } = await sweep.finished;
  expect(code).toBe(130);
  return stdout;
};

const named = (name: string, text: string): string => text.replace('name: trial', `name: ${name}`);

/** The experiments of the runs that a worker has begun. */
const begun = (said: string) => [...said.matchAll(/began (\w+)\//g)].map(([, name]) => name);

const config = (step: number): string => `
import { defineConfig, defineOptimizer } from 'unroll-ml';
const signs = defineOptimizer({
  name: 'signs',
  learningRate: 0.02,
  parameters: {},
  slots: () => [],
  build: (_, { tf }) => (value, gradient, __, { learningRate }) => ({
    value: tf.sub(value, tf.mul(tf.sign(gradient), ${step} * learningRate)),
    slots: [],
  }),
});
export default defineConfig({ optimizers: [signs] });
`;

describe.skipIf(noRedis !== undefined)(
  `which worker trains what, and when (${noRedis ?? 'redis-server'})`,
  () => {
    test('a sweep of a smaller --priority comes first, and a class of runs waits for its workers', async () => {
      const redis = await startRedis();
      const rig = submitter(redis.url);
      for (const name of ['usual', 'urgent', 'large'])
        rig.write(`${name}.yaml`, named(name, smallSpec({ steps: 5, seeds: 2 })));
      await queueIt(rig, 'usual.yaml', 2);
      await queueIt(rig, 'urgent.yaml', 2, '--priority', '1');
      const left = await queueIt(rig, 'large.yaml', 2, '--class', 'large', '--max-parallel', '2');
      const [, back = ''] = /Come back with: unroll (.*)/.exec(left) ?? [];
      expect(back).toMatch(/^attach [0-9a-f]{12} --class large --max-parallel 2$/);

      const usual = await startWorker(redis.url);
      await until(() => (usual.said().match(/ended /g) ?? []).length === 4, usual.said);
      expect(begun(usual.said())).toEqual(['urgent', 'urgent', 'usual', 'usual']);
      const large = await startWorker(redis.url, { words: ['--slots', '1', '--class', 'large'] });
      const attached = await rig.unroll(...back.split(' '), '--no-mlflow');
      expect(attached.code, attached.stderr).toBe(0);
      expect(begun(large.said())).toEqual(['large', 'large']);
      expect(begun(usual.said())).toHaveLength(4);
    });

    test('a run that waits with a larger number comes first once a sweep with a smaller one wants it', async () => {
      const redis = await startRedis();
      const rig = submitter(redis.url);
      for (const name of ['usual', 'later'])
        rig.write(`${name}.yaml`, named(name, smallSpec({ steps: 5, seeds: 2 })));
      await queueIt(rig, 'usual.yaml', 2);
      await queueIt(rig, 'later.yaml', 2);
      await queueIt(rig, 'later.yaml', 2, '--priority', '1');
      const worker = await startWorker(redis.url);
      await until(() => (worker.said().match(/ended /g) ?? []).length === 4, worker.said);
      expect(begun(worker.said())).toEqual(['later', 'later', 'usual', 'usual']);
    });

    test('after a failure `onError: stop` takes back the runs that no worker has begun', async () => {
      const redis = await startRedis();
      const rig = submitter(redis.url);
      rig.write(
        'spec.yaml',
        firstDiverges({ steps: 300, others: 4, run: 'threadsPerRun: 1, onError: stop' }),
      );
      const worker = await startWorker(redis.url);
      const { code, stdout } = await rig.unroll('run', 'spec.yaml', ...onWorkers);
      expect(code).toBe(1);
      expect(stdout).toMatch(/the loss became \w+ at step/);
      // The second one may have begun before the failure of the first was known.
      expect(stdout).toMatch(/[34] of 5 runs are not done/);
      worker.process.kill('SIGINT');
      expect((await worker.finished).code).toBe(0);
      expect(worker.said().match(/began /g)?.length).toBeLessThan(3);
    });

    test('own entries must be on the worker with the same digest', async () => {
      const redis = await startRedis();
      const text = smallSpec({ steps: 20, seeds: 2, run: 'threadsPerRun: 1' }).replace(
        /optimizer: .*/,
        'optimizer: { name: signs }',
      );
      const rig = submitter(redis.url);
      rig.write('unroll.config.ts', config(1));
      rig.write('spec.yaml', text);
      const refused = async (part: string) => {
        const { code, stderr } = await rig.unroll('run', 'spec.yaml', ...onWorkers);
        expect(code, stderr).toBe(2);
        expect(stderr).toContain('has not the code of the optimizer signs');
        expect(stderr).toContain(part);
      };
      const without = await startWorker(redis.url);
      await refused('unroll.config.ts of the sweep');
      without.process.kill('SIGINT');
      await without.finished;

      const folder = createRig({}, temporaryDirectory());
      folder.write('unroll.config.ts', config(2));
      const other = await startWorker(redis.url, { directory: folder.directory });
      await refused('unroll.config.ts of the sweep');
      other.process.kill('SIGINT');
      await other.finished;

      folder.write('unroll.config.ts', config(1));
      const same = await startWorker(redis.url, { directory: folder.directory });
      const { code, stderr } = await rig.unroll('run', 'spec.yaml', ...onWorkers);
      expect(code, stderr).toBe(0);
      expect(same.said().match(/began /g)).toHaveLength(2);
      const here = createRig();
      here.write('unroll.config.ts', config(1));
      here.write('spec.yaml', text);
      expect(await here.unroll('run', 'spec.yaml', '--no-mlflow')).toMatchObject({ code: 0 });
      expect(numbersOf(rig)).toEqual(numbersOf(here));
    });
  },
);
