// What a run costs on workers besides its training: node bench/run.mjs executor.ts [rounds]
// How much faster two workers are than one:         node bench/run.mjs executor.ts workers [rounds]
// The real command, a real Redis and real workers on this machine, in turns with the same sweep without them. Processor time
// is counted, which other work on the machine changes less than the clock.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../src/system/package-root.ts';
import { childrenOf } from '../test/support/children.ts';
import { freePort } from '../test/support/free-port.ts';

const folder = mkdtempSync(join(tmpdir(), 'unroll-executor-'));
const unroll = join(packageRoot, 'bin', 'unroll.js');
const programs: ChildProcess[] = [];

/** Each process of Node writes its own processor time here when it ends. */
const meter = join(folder, 'meter.cjs');
const meterText = `
const { writeFileSync } = require('node:fs');
process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  writeFileSync(process.env.METER + '/' + process.pid, process.argv[1] + ' ' + (user + system) / 1000);
});
`;

const ticksPerSecond = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout);

/** Milliseconds of processor time that a process has used. */
const usedBy = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
};

const environment = { ...process.env, NO_COLOR: '1', MLFLOW_TRACKING_URI: undefined };

const startRedis = async (): Promise<ChildProcess> => {
  const port = await freePort();
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  const server = spawn('redis-server', [...settings, '--appendonly', 'yes', '--save', ''], {
    stdio: 'ignore',
  });
  programs.push(server);
  Object.assign(environment, { UNROLL_REDIS_URL: `redis://127.0.0.1:${port}` });
  while (!spawnSync('redis-cli', ['-p', String(port), 'ping'], { encoding: 'utf8' }).stdout.includes('PONG'));
  return server;
};

interface Worker {
  readonly process: ChildProcess;
  readonly pid: number;
  /** What it has printed so far. */
  readonly said: () => string;
}

const startWorker = async (name: string): Promise<Worker> => {
  const worker = spawn(process.execPath, [unroll, 'worker', '--slots', '1'], {
    cwd: folder,
    env: { ...environment, UNROLL_WORKER_DIR: join(folder, name) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  programs.push(worker);
  let said = '';
  await new Promise<void>((resolve) =>
    worker.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('Redis at')) resolve();
    }),
  );
  return { process: worker, pid: worker.pid ?? 0, said: () => said };
};

interface Sweep {
  readonly runs: number;
  readonly steps: number;
  readonly hiddenSize: number;
  /** Runs of another learning rate are others, which no worker has trained before. */
  readonly learningRate: number;
  /** Runs at a time on this machine alone. */
  readonly concurrency?: number;
}

let sweeps = 0;

