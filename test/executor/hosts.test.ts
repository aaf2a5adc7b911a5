import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { randomStream, type Random } from '../../src/data/random.ts';
import { queueName } from '../../src/executor/bullmq/protocol.ts';
import { prefix } from '../../src/executor/bullmq/redis.ts';
import { commandOf, makeHosts, noHosts, type Host } from '../support/hosts.ts';
import { whyNoMlflow } from '../support/mlflow/real-server.ts';
import { noRedis } from '../support/redis.ts';
import { createRig, until, type Started } from '../support/rig.ts';
import { numbersOf } from '../support/run-numbers.ts';
import { testSeed } from '../support/seed.ts';
import { smallSpec } from '../support/small-sweep.ts';

/** `npm run test:hosts` trains 40 runs and repeats each fault; CI has time for fewer. */
const isLong = process.env['UNROLL_HOSTS'] !== undefined;

const size = isLong
  ? { hiddenSizes: [4, 5, 6, 7, 8, 9, 10, 12], seeds: 5, rounds: 2 }
  : { hiddenSizes: [4, 8], seeds: 4, rounds: 1 };

const runs = size.hiddenSizes.length * size.seeds;

/** Locks that pass on after this, and checks at a third of it: nobody waits for 40 s in a test. */
const lockMs = 4500;

const why = noHosts ?? noRedis ?? (await whyNoMlflow());

/** A host that trains, with the worker that serves there now. */
interface Station {
  readonly host: Host;
  /** All that the workers of the host have printed. */
  said: string;
  /** How much of it the workers before this one have printed. */
  from: number;
  started: Started;
}

type Fault = (drawn: Random) => Promise<void>;

/** The runs that a worker has begun and not ended. */
const activeOn = ({ said, from }: Station): readonly string[] => {
  const active = new Set<string>();
  for (const [, word, id = ''] of said.slice(from).matchAll(/(began|ended|killed) trial\/([0-9a-f]{12})/g))
    if (word === 'began') active.add(id);
    else active.delete(id);
  return [...active];
};

// CI counts a skipped test as a failure, and may not let anybody make hosts.
if (noHosts !== undefined && process.env['CI'])
  test(`no hosts can be made here: it ${noHosts}`, () => expect(noHosts).toMatch(/^needs /));
