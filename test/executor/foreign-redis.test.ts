import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { spokenVersion } from '../../src/executor/bullmq/protocol.ts';
import { noRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { createRig } from '../support/rig.ts';
import { smallSpec } from '../support/small-sweep.ts';

const write = ({ port }: TestRedis, ...words: readonly string[]) => {
  const { status } = spawnSync('redis-cli', ['-p', String(port), ...words]);
  expect(status, words.join(' ')).toBe(0);
};

const facts = {
  ...{ id: 'w', host: 'a\u001b[2J\u202eb', pid: 1, speaks: spokenVersion, class: 'default' },
  ...{ slots: 1, cores: 1, busy: 0, startedAt: 0, clock: 0 },
};

describe.skipIf(noRedis !== undefined)(
  `a Redis server in which others write (${noRedis ?? 'redis-server'})`,
  () => {
    test('keys of another type are one message of each command', async () => {
      const redis = await startRedis();
      write(redis, 'set', 'unroll:workers', 'x');
      const rig = createRig({ UNROLL_REDIS_URL: redis.url });
      rig.write('spec.yaml', smallSpec({ steps: 2 }));
      const run = ['run', 'spec.yaml', '--no-mlflow', '--executor', 'bullmq'];
      for (const words of [['workers'], ['worker'], run]) {
        const { code, stderr } = await rig.unroll(...words);
        expect(stderr).toContain('has keys that begin with unroll: and are not as Unroll writes them');
        expect(stderr).toContain('help: ');
        expect(stderr.match(/error \[/g)).toHaveLength(1);
        expect(code).toBe(2);
      }
    });

    test('the name of a worker cannot drive a terminal, and what is no worker is left out', async () => {
      const redis = await startRedis();
      write(redis, 'hset', 'unroll:workers', 'w', JSON.stringify(facts), 'x', '{{{', 'y', '['.repeat(9999));
      write(redis, 'set', 'unroll:alive:w', '1');
      const { code, stdout, stderr } = await createRig({ UNROLL_REDIS_URL: redis.url }).unroll('workers');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain(String.raw`a\u001b[2J\u202eb`);
      expect(stdout.trim().split('\n')).toHaveLength(2);
    });
  },
);
