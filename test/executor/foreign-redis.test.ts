import { spawnSync } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { areThere, openFiles, receive } from '../../src/executor/bullmq/file-transfer.ts';
import { keys, spokenVersion } from '../../src/executor/bullmq/protocol.ts';
import { noRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { smallSpec } from '../support/small-sweep.ts';
import { runOnWorkers, submitter } from '../support/workers.ts';

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
      const rig = submitter(redis.url, { spec: smallSpec({ steps: 2 }) });
      for (const words of [['workers'], ['worker'], runOnWorkers]) {
        const { code, stderr } = await rig.unroll(...words);
        expect(stderr).toContain('has keys that begin with unroll: and are not as Unroll writes them');
        expect(stderr).toContain('help: ');
        expect(stderr.match(/error \[/g)).toHaveLength(1);
        expect(code).toBe(2);
      }
    });

    test('the name of a worker cannot drive a terminal, and what is no worker is left out', async () => {
      const redis = await startRedis();
      write(
        redis,
        'hset',
        'unroll:workers',
        'w',
        JSON.stringify(facts),
        'x',
        '{{{',
        'y',
        '['.repeat(9999),
        'z',
        JSON.stringify({ ...facts, host: 'h'.repeat(100_000) }),
      );
      write(redis, 'set', 'unroll:alive:w', '1');
      const { code, stdout, stderr } = await submitter(redis.url).unroll('workers');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain(String.raw`a\u001b[2J\u202eb`);
      expect(stdout.trim().split('\n')).toHaveLength(2);
    });

    test('what is no job of a sweep is not cancelled, and ends in no stack trace', async () => {
      const redis = await startRedis();
      const rig = submitter(redis.url, { spec: smallSpec({ steps: 2 }) });
      const { code, stdout } = await rig.unroll('run', 'spec.yaml', '--no-mlflow', '--json');
      expect(code).toBe(0);
      const { sweepId } = JSON.parse(stdout) as { sweepId: string };
      const queue = `runs-${spokenVersion}-default`;
      const others = Array.from({ length: 2000 }, (_, at) => `runs-p1-0.0.1-c${at} r-${at}`);
      const strange = [
        ...others,
        '',
        ' ',
        'a:b c',
        `${queue} a:b`,
        `${queue} r-garbage`,
        `${queue} r-null`,
        'x'.repeat(100_000),
      ];
      write(redis, 'sadd', `unroll:sweep:${sweepId}`, ...strange);
      write(redis, 'hset', `unroll:${queue}:r-garbage`, 'data', '{{{', 'timestamp', '1');
      write(redis, 'hset', `unroll:${queue}:r-null`, 'data', '{}', 'opts', 'null', 'timestamp', '1');
      const cancelled = await rig.unroll('cancel');
      expect(cancelled.stderr).toBe('');
      expect(cancelled.stdout).toContain(`No run of the sweep ${sweepId} is queued or running.`);
      expect(cancelled.code).toBe(0);
    });

    test('a set of jobs of another type is one message before a run is queued, and of cancel', async () => {
      const redis = await startRedis();
      const rig = submitter(redis.url, { spec: smallSpec({ steps: 2 }) });
      const local = await rig.unroll('run', 'spec.yaml', '--no-mlflow', '--json');
      const { sweepId } = JSON.parse(local.stdout) as { sweepId: string };
      write(redis, 'set', `unroll:sweep:${sweepId}`, 'x');
      const message = 'has keys that begin with unroll: and are not as Unroll writes them';
      for (const [words, expected] of [
        [['cancel'], 2],
        [[...runOnWorkers, '--force'], 1],
      ] as const) {
        const { code, stdout, stderr } = await rig.unroll(...words);
        expect((stdout + stderr).split(message), stdout + stderr).toHaveLength(2);
        expect(code, stderr).toBe(expected);
      }
    });

    test('a file that would have any number of pieces is looked for piece by piece', async () => {
      const redis = await startRedis();
      const client = new Redis(redis.url);
      const claimed = { bytes: Number.MAX_SAFE_INTEGER, sha256: 'a'.repeat(64) };
      expect(await areThere({ client }, [claimed])).toBe(false);
      await client.set(keys.file(claimed.sha256, 0), 'piece');
      expect(await areThere({ client }, [claimed])).toBe(false);
      expect(await areThere({ client }, [{ ...claimed, bytes: 5 }])).toBe(true);
      const pieces: string[] = [];
      for await (const piece of receive({ client }, claimed)) pieces.push(Buffer.from(piece).toString());
      expect(pieces).toEqual(['piece']);
      client.disconnect();
    });

    test('of a value that is larger than its file no more is fetched than shows it', async () => {
      const redis = await startRedis();
      const client = new Redis(redis.url);
      const small = { bytes: 10, sha256: 'a'.repeat(64) };
      const large = { bytes: 1_500_000, sha256: 'b'.repeat(64) };
      await client.set(keys.file(small.sha256, 0), Buffer.alloc(20_000_000));
      for (const piece of [0, 1]) await client.set(keys.file(large.sha256, piece), Buffer.alloc(20_000_000));
      const open = await openFiles({ client }, [small, large]);
      expect(open?.(small)).toHaveLength(11);
      const pieces: number[] = [];
      for await (const piece of receive({ client }, large)) pieces.push(piece.byteLength);
      expect(pieces).toEqual([(1 << 20) + 1, 1_500_000 - (1 << 20) + 1]);
      await client.del(keys.file(small.sha256, 0));
      expect(await openFiles({ client }, [small])).toBeUndefined();
      client.disconnect();
    });

    test.each([
      ['HTTP', () => 'HTTP/1.1 400 Bad Request\r\n\r\n'],
      ['answers in answers', () => '*1\r\n'.repeat(300_000)],
      [
        'a number for each command',
        (asked: string) => ':5\r\n'.repeat(asked.match(/\*\d+\r\n/g)?.length ?? 1),
      ],
      [
        'more than it was asked',
        (asked: string) => '$-1\r\n'.repeat(2 + (asked.match(/\*\d+\r\n/g)?.length ?? 1)),
      ],
    ])('a port of another program, which answers with %s, is named', async (_, answer) => {
      const server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.on('data', (data) => void socket.write(answer(String(data))));
      });
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
      onTestFinished(() => void server.close());
      const { port } = server.address() as AddressInfo;
      const { code, stderr } = await submitter(`redis://127.0.0.1:${port}`).unroll('workers');
      expect(stderr).toContain(`What answers at 127.0.0.1:${port} is not a Redis server.`);
      expect(code).toBe(2);
    });

    test('the long refusal of a Redis without a password is read to its end', async () => {
      const refusal = `-DENIED ${'Redis is running in protected mode. '.repeat(40)}\r\n`;
      const server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.resume().end(refusal);
      });
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
      onTestFinished(() => void server.close());
      const { port } = server.address() as AddressInfo;
      const { code, stderr } = await submitter(`redis://127.0.0.1:${port}`).unroll('workers');
      expect(stderr).toContain('has no password, so it serves its own host only');
      expect(code).toBe(2);
    });
  },
);
