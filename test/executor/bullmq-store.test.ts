import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { checkpointOfEnd } from '../../src/training/checkpoint.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { createRig, until } from '../support/rig.ts';
import { numbersOf } from '../support/run-numbers.ts';
import { smallSpec } from '../support/small-sweep.ts';
import { writeTableSweep } from '../support/table-sweep.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { runOnWorkers, startWorker, submitter, trainedHere, type StartedWorker } from '../support/workers.ts';

const filesBelow = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name))
    : [];

/** The file that lists what a checkpoint in a store consists of, once there is one. */
const stateIn = (store: string): string | undefined =>
  filesBelow(join(store, 'states')).find((name) => name.endsWith('state.json'));

describe.skipIf(noRedis !== undefined)(`workers with a store (${noRedis ?? 'redis-server'})`, () => {
  test('a run whose worker is killed resumes from the store to the same bits, and leaves no state there', async () => {
    const redis = await startRedis();
    const store = join(temporaryDirectory(), 'store');
    const words = ['--slots', '1', '--store', store];
    const victim = await startWorker(redis.url, { words });
    const text = smallSpec({
      steps: 800,
      dataset: 'validationSize: 50',
      train: 'checkpointEvery: 20, evaluateEvery: 40, keepCheckpoints: best',
      run: 'threadsPerRun: 1',
    });
    const rig = submitter(redis.url, { spec: text });
    const sweep = rig.start(...runOnWorkers, '--store', store);
    await until(() => stateIn(store) !== undefined || sweep.process.exitCode !== null, victim.said);
    victim.process.kill('SIGKILL');
    const second = await startWorker(redis.url, { words });
    const { code, stdout, stderr } = await sweep.finished;
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/resumed on \S+ after step [1-9]\d*/);
    expect(numbersOf(rig)).toEqual(numbersOf(await trainedHere(text)));
    expect(await rig.unroll('check', 'runs')).toMatchObject({ code: 0 });
    await until(() => filesBelow(join(store, 'states')).length === 0, second.said);
  });

  test(
    'a worker that begins a run again resumes from what another one has trained meanwhile',
    { timeout: 600_000 },
    async () => {
      const redis = await startRedis();
      const store = join(temporaryDirectory(), 'store');
      const scratch = temporaryDirectory();
      const words = ['--slots', '1', '--store', store];
      const here = { words, environment: { UNROLL_WORKER_DIR: scratch } };
      const text = smallSpec({ steps: 6000, train: 'checkpointEvery: 20', run: 'threadsPerRun: 1' });
      const rig = submitter(redis.url, { spec: text });
      const saved = (): string => {
        const path = stateIn(store);
        return path === undefined ? '' : readFileSync(path, 'utf8');
      };
      /** Waits until the store has another checkpoint. */
      const next = async (worker: StartedWorker): Promise<void> => {
        const before = saved();
        await until(() => saved() !== before || sweep.process.exitCode !== null, worker.said);
      };
      const first = await startWorker(redis.url, here);
      const sweep = rig.start(...runOnWorkers, '--store', store);
      await next(first);
      first.process.kill('SIGKILL');
      const left = filesBelow(scratch).find((name) => name.endsWith('last.safetensors')) ?? '';
      const leftAt = checkpointOfEnd(dirname(dirname(left)))?.step ?? Infinity;
      const second = await startWorker(redis.url, { words });
      await until(() => second.said().includes('began '), second.said);
      for (let saves = 0; saves < 2; saves++) await next(second);
      second.process.kill('SIGKILL');
      await startWorker(redis.url, here);
      const { code, stdout, stderr } = await sweep.finished;
      expect(code, stderr).toBe(0);
      const resumed = [...stdout.matchAll(/resumed on \S+ after step (\d+)/g)].map(([, step]) =>
        Number(step),
      );
      expect(resumed).toHaveLength(2);
      expect(resumed[1]).toBeGreaterThan(leftAt);
      expect(await rig.unroll('check', 'runs')).toMatchObject({ code: 0 });
    },
  );

  test('a run that Redis has lost resumes from the store to the same bits', async () => {
    const redis = await startRedis();
    const store = join(temporaryDirectory(), 'store');
    const words = ['--slots', '1', '--store', store];
    const victim = await startWorker(redis.url, { words });
    const text = smallSpec({ steps: 800, train: 'checkpointEvery: 20', run: 'threadsPerRun: 1' });
    const rig = submitter(redis.url, { spec: text });
    const sweep = rig.start(...runOnWorkers, '--store', store);
    await until(() => stateIn(store) !== undefined || sweep.process.exitCode !== null, victim.said);
    victim.process.kill('SIGKILL');
    const client = new Redis(redis.port);
    await client.flushall();
    client.disconnect();
    const second = await startWorker(redis.url, { words });
    const { code, stdout, stderr } = await sweep.finished;
    expect(code, stderr + second.said()).toBe(0);
    expect(stdout).toContain('They are queued again.');
    expect(stdout).toMatch(/resumed on \S+ after step [1-9]\d*/);
    expect(numbersOf(rig)).toEqual(numbersOf(await trainedHere(text)));
    expect(await rig.unroll('check', 'runs')).toMatchObject({ code: 0 });
    await until(() => filesBelow(join(store, 'states')).length === 0, second.said);
  });

  test('large files pass through the store and not through Redis, small ones through Redis', async () => {
    const redis = await startRedis();
    const store = join(temporaryDirectory(), 'store');
    await startWorker(redis.url, { words: ['--slots', '1', '--store', store] });
    const text = smallSpec({ steps: 6, run: 'threadsPerRun: 1' }).replace('hiddenSize: 8', 'hiddenSize: 140');
    const rig = submitter(redis.url, { spec: text });
    const { code, stderr } = await rig.unroll(...runOnWorkers, '--store', store);
    expect(code, stderr).toBe(0);
    expect(numbersOf(rig)).toEqual(numbersOf(await trainedHere(text)));
    expect(await rig.unroll('check', 'runs')).toMatchObject({ code: 0 });
    const client = new Redis(redis.port);
    const pieces = await client.keys('unroll:file:*');
    const sizes = await Promise.all(pieces.map((key) => client.strlen(key)));
    client.disconnect();
    expect(Math.max(...sizes)).toBeLessThan(256 * 1024);
    const large = filesBelow(join(store, 'parcels')).map((path) => statSync(path).size);
    expect(Math.min(...large)).toBeGreaterThan(256 * 1024);

    // A command without that store gets a message, and nothing is trained again.
    const other = submitter(redis.url, { spec: text });
    const refused = await other.unroll(...runOnWorkers);
    expect(refused.code, refused.stderr).toBe(1);
    expect(refused.stdout).toContain('in a store that this command does not use');
  });

  test('a warning names a worker with another store, and a run lost with that worker starts again, with a message', async () => {
    const redis = await startRedis();
    const folder = temporaryDirectory();
    const words = ['--slots', '1', '--store', join(folder, 'other')];
    const victim = await startWorker(redis.url, { words });
    const text = smallSpec({ steps: 400, train: 'checkpointEvery: 20', run: 'threadsPerRun: 1' });
    const rig = submitter(redis.url, { spec: text });
    const sweep = rig.start(...runOnWorkers, '--store', join(folder, 'store'));
    await until(
      () =>
        filesBelow(victim.scratch).some((name) => name.endsWith('last.safetensors')) ||
        sweep.process.exitCode !== null,
      victim.said,
    );
    victim.process.kill('SIGKILL');
    await startWorker(redis.url);
    const { code, stdout, stderr } = await sweep.finished;
    expect(code, stderr).toBe(0);
    expect(stderr).toContain(`not use the store ${join(folder, 'store')}`);
    expect(stdout).toMatch(/started again on \S+ from the first step/);
    expect(numbersOf(rig)).toEqual(numbersOf(await trainedHere(text)));
    expect(filesBelow(join(folder, 'other', 'states'))).toEqual([]);
  });

  test('a worker without the data gets it from the store with --share-data, and is refused without', async () => {
    const redis = await startRedis();
    const folder = temporaryDirectory();
    const store = join(folder, 'store');
    const { specs } = writeTableSweep(folder, 'seeds: [1, 2]\n');
    const rig = submitter(redis.url, { directory: specs });
    const worker = await startWorker(redis.url, { words: ['--slots', '2', '--store', store] });
    const refused = async (...words: readonly string[]) => {
      const { code, stderr } = await rig.unroll(...runOnWorkers, ...words);
      expect(code, stderr).toBe(2);
      return stderr;
    };
    expect(await refused('--store', store)).toContain('is missing');
    expect(await refused('--share-data', '--no-store')).toContain('cannot be shared');
    expect(await refused('--share-data', '--store', join(folder, 'other'))).toContain('is missing');
    expect(worker.said()).not.toContain('began ');
    const shared = await rig.unroll(...runOnWorkers, '--share-data', '--store', store);
    expect(shared.code, shared.stderr).toBe(0);
    const here = createRig({}, specs);
    const local = await here.unroll('run', 'spec.yaml', '--no-mlflow', '--runs-directory', 'local');
    expect(local.code, local.stderr).toBe(0);
    for (const id of rig.runIds('trial')) {
      const metrics = (runs: string) =>
        readFileSync(join(specs, runs, 'trial', id, 'model', 'weights.safetensors'));
      expect(metrics('runs').equals(metrics('local'))).toBe(true);
      expect(readFileSync(rig.runPath('trial', id, 'run.json'), 'utf8')).toContain('../tables/rows.csv');
    }
  });
});