else
  describe.skipIf(why !== undefined)(
    `three hosts without a shared file system (${why ?? 'ip netns'})`,
    () => {
      test(
        `${runs} runs are recorded once and equal those of one machine, whatever is killed or cut off`,
        { timeout: 1_200_000 },
        async () => {
          const { hub, others, cut, heal } = makeHosts(['alpha', 'beta']);
          const report = (line: string) => console.log(`  ${line}`);

          const redis = await startRedis(hub);
          const starting = startMlflow(hub);
          const atRedis = {
            UNROLL_REDIS_URL: `redis://:sesame-open@${hub.address}:6379`,
            UNROLL_LOCK_MS: String(lockMs),
          };
          const startWorker = async (host: Host, before = ''): Promise<Station> => {
            const environment = { ...atRedis, UNROLL_WORKER_DIR: join(host.directory, 'scratch') };
            const started = host.rig(environment).start('worker', '--slots', '1');
            const station = { host, started, said: before, from: before.length };
            for (const stream of [started.process.stdout, started.process.stderr])
              stream?.on('data', (text: string) => (station.said += text));
            await until(
              () => station.said.slice(station.from).includes('Redis at'),
              () => station.said,
            );
            return station;
          };
          const stations = await Promise.all(others.map((host) => startWorker(host)));
          const mlflow = await starting;

          const spec = smallSpec({ steps: 150, ...size, run: 'threadsPerRun: 1' });
          const random = randomStream(testSeed, 'hosts');
          const isSameFolder = random.integer(2) === 0;
          const first = hub.rig({ ...atRedis, MLFLOW_TRACKING_URI: mlflow.uri });
          const elsewhere = join(hub.directory, 'second');
          mkdirSync(elsewhere);
          const second = isSameFolder ? first : hub.rig(atRedis, elsewhere);
          for (const rig of new Set([first, second])) rig.write('spec.yaml', spec);
          const command = ['run', 'spec.yaml', '--executor', 'bullmq'] as const;

          const isRecorded = (id: string): boolean =>
            existsSync(first.runPath('trial', id, 'status.json')) &&
            first.status('trial', id).outcome?.reason === 'completed';
          const recorded = (): number => first.runIds('trial').filter(isRecorded).length;
          const state = () =>
            [
              `${recorded()} of ${runs} recorded`,
              ...stations.map(({ host, said }) => `${host.name}: ${said}`),
            ].join('\n');
          const upTo = async (count: number) => await until(() => recorded() >= Math.min(count, runs), state);

          const beginnings = (id: string): number =>
            stations.reduce((sum, { said }) => sum + said.split(`began trial/${id}`).length - 1, 0);

          /** A worker that trains, and what it trains; undefined once the sweep is over. */
          const busyWorker = async ({ integer }: Random) => {
            const order = integer(2) === 0 ? [0, 1] : [1, 0];
            const find = () =>
              order.flatMap((index) => stations[index] ?? []).find((one) => activeOn(one).length > 0);
            const station = await until(() => find() ?? recorded() === runs, state);
            if (station === true) {
              report('the sweep was over before the next fault');
              return undefined;
            }
            return { station, lost: activeOn(station).map((id) => ({ id, before: beginnings(id) })) };
          };

          /** Waits until what a worker has lost is trained again or was recorded, and shows when it was back in the queue. */
          const recovered = async (
            lost: readonly { readonly id: string; readonly before: number }[],
            since: number,
          ) => {
            await until(
              () => lost.every(({ id, before }) => isRecorded(id) || beginnings(id) > before),
              state,
            );
            for (const { id, at } of redis.stalledSince(since))
              if (lost.some((one) => one.id === id))
                report(`run ${id} was back in the queue after ${((at - since) / 1000).toFixed(1)} s`);
          };

          const killWorker: Fault = async (drawn) => {
            const busy = await busyWorker(drawn);
            if (!busy) return;
            const { station, lost } = busy;
            const since = Date.now();
            station.started.process.kill('SIGKILL');
            report(`killed the worker on ${station.host.name} with ${recorded()} runs recorded`);
            await until(() => station.host.processes().length === 0, state);
            await recovered(lost, since);
            stations[stations.indexOf(station)] = await startWorker(station.host, station.said);
          };
          const cutHost: Fault = async (drawn) => {
            const busy = await busyWorker(drawn);
            if (!busy) return;
            const { station, lost } = busy;
            const isBrief = drawn.integer(3) === 0;
            const since = Date.now();
            cut(station.host);
            report(
              `cut off ${station.host.name} ${isBrief ? 'briefly ' : ''}with ${recorded()} runs recorded`,
            );
            if (isBrief) await upTo(recorded() + 1);
            else {
              // It ends what others may begin.
              await until(() => activeOn(station).length === 0, state);
              await recovered(lost, since);
            }
            heal(station.host);
          };
          const killRedis: Fault = async ({ integer }) => {
            report(`killed Redis with ${recorded()} runs recorded`);
            await redis.kill();
            if (integer(2) === 0)
              await until(() => stations.some(({ said }) => said.includes('does not answer')), state);
            await redis.start();
          };
          const restartMlflow: Fault = async ({ integer }) => {
            report(`killed MLflow with ${recorded()} runs recorded`);
            await mlflow.kill();
            if (integer(2) === 0) await upTo(recorded() + 1);
            await mlflow.start();
          };

          /** Faults of one kind, one after another in random order, each at a random moment of the sweep's first half. */
          const during = async (kind: string, faults: readonly Fault[]) => {
            const drawn = randomStream(testSeed, 'hosts', kind);
            const many = Array.from({ length: size.rounds }, () => faults).flat();
            const order = drawn.permutation(many.length);
            const moments = many.map(() => drawn.integer(Math.ceil(runs / 2))).sort((a, b) => a - b);
            for (const [index, moment] of moments.entries()) {
              await upTo(moment);
              await many[order[index] ?? 0]?.(drawn);
            }
          };

          const one = first.start(...command);
          const other = upTo(random.integer(Math.ceil(runs / 4))).then(() =>
            second.start(...command, ...(isSameFolder ? [] : ['--no-mlflow'])),
          );
          report(
            `submitted twice, from ${isSameFolder ? 'one folder' : 'two folders'}, UNROLL_TEST_SEED=${testSeed}`,
          );
          await Promise.all([
            during('workers', [killWorker, cutHost]),
            during('Redis', [killRedis]),
            during('MLflow', [restartMlflow]),
          ]);
          const ends = await Promise.all([one.finished, (await other).finished]);
          for (const { code, stdout, stderr } of ends) expect(code, `${stdout}${stderr}${state()}`).toBe(0);

          const here = createRig({ UNROLL_CACHE: hub.environment['UNROLL_CACHE'] });
          here.write('spec.yaml', spec);
          expect(await here.unroll('run', 'spec.yaml', '--no-mlflow', '--quiet')).toMatchObject({ code: 0 });
          const expected = numbersOf(here);
          expect(expected).toHaveLength(runs);
          for (const rig of new Set([first, second])) {
            expect(numbersOf(rig)).toEqual(expected);
            expect(rig.runIds('trial').map((id) => rig.status('trial', id).attempt)).toEqual(
              expected.map(() => 1),
            );
            expect(await rig.unroll('check', 'runs')).toMatchObject({ code: 0 });
          }
          // What came while MLflow was away is sent later, as the command proposes.
          const sent = await first.unroll('sync', 'trial', '--to', mlflow.uri);
          expect(sent.code, sent.stderr).toBe(0);
          expect(mlflow.runs().sort(), sent.stdout).toEqual(
            expected.map(({ id }) => `${id} FINISHED`).sort(),
          );

          for (const { host, said } of stations)
            report(`${host.name} began ${said.split('began trial/').length - 1} runs`);
          for (const { host, started } of stations) {
            started.process.kill('SIGINT');
            expect((await started.finished).code).toBe(0);
            expect(host.processes().map(commandOf)).toEqual([]);
          }
        },
      );
    },
  );

