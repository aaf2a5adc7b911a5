import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { openTerminal } from '../../src/cli/terminal.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { testSeed } from '../support/seed.ts';
import { until } from '../support/until.ts';
import { type Call, callsOf, drawn } from './cases.ts';
import { closeKeptPools } from './kept-pools.ts';
import type * as Pools from '../../src/executor/local/pool.ts';
import type { MetricLine } from '../../src/record/run-files.ts';

vi.mock('../../src/executor/local/pool.ts', async (importOriginal) => {
  const { keepingPools } = await import('./kept-pools.ts');
  const real = await importOriginal<typeof Pools>();
  return { ...real, createPool: keepingPools(real.createPool) };
});

/** A sweep of two short runs with checkpoints, evaluations and a kept best checkpoint. */
export const faultSpec = `version: 1
name: trial
dataset: { name: toy-sequences, trainSize: 32, testSize: 8, validationSize: 8 }
model: { name: lstm, hiddenSize: 4 }
optimizer: { name: adam, learningRate: 0.01 }
train: { batchSize: 16, steps: 4, displayEvery: 1, evaluateEvery: 2, checkpointEvery: 2, keepCheckpoints: best }
objective: { metric: val/loss }
seeds: 2
run: { concurrency: 1, threadsPerRun: 1, retries: 0 }
`;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

/** Marks the processes of a case, so that survivors are found. */
const marker = 'UNROLL_FAULT_CASE';

const environmentIn = (folder: string): NodeJS.ProcessEnv => ({
  NO_COLOR: '1',
  MLFLOW_TRACKING_URI: undefined,
  UV_USE_IO_URING: '0',
  [marker]: folder,
});

/** Starts processes of a folder that take their environment from this process. */
export const startingIn = <T>(folder: string, environment: NodeJS.ProcessEnv, start: () => T): T => {
  const before = process.env;
  process.env = { ...before, ...environmentIn(folder), ...environment };
  try {
    return start();
  } finally {
    process.env = before;
  }
};

export interface Started {
  readonly pid: number;
  readonly ended: Promise<Ended>;
}

/** A command of a second that takes longer, on however busy a machine, hangs. */
const hangsMs = 240_000;

/** Starts the program in a folder. `limits` are options of the shell's `ulimit`, such as `-n 40`. */
export const startUnroll = (
  folder: string,
  words: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  limits?: string,
): Started => {
  const program = [process.execPath, join(packageRoot, 'bin', 'unroll.js'), ...words];
  const limited = ['sh', '-c', `ulimit ${limits ?? ''} && exec "$@"`, 'sh', ...program];
  const [command = '', ...given] = limits === undefined ? program : limited;
  const child = spawn(command, given, {
    cwd: folder,
    env: { ...process.env, ...environmentIn(folder), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  // A command that hangs ends as one that was killed otherwise than a test would.
  const hangs = setTimeout(() => child.kill('SIGABRT'), hangsMs);
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(hangs);
      resolve({ code, signal, output });
    });
  });
  return { pid: child.pid ?? 0, ended };
};

interface FoundProcess {
  readonly pid: number;
  readonly state: string;
  readonly command: string;
}

/** The processes of a folder's commands that are alive. */
export const processesOf = (folder: string): FoundProcess[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const state = stat.charAt(stat.lastIndexOf(')') + 2);
        if (state === 'Z') return [];
        const environment = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0');
        if (!environment.includes(`${marker}=${folder}`)) return [];
        return [{ pid: Number(name), state, command: readFileSync(`/proc/${name}/cmdline`, 'utf8') }];
      } catch {
        return [];
      }
    });

/** A process of a folder's commands that a fault has stopped; undefined if there is none. */
export const stoppedIn = (folder: string): number | undefined =>
  processesOf(folder).find(({ state }) => state === 'T')?.pid;

/** Waits for what a condition finds; undefined if the command ends before. */
export const unlessEnded = async <Found>(
  { ended }: Started,
  condition: () => Found | undefined,
): Promise<Found | undefined> => {
  let isOver = false;
  void ended.then(() => (isOver = true));
  return until(() => {
    const found = condition();
    return found === undefined && !isOver ? undefined : { found };
  }).then(({ found }) => found);
};

/** Compiles the library that makes system calls fail; undefined where there is no compiler. */
export const buildShim = (folder: string): string | undefined => {
  const library = join(folder, 'shim.so');
  const source = join(packageRoot, 'test', 'faults', 'shim.c');
  const words = ['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror', '-o', library, source, '-ldl'];
  const { status, error, stderr } = spawnSync('gcc', words, { encoding: 'utf8' });
  if (error) return undefined;
  if (status !== 0) throw new Error(stderr);
  return library;
};

