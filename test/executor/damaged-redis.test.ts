import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { queueName } from '../../src/executor/bullmq/protocol.ts';
import { noRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { until, type Rig } from '../support/rig.ts';
import { numbersOf } from '../support/run-numbers.ts';
import { testSeed } from '../support/seed.ts';
import { smallSpec } from '../support/small-sweep.ts';
import { runOnWorkers, startWorker, submitter, trainedHere, type StartedWorker } from '../support/workers.ts';

const queue = `unroll:${queueName('default')}`;

/** What each key of a queue is for BullMQ. */
const ofQueue = {
  ...{ wait: 'list', active: 'list', prioritized: 'zset', delayed: 'zset', completed: 'zset' },
  ...{ failed: 'zset', marker: 'zset', stalled: 'set', events: 'stream', meta: 'hash' },
  ...{ id: 'string', pc: 'string', limiter: 'string', 'stalled-check': 'string' },
} as const;

const writers: Readonly<Record<string, (client: Redis, key: string) => Promise<unknown>>> = {
  string: (client, key) => client.set(key, 'x'),
  list: (client, key) => client.rpush(key, 'x'),
  set: (client, key) => client.sadd(key, 'x'),
  zset: (client, key) => client.zadd(key, 1, 'x'),
  hash: (client, key) => client.hset(key, 'x', 'y'),
  stream: (client, key) => client.xadd(key, '*', 'event', 'x'),
};

const clientOf = ({ url }: TestRedis): Redis => {
  const client = new Redis(url);
  onTestFinished(() => client.disconnect());
  return client;
};

/** Some of all pairs of a key and another type than it has. */
const drawn = (count: number): readonly (readonly [key: string, type: string])[] => {
  const random = randomStream(testSeed, 'foreign-keys');
  const all = Object.entries(ofQueue).flatMap(([key, own]) =>
    Object.keys(writers)
      .filter((type) => type !== own)
      .map((type) => [key, type] as const),
  );
  return Array.from({ length: count }, () => all[random.integer(all.length)] ?? ['wait', 'hash']);
};

const text = smallSpec({ steps: 2, seeds: 4, run: 'threadsPerRun: 1' });

/** A Redis with the runs of a sweep, which no worker serves and whose command has left; and the keys of their jobs. */
const queuedSweep = async () => {
  const redis = await startRedis();
  const client = clientOf(redis);
  const rig = submitter(redis.url, { spec: text });
  const sweep = rig.start(...runOnWorkers);
  let jobs: readonly string[] = [];
  await until(async () => {
    jobs = await client.keys(`${queue}:r-*`);
    return jobs.length === 4 || sweep.process.exitCode !== null;
  });
  sweep.process.kill('SIGINT');
  expect((await sweep.finished).code).toBe(130);
  return { redis, client, rig, jobs: jobs.toSorted() };
};

/** Waits for the runs of a sweep, which must have the numbers of an undisturbed one. Returns what the command prints. */
const attached = async (rig: Rig, worker: StartedWorker) => {
  const { code, stdout, stderr } = await rig.unroll('attach', 'trial', '--no-mlflow');
  expect(code, stdout + stderr + worker.said()).toBe(0);
  expect(stdout + stderr).not.toMatch(noTrace);
  expect(worker.said()).not.toMatch(noTrace);
  expect(numbersOf(rig)).toEqual(numbersOf(await trainedHere(text)));
  return stdout;
};

const nested = `${'['.repeat(450_000)}${']'.repeat(450_000)}`;

const noTrace = /^\s+at |This is a bug/m;

describe.skipIf(noRedis !== undefined)(
  `a Redis server whose keys others have damaged (${noRedis ?? 'redis-server'})`,
  () => {
    test('a key of a queue of another type is one message of the commands that use the queue', async () => {
      const redis = await startRedis();
      const client = clientOf(redis);
      for (const [key, type] of drawn(4)) {
        await client.flushall();
        await writers[type]?.(client, `${queue}:${key}`);
        const rig = submitter(redis.url, { spec: text });
        for (const words of [['worker'], runOnWorkers]) {
          const { code, stdout, stderr } = await rig.unroll(...words);
          const context = `${key} ${type} ${words[0]}: ${stdout}${stderr}`;
          expect(stderr, context).toContain('has keys that begin with unroll: and are not as Unroll writes');
          expect(stderr, context).toContain(`${key} is a ${type}, not a `);
          expect(stderr.match(/error \[/g), context).toHaveLength(1);
          expect(code, context).toBe(2);
        }
        expect((await rig.unroll('workers')).code).toBe(0);
      }
    });

    test('damaged jobs keep no worker from the others, and are queued again to the same numbers', async () => {
      const { redis, client, rig, jobs } = await queuedSweep();
      const [one = '', two = '', three = '', four = ''] = jobs;
      const data = (await client.hget(three, 'data')) ?? '';
      await client.hset(one, 'data', '{{{');
      await client.hset(two, 'opts', '{{{');
      await client.hset(three, 'data', data.replace('"dataset":{', `"dataset":{"more":${nested},`));
      const worker = await startWorker(redis.url);
      await until(() => worker.said().includes('ended '), worker.said);
      expect(worker.said()).toContain(`ended trial/${four.split(':r-')[1]?.slice(0, 12)}`);
      await until(() => worker.said().includes('cannot read the job. ('), worker.said);
      await until(() => worker.said().match(/BullMQ cannot read it/g)?.length === 2, worker.said);
      await attached(rig, worker);
    });

    test('jobs whose counts are no numbers, or that have children, are queued again to the same numbers', async () => {
      const { redis, client, rig, jobs } = await queuedSweep();
      const [one = '', two = '', three = '', four = ''] = jobs;
      await client.hset(one, 'ats', 'null');
      await client.hset(two, 'stc', '1x');
      await client.set(`${three}:dependencies`, 'x');
      await client.hset(four, 'rjk', 'x');
      const worker = await startWorker(redis.url);
      await attached(rig, worker);
      expect(worker.said().match(/BullMQ cannot read it/g)?.length, worker.said()).toBeGreaterThanOrEqual(2);
    });

    test('damaged results are trained again to the same numbers', async () => {
      const { redis, client, rig, jobs } = await queuedSweep();
      const [one = '', two = '', three = '', four = ''] = jobs;
      const worker = await startWorker(redis.url);
      await until(() => worker.said().match(/ended /g)?.length === 4, worker.said);
      for (const job of [one, two, three, four])
        await until(async () => (await client.hexists(job, 'returnvalue')) > 0);
      const result = JSON.parse((await client.hget(two, 'returnvalue')) ?? '') as string;
      await client.hset(one, 'returnvalue', JSON.stringify(JSON.stringify({ outcome: 'exploded' })));
      const deep = result.replace('"manifest":{', `"manifest":{"more":${nested},`);
      await client.hset(two, 'returnvalue', JSON.stringify(deep));
      for (const piece of await client.keys(`unroll:file:${three.split(':').at(-1)}:*`))
        await client.set(piece, 'x'.repeat(await client.strlen(piece)));
      expect(await attached(rig, worker)).toContain('It is queued again.');
      expect(worker.said().match(/ended /g)).toHaveLength(7);
    });

    test('jobs that no list of the queue has are queued again', async () => {
      const { redis, client, rig } = await queuedSweep();
      await client.del(`${queue}:prioritized`, `${queue}:marker`);
      const worker = await startWorker(redis.url);
      expect(await attached(rig, worker)).toContain('They are queued again.');
    });

    test('a key that changes its type while a command waits ends the waiting, and loses no run', async () => {
      const { redis, client, rig } = await queuedSweep();
      const back = rig.start('attach', 'trial', '--no-mlflow');
      let said = '';
      back.process.stdout?.on('data', (part: string) => (said += part));
      await until(() => said.includes('4 runs') || back.process.exitCode !== null);
      await client.set(`${queue}:active`, 'x');
      const { code, stdout, stderr } = await back.finished;
      expect(stdout).toContain(`${queue}:active is a string`);
      expect(code, stdout + stderr).toBe(1);
      await client.del(`${queue}:active`);
      const worker = await startWorker(redis.url);
      await attached(rig, worker);
    });

    test('cancel reaches a command that has left and still queues its runs', async () => {
      const redis = await startRedis();
      const client = clientOf(redis);
      const many = smallSpec({ steps: 2, seeds: 1500, run: 'threadsPerRun: 1' });
      const rig = submitter(redis.url, { spec: many });
      const sweep = rig.start(...runOnWorkers, '--yes');
      const untilQueued = (least: number) =>
        until(
          async () => (await client.zcard(`${queue}:prioritized`)) > least || sweep.process.exitCode !== null,
        );
      await untilQueued(200);
      sweep.process.kill('SIGINT');
      await untilQueued(1100);
      sweep.process.kill('SIGSTOP');
      const cancelled = await rig.unroll('cancel', 'trial');
      expect(cancelled.code, cancelled.stderr).toBe(0);
      expect(cancelled.stdout).toMatch(/^Cancelled [1-9]/);
      sweep.process.kill('SIGCONT');
      const { code, stdout } = await sweep.finished;
      expect(code, stdout).toBe(130);
      expect(await client.zcard(`${queue}:prioritized`), stdout).toBe(0);
    });
  },
);
