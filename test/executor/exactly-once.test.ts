import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { holdCommit } from '../support/hold-commit.ts';
import { noRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { until, type Rig } from '../support/rig.ts';
import { numbersOf } from '../support/run-numbers.ts';
import { smallSpec } from '../support/small-sweep.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { runOnWorkers, startWorker, submitter, trainedHere, type StartedWorker } from '../support/workers.ts';

const tenMinutes = { timeout: 600_000 };

const spec = (steps: number, seeds: readonly number[]): string =>
  smallSpec({ steps, run: 'threadsPerRun: 1' }).replace(/^seeds: .*$/m, `seeds: [${seeds.join(', ')}]`);

const begun = (...workers: readonly StartedWorker[]): number =>
  workers.reduce((sum, { said }) => sum + said().split('began trial/').length - 1, 0);

const ask = ({ port }: TestRedis, ...words: readonly string[]): string =>
  spawnSync('redis-cli', ['-p', String(port), ...words], { encoding: 'utf8' }).stdout;

/** How many waits for a job Redis knows. */
const claims = (redis: TestRedis): number =>
  ask(redis, 'keys', 'unroll:claims:*')
    .split('\n')
    .filter(Boolean)
    .reduce((sum, key) => sum + Number(ask(redis, 'scard', key)), 0);

/** Queues a sweep that no worker trains yet, and leaves it once Redis knows so many waits. */
const leaveQueued = async (redis: TestRedis, rig: Rig, claimed: number): Promise<void> => {
  const sweep = rig.start(...runOnWorkers);
  await until(() => claims(redis) === claimed);
  sweep.process.kill('SIGINT');
  expect((await sweep.finished).code).toBe(130);
};

const withTime = (text: string, time: string): string =>
  text.replace('threadsPerRun: 1', `threadsPerRun: 1, budget: { time: ${time} }`);

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
      const rigs = texts.map((text) => submitter(redis.url, { spec: text }));
      const ends = await Promise.all(rigs.map((rig) => rig.unroll(...runOnWorkers)));
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
          const rig = submitter(redis.url, { spec: text });
          return { text, rig, started: rig.start(...runOnWorkers) };
        };
        const jobs = () =>
          ask(redis, 'keys', 'unroll:*').match(/^unroll:runs-.*:r-[0-9a-f]{12}-[0-9a-f]{24}$/gm)?.length ?? 0;
        const first = sweepOf([1, 2, 3]);
        await until(() => begun(worker) > 0 && jobs() === 3, worker.said);
        // Otherwise a fast machine trains everything before it is cancelled.
        worker.process.kill('SIGSTOP');
        // It queues one run, and waits for two that the first one has queued.
        const second = sweepOf([2, 3, 4]);
        await until(() => jobs() === 4, worker.said);
        const [cancelled, kept] = isFirstCancelled ? [first, second] : [second, first];
        expect((await cancelled.rig.unroll('cancel', 'trial')).code).toBe(0);
        worker.process.kill('SIGCONT');
        const { code, stdout } = await cancelled.started.finished;
        expect(code, stdout).toBe(1);
        const end = await kept.started.finished;
        expect(end.code, `${end.stdout}${end.stderr}${worker.said()}`).toBe(0);
        await expectRecorded(kept.rig, kept.text);
      }
    });

    test('a cancelled sweep leaves the runs of another one in the queue, also while both commands are away', async () => {
      const redis = await startRedis();
      const texts = [spec(20, [1, 2, 3]), spec(20, [2, 3, 4])] as const;
      const [cancelled, kept] = [
        submitter(redis.url, { spec: texts[0] }),
        submitter(redis.url, { spec: texts[1] }),
      ];
      await leaveQueued(redis, cancelled, 3);
      await leaveQueued(redis, kept, 6);
      const { stdout } = await cancelled.unroll('cancel', 'trial');
      expect(stdout).toContain('Cancelled 1 queued run and 0 running ones');
      expect(stdout).toContain('2 runs stay, because another sweep waits for them, too');
      const worker = await startWorker(redis.url);
      await until(() => worker.said().split('ended trial/').length === 4, worker.said);
      const attached = await kept.unroll('attach', 'trial', '--no-mlflow');
      expect(attached.code, attached.stderr).toBe(0);
      expect(begun(worker)).toBe(3);
      await expectRecorded(kept, texts[1]);
      expect(claims(redis)).toBe(0);
    });

    test('what Redis forgets an hour after one command has recorded its runs is not needed by another one', async () => {
      const redis = await startRedis();
      const texts = [spec(20, [1, 2]), spec(20, [2, 3])] as const;
      const [early, late] = [
        submitter(redis.url, { spec: texts[0] }),
        submitter(redis.url, { spec: texts[1] }),
      ];
      await leaveQueued(redis, early, 2);
      await leaveQueued(redis, late, 4);
      const worker = await startWorker(redis.url);
      await until(() => worker.said().split('ended trial/').length === 4, worker.said);
      expect(await early.unroll('attach', 'trial', '--no-mlflow')).toMatchObject({ code: 0 });
      const files = ask(redis, 'keys', 'unroll:file:*').split('\n').filter(Boolean);
      const soon = files.filter((key) => Number(ask(redis, 'ttl', key)) <= 3600);
      expect(soon).not.toEqual([]);
      ask(redis, 'del', ...soon);
      expect(await late.unroll('attach', 'trial', '--no-mlflow')).toMatchObject({ code: 0 });
      expect(begun(worker)).toBe(3);
      await expectRecorded(late, texts[1]);
    });

    test(
      'the end of the time of one command interrupts no run that another one waits for',
      tenMinutes,
      async () => {
        const redis = await startRedis();
        const worker = await startWorker(redis.url);
        const text = spec(5000, [1, 2]);
        const limited = submitter(redis.url, { spec: withTime(text, '4s') });
        const other = submitter(redis.url, { spec: text });
        const first = limited.start(...runOnWorkers);
        await until(() => claims(redis) === 2, worker.said);
        // Its time may go by, and it does not act before the other one is there.
        first.process.kill('SIGSTOP');
        const second = other.start(...runOnWorkers);
        await until(() => claims(redis) === 4, worker.said);
        first.process.kill('SIGCONT');
        const over = await first.finished;
        expect(over.code, `${over.stdout}${over.stderr}${worker.said()}`).toBe(0);
        expect(over.stdout).toContain('The budget of 4.0s is spent');
        const end = await second.finished;
        expect(end.code, `${end.stdout}${end.stderr}${worker.said()}`).toBe(0);
        expect(worker.said()).not.toContain('stopping');
        await expectRecorded(other, text);
        // What was trained for the other one is there for this one, too.
        expect((await limited.unroll(...runOnWorkers)).code).toBe(0);
        expect(begun(worker)).toBe(2);
        expect(numbersOf(limited)).toEqual(numbersOf(other));
      },
    );

    test('a run that ended early with the time of one command is resumed for the next one', async () => {
      const redis = await startRedis();
      const worker = await startWorker(redis.url);
      const text = spec(8000, [1]);
      const limited = submitter(redis.url, { spec: withTime(text, '4s') });
      const { stdout, stderr } = await limited.unroll(...runOnWorkers);
      expect(recordedIn(limited), `${stdout}${stderr}${worker.said()}`).toEqual(['interrupted']);
      const other = submitter(redis.url, { spec: text });
      const end = await other.unroll(...runOnWorkers);
      expect(end.code, `${end.stdout}${end.stderr}${worker.said()}`).toBe(0);
      expect(end.stdout).toContain('was interrupted for another command');
      await expectRecorded(other, text);
    });

    test('a Redis that loses everything in the middle costs no run', async () => {
      const redis = await startRedis();
      const worker = await startWorker(redis.url);
      const text = spec(150, [1, 2, 3, 4]);
      const rig = submitter(redis.url, { spec: text });
      const sweep = rig.start(...runOnWorkers);
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
        const rig = submitter(redis.url, { spec: text, environment: hold.environment });
        const sweep = rig.start(...runOnWorkers);
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
      const rig = submitter(redis.url, { spec: text, environment: hold.environment });
      const sweep = rig.start(...runOnWorkers);
      await until(() => hold.isHeld() || sweep.process.exitCode !== null, worker.said);
      const cancelled = await submitter(redis.url, { directory: rig.directory }).unroll('cancel', 'trial');
      expect(cancelled.stdout).toContain('Cancelled 1 queued run and 1 running one');
      hold.release();
      const { code, stdout } = await sweep.finished;
      expect(code, stdout).toBe(1);
      expect(recordedIn(rig)).toEqual(['completed']);
      expect(await rig.unroll('check', 'runs')).toMatchObject({ code: 0 });
      const before = begun(worker);
      expect((await submitter(redis.url, { directory: rig.directory }).unroll(...runOnWorkers)).code).toBe(0);
      expect(begun(worker) - before).toBe(2);
      await expectRecorded(rig, text);
    });

    test('a command that is killed at any call of recording a run loses nothing of it', async () => {
      for (const isResumed of [false, true]) {
        const redis = await startRedis();
        const worker = await startWorker(redis.url);
        const text = spec(isResumed ? 300 : 20, [1, 2]);
        const rig = submitter(redis.url, { spec: text });
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
          const again = submitter(redis.url, { directory: rig.directory, environment: hold.environment });
          const { code, signal, stderr } = await again.unroll(...runOnWorkers);
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
