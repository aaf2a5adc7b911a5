import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { noRedis, startRedis } from '../support/redis.ts';
import { createRig, until } from '../support/rig.ts';
import { numbersOf } from '../support/run-numbers.ts';
import { smallSpec } from '../support/small-sweep.ts';
import { writeTableSweep } from '../support/table-sweep.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startWorker, submitter, trainedHere } from '../support/workers.ts';

const run = ['run', 'spec.yaml', '--no-mlflow', '--executor', 'bullmq'] as const;

const filesBelow = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name))
    : [];

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
    const rig = submitter(redis.url);
    rig.write('spec.yaml', text);
    const sweep = rig.start(...run, '--store', store);
    await until(
      () =>
        filesBelow(join(store, 'states')).some((name) => name.endsWith('state.json')) ||
        sweep.process.exitCode !== null,
      victim.said,
    );
    victim.process.kill('SIGKILL');
    const second = await startWorker(redis.url, { words });
    const { code, stdout, stderr } = await sweep.finished;
    expect(code, stderr).toBe(0);
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
    const rig = submitter(redis.url);
    rig.write('spec.yaml', text);
    const { code, stderr } = await rig.unroll(...run, '--store', store);
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
    const other = submitter(redis.url);
    other.write('spec.yaml', text);
    const refused = await other.unroll(...run);
    expect(refused.code, refused.stderr).toBe(1);
    expect(refused.stdout).toContain('in a store that this command does not use');
  });

  test('a warning names a worker with another store, and a run lost with that worker starts again, with a message', async () => {
    const redis = await startRedis();
    const folder = temporaryDirectory();
    const words = ['--slots', '1', '--store', join(folder, 'other')];
    const victim = await startWorker(redis.url, { words });
    const text = smallSpec({ steps: 400, train: 'checkpointEvery: 20', run: 'threadsPerRun: 1' });
    const rig = submitter(redis.url);
    rig.write('spec.yaml', text);
    const sweep = rig.start(...run, '--store', join(folder, 'store'));
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
    const rig = createRig({ UNROLL_REDIS_URL: redis.url }, specs);
    const worker = await startWorker(redis.url, { words: ['--slots', '2', '--store', store] });
    const refused = async (...words: readonly string[]) => {
      const { code, stderr } = await rig.unroll(...run, ...words);
      expect(code, stderr).toBe(2);
      return stderr;
    };
    expect(await refused('--store', store)).toContain('is missing');
    expect(await refused('--share-data', '--no-store')).toContain('cannot be shared');
    expect(await refused('--share-data', '--store', join(folder, 'other'))).toContain('is missing');
    expect(worker.said()).not.toContain('began ');
    const shared = await rig.unroll(...run, '--share-data', '--store', store);
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
