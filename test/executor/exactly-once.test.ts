import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { holdCommit } from '../support/hold-commit.ts';
import { noRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { createRig, until, type Rig } from '../support/rig.ts';
import { numbersOf } from '../support/run-numbers.ts';
import { smallSpec } from '../support/small-sweep.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { quickLocks, startWorker, submitter, trainedHere, type StartedWorker } from '../support/workers.ts';

const run = ['run', 'spec.yaml', '--no-mlflow', '--executor', 'bullmq'] as const;

const spec = (steps: number, seeds: readonly number[]): string =>
  smallSpec({ steps, run: 'threadsPerRun: 1' }).replace(/^seeds: .*$/m, `seeds: [${seeds.join(', ')}]`);

const begun = (...workers: readonly StartedWorker[]): number =>
  workers.reduce((sum, { said }) => sum + said().split('began trial/').length - 1, 0);

const ask = ({ port }: TestRedis, ...words: readonly string[]): string =>
  spawnSync('redis-cli', ['-p', String(port), ...words], { encoding: 'utf8' }).stdout;

const queueWith = (redis: TestRedis, text: string, environment: NodeJS.ProcessEnv = {}): Rig => {
  const rig = createRig({ UNROLL_REDIS_URL: redis.url, ...quickLocks, ...environment });
  rig.write('spec.yaml', text);
  return rig;
};

/** How the runs ended that have a status. */
const recordedIn = (rig: Rig) =>
  rig
    .runIds('trial')
    .filter((id) => existsSync(rig.runPath('trial', id, 'status.json')))
    .map((id) => rig.status('trial', id).outcome?.reason);

const expectRecorded = async (rig: Rig, text: string): Promise<void> => {
  expect(numbersOf(rig)).toEqual(numbersOf(await trainedHere(text)));
  expect(await rig.unroll('check', 'runs')).toMatchObject({ code: 0 });
};

describe.skipIf(noRedis !== undefined)(
  `runs are recorded once and whole (${noRedis ?? 'redis-server'})`,
  () => {
    test('two commands with overlapping sweeps at once train the shared runs once', async () => {
      const redis = await startRedis();
      const workers = [await startWorker(redis.url), await startWorker(redis.url)];
      const texts = [spec(40, [1, 2, 3, 4, 5]), spec(40, [4, 5, 6, 7])];
      const rigs = texts.map((text) => queueWith(redis, text));
      const ends = await Promise.all(rigs.map((rig) => rig.unroll(...run)));
      for (const { code, stdout, stderr } of ends) expect(code, stdout + stderr).toBe(0);
      expect(begun(...workers)).toBe(7);
      for (const [index, rig] of rigs.entries()) await expectRecorded(rig, texts[index] ?? '');
    });

    test('cancelling one of two overlapping sweeps leaves all runs of the other', async () => {
      for (const isFirstCancelled of [true, false]) {
        const redis = await startRedis();
        const worker = await startWorker(redis.url);
        const sweepOf = (seeds: readonly number[]) => {
          const text = spec(300, seeds);
          const rig = queueWith(redis, text);
          return { text, rig, started: rig.start(...run) };
        };
        const jobs = () =>
          ask(redis, 'keys', 'unroll:*').match(/:r-[0-9a-f]{12}-[0-9a-f]{24}$/gm)?.length ?? 0;
        const first = sweepOf([1, 2, 3]);
        await until(() => begun(worker) > 0 && jobs() === 3, worker.said);
        // It queues one run, and waits for two that the first one has queued.
        const second = sweepOf([2, 3, 4]);
        await until(() => jobs() === 4, worker.said);
        const [cancelled, kept] = isFirstCancelled ? [first, second] : [second, first];
        expect((await cancelled.rig.unroll('cancel', 'trial')).code).toBe(0);
        const { code, stdout } = await cancelled.started.finished;
        expect(code, stdout).toBe(1);
        const end = await kept.started.finished;
        expect(end.code, `${end.stdout}${end.stderr}${worker.said()}`).toBe(0);
        await expectRecorded(kept.rig, kept.text);
      }
    });

    test('a Redis that loses everything in the middle costs no run', async () => {
      const redis = await startRedis();
      const worker = await startWorker(redis.url);
      const text = spec(150, [1, 2, 3, 4]);
      const rig = queueWith(redis, text);
      const sweep = rig.start(...run);
      await until(() => worker.said().includes('ended ') && begun(worker) > 1, worker.said);
      expect(ask(redis, 'flushall')).toBe('OK\n');
      const { code, stdout, stderr } = await sweep.finished;
      expect(code, `${stdout}${stderr}${worker.said()}`).toBe(0);
      expect(stdout + stderr).toContain('Redis no longer has runs that were queued');
      await expectRecorded(rig, text);
    });

    test('a worker that was stopped past its lock and wakes up while the next attempt is recorded changes nothing', async () => {
      for (const scratch of [undefined, temporaryDirectory()]) {
        const redis = await startRedis();
        const environment = scratch === undefined ? {} : { UNROLL_WORKER_DIR: scratch };
        const victim = await startWorker(redis.url, { environment });
        const hold = holdCommit();
        // Long enough that no run ends before the worker is stopped.
        const text = spec(5000, [1, 2]);
        const rig = queueWith(redis, text, hold.environment);
        const sweep = rig.start(...run);
        await until(() => begun(victim) === 1, victim.said);
        victim.process.kill('SIGSTOP');
        const second = await startWorker(redis.url, { environment });
        await until(() => hold.isHeld() || sweep.process.exitCode !== null, second.said);
        victim.process.kill('SIGCONT');
        await until(() => victim.said().includes('killed trial/'), victim.said);
        hold.release();
        const { code, stdout, stderr } = await sweep.finished;
        expect(code, `${stdout}${stderr}${second.said()}`).toBe(0);
        await expectRecorded(rig, text);
      }
    });

    test('cancel while a run is recorded takes the others back, and that run is whole', async () => {
      const redis = await startRedis();
      const worker = await startWorker(redis.url);
      const hold = holdCommit();
      const text = spec(3000, [1, 2, 3]);
      const rig = queueWith(redis, text, hold.environment);
      const sweep = rig.start(...run);
      await until(() => hold.isHeld() || sweep.process.exitCode !== null, worker.said);
      const cancelled = await submitterIn(rig, redis).unroll('cancel', 'trial');
      expect(cancelled.stdout).toContain('Cancelled 1 queued run and 1 running one');
      hold.release();
      const { code, stdout } = await sweep.finished;
      expect(code, stdout).toBe(1);
      expect(recordedIn(rig)).toEqual(['completed']);
      expect(await rig.unroll('check', 'runs')).toMatchObject({ code: 0 });
      const before = begun(worker);
      expect((await submitterIn(rig, redis).unroll(...run)).code).toBe(0);
      expect(begun(worker) - before).toBe(2);
      await expectRecorded(rig, text);
    });

    test('a command that is killed at any call of recording a run loses nothing of it', async () => {
      for (const isResumed of [false, true]) {
        const redis = await startRedis();
        const worker = await startWorker(redis.url);
        const text = spec(isResumed ? 300 : 20, [1, 2]);
        const rig = submitter(redis.url);
        rig.write('spec.yaml', text);
        if (isResumed) {
          // Its record is there, and is replaced by the one that the worker has taken further.
          const before = rig.start('run', 'spec.yaml', '--no-mlflow');
          await until(() => rig.runIds('trial').some((id) => rig.lineCount('trial', id) > 10));
          before.process.kill('SIGINT');
          expect((await before.finished).code).toBe(130);
        }
        let deaths = 0;
        for (let isKilled = true; isKilled;) {
          // Replacing a record takes many calls.
          const hold = holdCommit(1 + deaths * (isResumed ? 3 : 1));
          const again = createRig({ UNROLL_REDIS_URL: redis.url, ...hold.environment }, rig.directory);
          const { code, signal, stderr } = await again.unroll(...run);
          isKilled = hold.isHeld();
          if (isKilled) deaths++;
          expect(isKilled ? signal : code, stderr).toBe(isKilled ? 'SIGKILL' : 0);
        }
        expect(deaths).toBeGreaterThan(1);
        if (!isResumed) expect(begun(worker)).toBe(2);
        await expectRecorded(rig, text);
      }
    });
  },
);

const submitterIn = (rig: Rig, redis: TestRedis): Rig =>
  createRig({ UNROLL_REDIS_URL: redis.url, ...quickLocks }, rig.directory);
