import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/system/package-root.ts';
import { freePort } from '../support/free-port.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { until } from '../support/rig.ts';
import { numbersOf } from '../support/run-numbers.ts';
import { smallSpec } from '../support/small-sweep.ts';
import { writeTableSweep } from '../support/table-sweep.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import {
  childrenOf,
  isThere,
  runOnWorkers,
  startWorker,
  submitter,
  trainedHere,
} from '../support/workers.ts';

/** An address of this machine by which others reach it. */
const ownAddress = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

const spec = (steps: number, seeds: number): string => smallSpec({ steps, seeds, run: 'threadsPerRun: 1' });

describe.skipIf(noRedis !== undefined)(
  `workers that share a Redis server (${noRedis ?? 'redis-server'})`,
  () => {
    test('two workers train a sweep to the bits of one machine, and a second command trains nothing again', async () => {
      const redis = await startRedis();
      const both = [await startWorker(redis.url), await startWorker(redis.url)];
      const text = spec(30, 12);
      const rig = submitter(redis.url, { spec: text });
      const first = await rig.unroll(...runOnWorkers);
      expect(first.code, first.stderr).toBe(0);
      const here = await trainedHere(text);
      expect(numbersOf(rig)).toEqual(numbersOf(here));
      expect(await rig.unroll('check', 'runs')).toMatchObject({ code: 0 });
      for (const { said } of both) expect(said()).toContain('began trial/');

      const begun = () =>
        both
          .map(({ said }) => said())
          .join('')
          .match(/began /g)?.length;
      expect(begun()).toBe(12);
      const other = submitter(redis.url, { spec: text });
      expect(await other.unroll(...runOnWorkers)).toMatchObject({ code: 0 });
      expect(numbersOf(other)).toEqual(numbersOf(here));
      expect(begun()).toBe(12);
    });

    test('a search with tpe and asha decides as on one machine', async () => {
      const text = `
version: 1
name: trial
dataset: { name: toy-sequences, trainSize: 200, validationSize: 50, testSize: 50 }
model: { name: lstm, hiddenSize: 8 }
optimizer: { name: adam, learningRate: 0.01 }
train: { batchSize: 16, steps: 36, displayEvery: 4, evaluateEvery: 4 }
objective: { metric: val/loss, goal: minimize }
run: { threadsPerRun: 1 }
sweep:
  method: tpe
  samples: 8
  seed: 5
  pruning: { name: asha, minSteps: 8, reductionFactor: 3 }
  axes: { optimizer.learningRate: { logUniform: [0.0001, 0.1] } }
`;
      const here = await trainedHere(text);
      const redis = await startRedis();
      await startWorker(redis.url);
      await startWorker(redis.url);
      const rig = submitter(redis.url, { spec: text });
      const there = await rig.unroll(...runOnWorkers);
      expect(there.code, there.stderr).toBe(0);
      expect(numbersOf(rig).some(({ reason }) => reason === 'pruned')).toBe(true);
      expect(numbersOf(rig)).toEqual(numbersOf(here));
    });

    test('a worker that is killed loses no run, and its child dies with it', async () => {
      const redis = await startRedis();
      const victim = await startWorker(redis.url);
      const text = spec(400, 2);
      const rig = submitter(redis.url, { spec: text });
      const sweep = rig.start(...runOnWorkers);
      const child = await until(() => childrenOf(victim.process.pid)[0], victim.said);
      await until(() => victim.said().includes('began '));
      victim.process.kill('SIGKILL');
      await until(() => !isThere(child));
      await startWorker(redis.url);
      const { code, stdout, stderr } = await sweep.finished;
      expect(code, stderr).toBe(0);
      expect(stdout).toContain('its worker was lost');
      expect(numbersOf(rig)).toEqual(numbersOf(await trainedHere(text)));
    });

    test('a Redis that is killed and started again loses no run', async () => {
      const redis = await startRedis(['appendfsync always']);
      const worker = await startWorker(redis.url);
      const text = spec(150, 4);
      const rig = submitter(redis.url, { spec: text });
      const sweep = rig.start(...runOnWorkers);
      await until(() => worker.said().includes('ended '), worker.said);
      await redis.kill();
      await redis.start();
      const { code, stderr } = await sweep.finished;
      expect(code, stderr).toBe(0);
      expect(numbersOf(rig)).toEqual(numbersOf(await trainedHere(text)));
    });

    test('Ctrl-C leaves the runs to the workers, and attach collects them', async () => {
      const redis = await startRedis();
      const text = spec(40, 4);
      const rig = submitter(redis.url, { spec: text });
      const sweep = rig.start(...runOnWorkers);
      let said = '';
      sweep.process.stdout?.on('data', (part: string) => (said += part));
      await until(() => said.includes('4 runs'));
      sweep.process.kill('SIGINT');
      const left = await sweep.finished;
      expect(left.code).toBe(130);
      expect(left.stdout).toContain('unroll attach');
      expect(left.stdout).not.toContain('unroll resume');
      const worker = await startWorker(redis.url);
      await until(() => (worker.said().match(/ended /g)?.length ?? 0) === 4, worker.said);
      const back = await rig.unroll('attach', 'trial', '--no-mlflow');
      expect(back.code, back.stderr).toBe(0);
      expect(worker.said().match(/began /g)).toHaveLength(4);
      expect(numbersOf(rig)).toEqual(numbersOf(await trainedHere(text)));
    });

    test('cancel takes queued runs back and ends the active one', async () => {
      const redis = await startRedis();
      const worker = await startWorker(redis.url);
      const rig = submitter(redis.url, { spec: spec(20_000, 3) });
      const sweep = rig.start(...runOnWorkers);
      await until(() => worker.said().includes('began '), worker.said);
      const cancelled = await rig.unroll('cancel', 'trial');
      expect(cancelled.stdout).toContain('Cancelled 2 queued runs and 1 running one');
      const { code } = await sweep.finished;
      expect(code).toBe(1);
      await until(() => worker.said().includes('stopping '), worker.said);
      expect(worker.said().match(/began /g)).toHaveLength(1);
      expect(JSON.parse((await rig.unroll('workers', '--json')).stdout)).toMatchObject([{ isAlive: true }]);
    });

    describe('a wrong set-up gives one message', () => {
      const refusedBy = async (url: string, environment: NodeJS.ProcessEnv = {}): Promise<string> => {
        const rig = submitter(url, { spec: spec(5, 1), environment });
        const { code, stderr } = await rig.unroll(...runOnWorkers);
        expect(code, stderr).toBe(2);
        expect(stderr.match(/ error /g) ?? stderr.match(/error/g), stderr).toHaveLength(1);
        return stderr;
      };

      test('no Redis, an address that is none, a wrong password, none', async () => {
        expect(await refusedBy(`redis://127.0.0.1:${await freePort()}`)).toContain('No Redis answers');
        expect(await refusedBy('hub')).toContain('is not the address of a Redis server');
        expect(await refusedBy('redis://me:100%@127.0.0.1:1')).toContain('is not percent-encoded');
        const { port } = await startRedis(['requirepass sesame-open']);
        const wrong = await refusedBy(`redis://:wrong-word@127.0.0.1:${port}`);
        expect(wrong).toContain('refuses the user or the password');
        expect(wrong).toContain(`redis://USER:PASSWORD@127.0.0.1:${port}`);
        const none = await refusedBy(`redis://127.0.0.1:${port}`);
        expect(none).toContain('requires a password');
        expect(none).toContain(`redis://:PASSWORD@127.0.0.1:${port}`);
      });

      test.skipIf(ownAddress === undefined)(
        'a Redis that listens on its own host only, and one that has no password for others',
        async () => {
          const own = await startRedis();
          const alone = await refusedBy(`redis://${ownAddress}:${own.port}`);
          expect(alone).toContain('No Redis answers');
          expect(alone).toContain('bind * -::*');
          const open = await startRedis(['bind * -::*']);
          const denied = await refusedBy(`redis://${ownAddress}:${open.port}`);
          expect(denied).toContain('has no password, so it serves its own host only');
          expect(denied).toContain(`redis://:PASSWORD@${ownAddress}:${open.port}`);
        },
      );

      test('TLS that is missing, not expected, or of an unknown authority; and a user with too few rights', async () => {
        const folder = temporaryDirectory();
        const made = spawnSync('openssl', [
          ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1'],
          ...['-addext', 'subjectAltName=IP:127.0.0.1'],
          ...['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')],
        ]);
        expect(made.status, String(made.stderr)).toBe(0);
        const certificate = join(folder, 'cert.pem');
        const lines = [
          `tls-cert-file ${certificate}`,
          `tls-key-file ${join(folder, 'key.pem')}`,
          `tls-ca-cert-file ${certificate}`,
          'tls-auth-clients no',
          'user default off',
          'user sweep on >sesame-open ~unroll:* &unroll:* +@all -@dangerous +info',
          'user guest on >sesame-open ~other:* +@all -@dangerous +info',
        ];
        const { port } = await startRedis(lines, { tls: true });
        const address = `127.0.0.1:${port}`;
        const trusted = { UNROLL_REDIS_CA: certificate };
        expect(await refusedBy(`redis://sweep:sesame-open@${address}`)).toContain('rediss://');
        expect(await refusedBy(`rediss://sweep:sesame-open@${address}`)).toContain('is not trusted');
        expect(await refusedBy(`rediss://guest:sesame-open@${address}`, trusted)).toContain('too few rights');
        const plain = await startRedis();
        expect(await refusedBy(`rediss://127.0.0.1:${plain.port}`)).toContain('redis://');

        const url = `rediss://sweep:sesame-open@${address}`;
        await startWorker(url, { environment: trusted });
        const rig = submitter(url, { spec: spec(5, 1), environment: trusted });
        const { code, stderr } = await rig.unroll(...runOnWorkers);
        expect(code, stderr).toBe(0);
      });

      test('data that a worker lacks or has otherwise, a disk that it cannot write, and another version', async () => {
        const redis = await startRedis();
        const { specs, table, file } = writeTableSweep(temporaryDirectory());
        const rig = submitter(redis.url, { directory: specs });
        const refused = async (part: string) => {
          const { code, stderr } = await rig.unroll(...runOnWorkers);
          expect(code, stderr).toBe(2);
          expect(stderr).toContain(part);
          expect(stderr).not.toContain('the folder of the spec');
        };
        const data = temporaryDirectory();
        const first = await startWorker(redis.url, { environment: { UNROLL_DATA_DIR: data } });
        await refused('is missing');
        writeFileSync(join(data, 'rows.csv'), `${table}99,0.5,up\n`);
        await refused('is other data');
        copyFileSync(file, join(data, 'rows.csv'));
        const { code, stderr } = await rig.unroll(...runOnWorkers);
        expect(code, stderr).toBe(0);
        const [id = ''] = rig.runIds('trial');
        expect(readFileSync(rig.runPath('trial', id, 'run.json'), 'utf8')).toContain('../tables/rows.csv');
        first.process.kill('SIGINT');
        expect((await first.finished).code).toBe(0);

        const unwritable = await startWorker(redis.url, {
          environment: { UNROLL_WORKER_DIR: join(file, 'below-a-file') },
        });
        expect(await unwritable.finished).toMatchObject({ code: 2 });
        expect(unwritable.said()).toContain('cannot write its runs');

        await startWorker(redis.url, { root: otherVersion() });
        await refused('is of another version of Unroll');
      });
    });
  },
);

/** The built package with another version number. */
const otherVersion = (): string => {
  const root = temporaryDirectory();
  for (const name of ['bin', 'dist', 'native'])
    if (existsSync(join(packageRoot, name)))
      cpSync(join(packageRoot, name), join(root, name), { recursive: true });
  symlinkSync(join(packageRoot, 'node_modules'), join(root, 'node_modules'));
  const own = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as object;
  mkdirSync(dirname(join(root, 'package.json')), { recursive: true });
  writeFileSync(join(root, 'package.json'), JSON.stringify({ ...own, version: '9.9.9' }));
  return root;
};