/** Runs a sweep in a folder of its own; returns its wall-clock and the processor time of the command and of its children. */
const run = (
  { runs, steps, hiddenSize, learningRate, concurrency = 1 }: Sweep,
  executor: 'local' | 'bullmq',
): Promise<{ readonly wall: number; readonly command: number; readonly children: number }> => {
  const directory = join(folder, `sweep-${sweeps++}`);
  const METER = join(directory, 'meter');
  mkdirSync(METER, { recursive: true });
  writeFileSync(
    join(directory, 'spec.yaml'),
    `
version: 1
name: overhead
dataset: { name: toy-sequences, trainSize: 200, testSize: 50 }
model: { name: lstm, hiddenSize: ${hiddenSize} }
optimizer: { name: adam, learningRate: ${learningRate} }
train: { batchSize: 16, steps: ${steps}, displayEvery: ${Math.ceil(steps / 4)} }
seeds: ${runs}
run: { concurrency: ${concurrency}, threadsPerRun: 1 }
`,
  );
  const words = ['run', 'spec.yaml', '--no-mlflow', '--quiet', '--executor', executor];
  const began = performance.now();
  const command = spawn(process.execPath, ['--require', meter, unroll, ...words], {
    cwd: directory,
    env: { ...environment, METER, NODE_OPTIONS: `--require ${meter}` },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise((resolve, reject) =>
    command.once('close', (code) => {
      if (code !== 0) {
        reject(new Error(`unroll ${words.join(' ')} ended with ${String(code)}`));
        return;
      }
      const wall = performance.now() - began;
      const spent = readdirSync(METER).map((name) => readFileSync(join(METER, name), 'utf8').split(' '));
      const sum = (isCommand: boolean) =>
        spent
          .filter(([program = '']) => program.endsWith('unroll.js') === isCommand)
          .reduce((all, [, ms]) => all + Number(ms), 0);
      rmSync(directory, { recursive: true, force: true });
      resolve({ wall, command: sum(true), children: sum(false) });
    }),
  );
};

/** Milliseconds that a worker says its children had its runs, of what it has printed. */
const trainingTimes = (said: string): readonly number[] =>
  [...said.matchAll(/; ([\d.]+)( ms|s) of training/g)].map(([, time, unit]) =>
    unit === 's' ? Number(time) * 1000 : Number(time),
  );

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

const show = (name: string, values: readonly number[], digits = 2): void =>
  console.log(
    `${name.padEnd(46)} ${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)})`,
  );

/**
 * What a run costs besides its training: of sweeps of few and of many runs the difference, which leaves out what starts
 * once.
 */
const measureOverhead = async (rounds: number): Promise<void> => {
  const few = 20;
  const many = 120;
  const redis = await startRedis();
  const worker = await startWorker('worker');
  const found: Record<string, number[]> = {};
  const add = (key: string, value: number) => (found[key] ??= []).push(value);
  const tiny = { steps: 20, hiddenSize: 4 };
  await run({ ...tiny, runs: few, learningRate: 0.5 }, 'bullmq');
  for (let round = 0; round < rounds; round++) {
    const learningRate = 0.01 + round / 1000;
    const ofRound: Record<string, number> = {};
    for (const executor of round % 2 === 0 ? (['local', 'bullmq'] as const) : (['bullmq', 'local'] as const))
      for (const [runs, sign] of [
        [few, -1],
        [many, 1],
      ] as const) {
        const [child = 0] = childrenOf(worker.pid);
        const printed = worker.said().length;
        const before = [worker.pid, redis.pid ?? 0, child].map(usedBy);
        const { wall, command, children } = await run(
          { ...tiny, runs, learningRate: learningRate + sign / 1e5 },
          executor,
        );
        const [ofWorker = 0, ofRedis = 0, ofChild = 0] = [worker.pid, redis.pid ?? 0, child].map(
          (pid, index) => usedBy(pid) - (before[index] ?? 0),
        );
        const training = sum(trainingTimes(worker.said().slice(printed)));
        const parts = {
          wall,
          command,
          ...(executor === 'local'
            ? { child: children }
            : { worker: ofWorker, Redis: ofRedis, child: ofChild, training }),
        };
        for (const [key, ms] of Object.entries(parts)) {
          const name = `${executor}: ${key}`;
          ofRound[name] = (ofRound[name] ?? 0) + (sign * ms) / (many - few);
        }
      }
    for (const [key, ms] of Object.entries(ofRound)) add(key, ms);
    const of = (key: string) => ofRound[key] ?? NaN;
    add(
      'all but the child, beyond local',
      of('bullmq: command') + of('bullmq: worker') + of('bullmq: Redis') - of('local: command'),
    );
    add('wall-clock, beyond local', of('bullmq: wall') - of('local: wall'));
    add('wall-clock, beyond the child', of('bullmq: wall') - of('bullmq: training'));
  }
  console.log(`milliseconds a run, of ${rounds} alternating rounds: the median (least to most)`);
  console.log('processor time of command, child, worker and Redis; wall and training by the clock');
  for (const [key, values] of Object.entries(found)) show(key, values);
  const besides = [...worker.said().matchAll(/([\d.]+) ms for files and the queue/g)].map(([, ms]) =>
    Number(ms),
  );
  show('files and the queue, by the worker', besides, 1);
};

/** Sweeps of few and of many runs, whose difference leaves out what starts once. */
const fewRuns = { runs: 4 };
const manyRuns = { runs: 36 };

/** What two workers with one slot each train in the time of one, beside what this machine alone gains by two at a time. */
const measureWorkers = async (rounds: number): Promise<void> => {
  await startRedis();
  const first = await startWorker('first');
  let learningRate = 0.001;
  /** Runs a second. */
  const rateOf = async (executor: 'local' | 'bullmq', concurrency: number): Promise<number> => {
    learningRate += 0.00001;
    const sweep = { steps: 1200, hiddenSize: 32, learningRate, concurrency };
    const short = await run({ ...sweep, ...fewRuns }, executor);
    const long = await run({ ...sweep, learningRate: learningRate + 0.000005, ...manyRuns }, executor);
    return ((manyRuns.runs - fewRuns.runs) * 1000) / (long.wall - short.wall);
  };
  const rates: Record<string, number[]> = {};
  const gains: Record<string, number[]> = {};
  const add = (to: Record<string, number[]>, key: string, value: number) => (to[key] ??= []).push(value);
  const withSecond = async (): Promise<number> => {
    const second = await startWorker('second');
    // Its process for training starts with its first run.
    await run({ ...fewRuns, steps: 20, hiddenSize: 4, learningRate: 0.5 + learningRate }, 'bullmq');
    const rate = await rateOf('bullmq', 1);
    const ended = new Promise((resolve) => second.process.once('close', resolve));
    second.process.kill('SIGINT');
    await ended;
    return rate;
  };
  await run({ ...fewRuns, steps: 20, hiddenSize: 4, learningRate: 0.5 }, 'bullmq');
  for (let round = 0; round < rounds; round++) {
    const measures: readonly (readonly [string, () => Promise<number>])[] = [
      ['one worker', () => rateOf('bullmq', 1)],
      ['two workers', withSecond],
      ['one at a time here', () => rateOf('local', 1)],
      ['two at a time here', () => rateOf('local', 2)],
    ];
    const ofRound: Record<string, number> = {};
    for (const [name, measure] of round % 2 === 0 ? measures : [...measures].reverse()) {
      ofRound[name] = await measure();
      add(rates, name, ofRound[name]);
    }
    const of = (name: string) => ofRound[name] ?? NaN;
    add(gains, 'two workers against one', of('two workers') / of('one worker'));
    add(gains, 'two at a time here against one', of('two at a time here') / of('one at a time here'));
  }
  const times = trainingTimes(first.said()).filter((ms) => ms > 100);
  console.log(`of ${rounds} alternating rounds: the median (least to most)`);
  for (const [name, values] of Object.entries(rates)) show(`${name}: runs a second`, values);
  show('training of a run by the first worker, ms', times, 0);
  for (const [name, values] of Object.entries(gains)) show(name, values);
};

try {
  writeFileSync(meter, meterText);
  const [mode, rounds] = process.argv.slice(2);
  if (mode === 'workers') await measureWorkers(Number(rounds ?? 3));
  else await measureOverhead(Number(mode ?? 5));
} finally {
  for (const program of programs) program.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
