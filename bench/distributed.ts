// How many runs the workers of one Redis can get through: node bench/run.mjs distributed.ts [jobs]
// The real adapter and a real Redis on this machine; the workers train nothing, so that only the queue is measured.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import PQueue from 'p-queue';
import { queueName, toText } from '../src/executor/bullmq/protocol.ts';
import { openRedis, prefix, type RedisServer } from '../src/executor/bullmq/redis.ts';
import { createBullmqExecutor } from '../src/executor/bullmq/submit.ts';
import { planExperiment } from '../src/plan/plan-experiment.ts';
import type { Run } from '../src/plan/plan.ts';
import { captureEnvironment } from '../src/record/environment.ts';

const spec = `
version: 1
name: queue
dataset: { name: toy-sequences }
model: { name: gru, hiddenSize: 4 }
optimizer: { name: adam }
train: { batchSize: 32, steps: 20 }
run: { threadsPerRun: 1 }
`;

const outcome = {
  reason: 'completed',
  message: 'trained nothing',
  step: 1,
  elapsedMs: 0,
  metrics: {},
} as const;

/** A worker that answers at once, as fast as BullMQ lets it. */
const serve = async (): Promise<void> => {
  const server = await openRedis();
  if (!server.ok) throw new Error(server.errors[0]?.message);
  const { connection, packages } = server.value;
  const worker = new packages.bullmq.Worker(
    queueName('default'),
    () => Promise.resolve(toText({ host: 'bench', outcome })),
    { connection, prefix, concurrency: 16, skipVersionCheck: true },
  );
  await worker.waitUntilReady();
  process.send?.('ready');
};

const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
};

interface Spent {
  readonly redis: number;
  readonly own: number;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

const measure = async (jobs: number): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), 'unroll-distributed-'));
  const port = await freePort();
  const settings = [
    '--port',
    port,
    '--bind',
    '127.0.0.1',
    '--dir',
    directory,
    '--appendonly',
    'yes',
    '--save',
    '',
  ];
  const redis = spawn('redis-server', settings.map(String), { stdio: 'ignore' });
  process.env['UNROLL_REDIS_URL'] = `redis://127.0.0.1:${port}`;
  const workers: ReturnType<typeof spawn>[] = [];
  try {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const path = join(directory, 'spec.yaml');
    writeFileSync(path, spec);
    const plan = await planExperiment(path, { cores: 2 });
    if (!plan.ok) throw new Error(plan.errors[0]?.message);
    const [first] = plan.value.runs as readonly [Run];
    const environment = await captureEnvironment(directory, 'bench');
    const requestOf = (at: number) => {
      const id = at.toString(16).padStart(12, '0');
      return {
        type: 'train',
        run: { ...first, id },
        pauseAt: null,
        attempt: 1,
        fromTheStart: false,
        directory: join(directory, 'runs', 'queue', id),
        baseDirectory: directory,
        environment,
        threads: 1,
        profile: false,
      } as const;
    };
    const task = {
      timeoutMs: null,
      onWait: () => undefined,
      onStart: () => undefined,
      onEvent: () => undefined,
    };
    const open = async () => {
      const server = await openRedis();
      if (!server.ok) throw new Error(server.errors[0]?.message);
      const options = {
        resourceClass: 'default',
        maxParallel: undefined,
        store: undefined,
        priority: 100,
        listener: () => undefined,
      };
      return {
        server: server.value,
        executor: await createBullmqExecutor(server.value, plan.value, options),
      };
    };
    /** All jobs through one executor, as the scheduler asks for them. */
    const all = async (
      executor: Awaited<ReturnType<typeof open>>['executor'],
      wanted: string,
    ): Promise<number> => {
      const queue = new PQueue({ concurrency: executor.runsAtOnce(2) });
      const began = performance.now();
      let ended = 0;
      for (let at = 0; at < jobs; at++) {
        await queue.onSizeLessThan(2000);
        void queue.add(async () => {
          if ((await executor.train(requestOf(at), task)).type === wanted) ended++;
        });
      }
      await queue.onIdle();
      if (ended !== jobs) throw new Error(`${ended} of ${jobs} jobs ended as ${wanted}`);
      return performance.now() - began;
    };
    const usedBy = async ({ client }: Pick<RedisServer, 'client'>): Promise<number> =>
      Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]);
    /** Milliseconds of processor time, which other work on the machine does not change: Redis and this process. */
    const processorMs = async ({ client }: Pick<RedisServer, 'client'>) => {
      const info = await client.info('cpu');
      const seconds = ['sys', 'user'].map((kind) =>
        Number(new RegExp(`^used_cpu_${kind}:([\\d.]+)`, 'm').exec(info)?.[1]),
      );
      const { user, system } = process.cpuUsage();
      return { redis: 1000 * ((seconds[0] ?? 0) + (seconds[1] ?? 0)), own: (user + system) / 1000 };
    };
    const perJob = (before: Spent, after: Spent): string =>
      `processor time a job: Redis ${((after.redis - before.redis) / jobs).toFixed(2)} ms, the submitter ${((after.own - before.own) / jobs).toFixed(2)} ms`;

    const queueing = await open();
    const empty = await usedBy(queueing.server);
    const idle = await processorMs(queueing.server);
    queueing.executor.detach?.();
    const queued = await all(queueing.executor, 'left');
    const full = await usedBy(queueing.server);
    console.log(perJob(idle, await processorMs(queueing.server)));
    console.log(
      `${jobs} jobs queued in ${(queued / 1000).toFixed(1)} s (${((jobs / queued) * 1000).toFixed(0)} a second); ` +
        `Redis holds ${megabytes(full - empty)} for them (${((full - empty) / jobs).toFixed(0)} bytes a job); the submitter has ${megabytes(process.memoryUsage.rss())}`,
    );
    await queueing.executor.close();

    workers.push(
      spawn(process.execPath, [fileURLToPath(import.meta.url), '--serve'], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      }),
    );
    await new Promise((resolve) => workers[0]?.once('message', resolve));
    const training = await open();
    const waiting = await processorMs(training.server);
    const trained = await all(training.executor, 'done');
    console.log(perJob(waiting, await processorMs(training.server)));
    console.log(
      `${jobs} jobs worked off in ${(trained / 1000).toFixed(1)} s (${((jobs / trained) * 1000).toFixed(0)} a second, ` +
        `${(trained / jobs).toFixed(2)} ms each, with one worker process); the submitter has ${megabytes(process.memoryUsage.rss())}`,
    );
    await training.executor.close();
  } finally {
    for (const worker of workers) worker.kill('SIGKILL');
    redis.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
};

if (process.argv.includes('--serve')) await serve();
else {
  await measure(Number(process.argv[2] ?? 100_000));
  process.exit();
}