/** A call that goes wrong. */
export interface Fault {
  /** Number of the call below the runs directory, over all processes, from 1; the next one of the kind is meant. */
  readonly at: number;
  readonly kind: string;
  readonly action: 'fail' | 'kill' | 'stop' | 'short' | 'clock';
  readonly error?: keyof typeof constants.errno;
  /** Every later call of the same kind fails, too. */
  readonly sticky?: boolean;
  /** By how many seconds the clock is set. */
  readonly shift?: number;
  /** Only calls of processes with this in their command line count. */
  readonly program?: string;
}

export const faultEnvironment = (shim: string, folder: string, fault: Partial<Fault>): NodeJS.ProcessEnv => ({
  LD_PRELOAD: shim,
  FAULT_PREFIX: join(folder, 'runs'),
  FAULT_COUNTER: join(folder, 'counter'),
  FAULT_LOG: join(folder, 'calls'),
  FAULT_AT: String(fault.at ?? 0),
  FAULT_KIND: fault.kind ?? '',
  FAULT_ACTION: fault.action ?? 'fail',
  FAULT_ERRNO: String(constants.errno[fault.error ?? 'EIO']),
  FAULT_STICKY: fault.sticky ? '1' : '0',
  FAULT_SHIFT: String(fault.shift ?? 0),
  FAULT_PROGRAM: fault.program ?? '',
});

export const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'unroll-fault-'));
  writeFileSync(join(folder, 'spec.yaml'), faultSpec);
  return folder;
};

export const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true });

export const runWords: readonly string[] = ['run', 'spec.yaml', '--no-mlflow', '--quiet'];

export const runWithFault = (
  shim: string,
  folder: string,
  fault: Partial<Fault>,
  environment: NodeJS.ProcessEnv = {},
): Started => startUnroll(folder, runWords, { ...faultEnvironment(shim, folder, fault), ...environment });

/** Runs a command in this process, which is quicker, on a folder's runs. */
export const unrollHere = async (folder: string, words: readonly string[]): Promise<Ended> => {
  const lines: string[] = [];
  const keep = (line: string) => void lines.push(line);
  const whole = [...words, '--runs-directory', join(folder, 'runs')];
  const code = await runProgram(whole, openTerminal(whole, { print: keep, complain: keep })).catch(
    (error: unknown) => {
      lines.push(`unhandled: ${String((error as Error).stack)}`);
      return 1;
    },
  );
  return { code, signal: null, output: lines.join('\n') };
};

/** What must come out the same: metrics without their times, and the bytes of the weights, of each run. */
export const numbersOf = (folder: string): Readonly<Record<string, readonly string[]>> => {
  const experiment = join(folder, 'runs', 'trial');
  if (!existsSync(experiment)) return {};
  return Object.fromEntries(
    readdirSync(experiment)
      .filter((name) => /^[0-9a-f]{12}$/.test(name))
      .sort()
      .map((id) => {
        const read = (...names: string[]) => readFileSync(join(experiment, id, ...names));
        const lines = read('metrics.jsonl').toString().split('\n').filter(Boolean);
        const metrics = lines.map((line) => {
          const { step, metrics: values } = JSON.parse(line) as MetricLine;
          return JSON.stringify({ step, values });
        });
        return [id, [...metrics, read('model', 'weights.safetensors').toString('base64')]];
      }),
  );
};

/** What is wrong with a command that nothing should have failed. */
export const completed = (what: string, { code, output }: Ended): string[] =>
  code === 0 ? [] : [`${what} ended with ${code}: ${output}`];

export const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
};

let completions = 0;

/** Completes a sweep after a fault: with the command itself one time in 20, else in this process, which is quicker. */
const complete = (folder: string): Promise<Ended> =>
  completions++ % 20 === 0
    ? startUnroll(folder, runWords).ended
    : unrollHere(folder, ['run', join(folder, 'spec.yaml'), '--no-mlflow', '--quiet']);

/** Words that no user should read, whatever a disk or another process did. */
export const unfit = /this is a bug|\n\s+at .*:\d+:\d+|unhandled|UnhandledPromise|node:internal/i;

/** What is wrong with the numbers of a folder, if anything. */
const difference = (folder: string, expected: ReturnType<typeof numbersOf>): string | undefined => {
  try {
    if (JSON.stringify(numbersOf(folder)) !== JSON.stringify(expected)) return 'the numbers differ';
  } catch (error) {
    return `the numbers cannot be read: ${(error as Error).message}`;
  }
  return undefined;
};