/** Redis on a host, which answers others with a password. */
const startRedis = async (host: Host) => {
  const settings = [
    ...['--bind', host.address, '--requirepass', 'sesame-open', '--dir', host.directory],
    ...['--appendonly', 'yes', '--save', '', '--maxmemory-policy', 'noeviction'],
  ];
  const ask = (...words: readonly string[]): string => {
    const [program = '', ...rest] = [...host.inside, 'redis-cli', '-h', host.address, ...words];
    return spawnSync(program, rest, {
      encoding: 'utf8',
      env: { ...process.env, REDISCLI_AUTH: 'sesame-open' },
    }).stdout;
  };
  const begin = () => {
    const [program = '', ...rest] = [...host.inside, 'redis-server', ...settings];
    return spawn(program, rest, { stdio: 'ignore', cwd: host.directory });
  };
  let server = begin();
  const answers = async () => await until(() => ask('ping').includes('PONG'));
  await answers();
  return {
    kill: async () => {
      const closed = new Promise((resolve) => server.once('close', resolve));
      server.kill('SIGKILL');
      await closed;
    },
    start: async () => {
      server = begin();
      await answers();
    },
    /** When the jobs of runs went back into the queue, by the clock of Redis. */
    stalledSince: (since: number): readonly { readonly id: string; readonly at: number }[] => {
      const lines = ask('xrange', `${prefix}:${queueName('default')}:events`, String(since), '+').split('\n');
      return lines.flatMap((line, index) => {
        if (line !== 'stalled') return [];
        const [, id = ''] = /^r-([0-9a-f]{12})/.exec(lines[index + 2] ?? '') ?? [];
        const at = Number(lines[index - 2]?.split('-')[0]);
        return [{ id, at }];
      });
    },
  };
};

/** The programs of the MLflow server on a host. */
const startMlflow = async (host: Host) => {
  const isStarted = async (): Promise<boolean> => {
    const { process: command, finished } = host.rig().start('mlflow', '--port', '5000');
    let said = '';
    let ended = false;
    void finished.then(() => (ended = true));
    command.stdout?.on('data', (text: string) => (said += text));
    await until(
      () => said.includes('Record on it') || ended,
      () => said,
    );
    return !ended;
  };
  /** On a busy machine it may take longer than the command waits. */
  const start = async (triesLeft = 3): Promise<void> => {
    if (await isStarted()) return;
    if (triesLeft === 1) throw new Error('MLflow does not start');
    await start(triesLeft - 1);
  };
  const programs = () => host.processes().filter((pid) => /(?<!no-)mlflow/.test(commandOf(pid)));
  await start();
  const uri = 'http://127.0.0.1:5000';
  return {
    uri,
    start: () => start(),
    kill: async () =>
      await until(() => {
        const left = programs();
        for (const pid of left) process.kill(pid, 'SIGKILL');
        return left.length === 0;
      }),
    /** The runs that the server has, with their states. */
    runs: (): string[] => {
      const [program, ...rest] = [...host.inside, process.execPath, '-e', listRuns, uri];
      const { stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8' });
      expect(stderr).toBe('');
      return JSON.parse(stdout) as string[];
    },
  };
};

const listRuns = `
const post = async (path, body) => {
  const answer = await fetch(process.argv[1] + '/api/2.0/mlflow/' + path, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
  });
  return answer.json();
};
const { experiments } = await post('experiments/search', { max_results: 100 });
const { runs = [], ...more } = await post('runs/search', {
  experiment_ids: experiments.map((one) => one.experiment_id), max_results: 1000,
});
if (more.error_code) throw new Error(JSON.stringify(more));
const tag = (run, key) => run.data.tags.find((one) => one.key === key)?.value;
console.log(JSON.stringify(runs.filter((run) => tag(run, 'unroll.run')).map((run) => tag(run, 'unroll.run') + ' ' + run.info.status)));
`;