/**
 * What is wrong after a fault, if anything: how the command ended, whether the next one completes the sweep with the
 * numbers of an undisturbed one, whether everything recorded is whole, and whether a process is left. `mayLack`: the
 * command may end well although runs are missing.
 */
export const judge = async (
  folder: string,
  disturbed: Ended,
  expected: ReturnType<typeof numbersOf>,
  { mayLack = false }: { readonly mayLack?: boolean } = {},
): Promise<string[]> => {
  const found: string[] = [];
  // Bad input, too, is a file of the record that seems to be damaged.
  const codes = disturbed.output.includes('[damaged-record]') ? [0, 1, 2, 130] : [0, 1, 130];
  const mayEnd = disturbed.signal === 'SIGKILL' || codes.includes(disturbed.code ?? -1);
  if (!mayEnd) found.push(`ended with ${disturbed.code ?? disturbed.signal}: ${disturbed.output}`);
  const lacks = disturbed.code === 0 && !mayLack ? difference(folder, expected) : undefined;
  if (lacks) found.push(`ended with 0, but ${lacks}: ${disturbed.output}`);
  if (unfit.test(disturbed.output)) found.push(`printed: ${disturbed.output}`);
  if (disturbed.code !== 0 && disturbed.signal === null && disturbed.output.trim() === '')
    found.push(`ended with ${disturbed.code} and printed nothing`);
  const next = await complete(folder);
  if (next.code !== 0) found.push(`the next run ended with ${next.code ?? next.signal}: ${next.output}`);
  if (unfit.test(next.output)) found.push(`the next run printed: ${next.output}`);
  const differs = difference(folder, expected);
  if (differs) found.push(differs);
  const check = await unrollHere(folder, ['check']);
  if (check.code !== 0) found.push(`unroll check: ${check.output}`);
  // Children of a process that was killed need a moment to notice it.
  await until(() => processesOf(folder).length === 0).catch(() => undefined);
  const alive = processesOf(folder).map(({ pid }) => pid);
  if (alive.length > 0) found.push(`processes ${alive.join(', ')} are left`);
  for (const pid of alive) signal(pid, 'SIGKILL');
  return found;
};

/** Does work on every item, a few at a time. */
const each = async <T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> => {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
};

/** Tries cases, each in a folder of its own, and expects nothing to go wrong in any of them. `inShort`: how many CI tries. */
export const tryAll = async <T>(
  all: readonly T[],
  inShort: number,
  name: (one: T) => string,
  attempt: (one: T, folder: string) => Promise<string[]>,
): Promise<void> => {
  const cases = drawn(all, inShort, name);
  const failures: string[] = [];
  let tried = 0;
  await each(cases, availableParallelism(), async (one) => {
    const folder = newFolder();
    const found = await attempt(one, folder);
    if (found.length > 0) {
      failures.push([name(one), ...found].join('\n  '));
      console.log(failures.at(-1));
    }
    removeFolder(folder);
    if (++tried % 100 === 0) console.log(`${tried} of ${cases.length} faults tried`);
  });
  console.log(
    `${cases.length} of ${all.length} faults with UNROLL_TEST_SEED=${testSeed}, ${failures.length} with a wrong outcome`,
  );
  expect(failures.join('\n')).toBe('');
};

/** A sweep that no fault has disturbed. */
export interface Calm {
  readonly folder: string;
  readonly calls: readonly Call[];
  readonly numbers: ReturnType<typeof numbersOf>;
}

/** Trains the sweep of a test file without a fault, before its tests. `shim` is undefined where there is no compiler. */
export const undisturbedSweep = (): { readonly shim: string | undefined; readonly calm: () => Calm } => {
  vi.setConfig({ testTimeout: 24 * 3600 * 1000, hookTimeout: 300_000 });
  const tools = mkdtempSync(join(tmpdir(), 'unroll-fault-tools-'));
  const shim = buildShim(tools);
  let calm: Calm | undefined;
  beforeAll(async () => {
    const folder = newFolder();
    const started = shim ? runWithFault(shim, folder, {}) : startUnroll(folder, runWords);
    const { code, output } = await started.ended;
    expect(code, output).toBe(0);
    calm = { folder, calls: callsOf(folder), numbers: numbersOf(folder) };
    expect(Object.keys(calm.numbers)).toHaveLength(2);
  });
  afterAll(async () => {
    await closeKeptPools();
    if (calm) removeFolder(calm.folder);
    removeFolder(tools);
  });
  return {
    shim,
    calm: () => {
      if (!calm) throw new Error('the undisturbed sweep is not there yet');
      return calm;
    },
  };
};
