import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/system/package-root.ts';
import type { MetricLine } from '../../src/record/run-files.ts';

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

export interface Started {
  readonly pid: number;
  readonly ended: Promise<Ended>;
}

/** A command of a second that takes longer, on however busy a machine, hangs. */
const hangsMs = 120_000;

/** Starts the program in a folder. */
export const startUnroll = (
  folder: string,
  words: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Started => {
  const child = spawn(process.execPath, [join(packageRoot, 'bin', 'unroll.js'), ...words], {
    cwd: folder,
    env: {
      ...process.env,
      NO_COLOR: '1',
      MLFLOW_TRACKING_URI: undefined,
      UV_USE_IO_URING: '0',
      [marker]: folder,
      ...environment,
    },
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

/** The processes of a folder's commands that are alive. */
export const survivors = (folder: string): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        if (stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')) return false;
        return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`${marker}=${folder}`);
      } catch {
        return false;
      }
    })
    .map(Number);

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
  readonly action: 'fail' | 'kill' | 'short';
  readonly error?: keyof typeof constants.errno;
  /** Every later call of the same kind fails, too. */
  readonly sticky?: boolean;
}

const faultEnvironment = (shim: string, folder: string, fault: Partial<Fault>): NodeJS.ProcessEnv => ({
  LD_PRELOAD: shim,
  FAULT_PREFIX: join(folder, 'runs'),
  FAULT_COUNTER: join(folder, 'counter'),
  FAULT_LOG: join(folder, 'calls'),
  FAULT_AT: String(fault.at ?? 0),
  FAULT_KIND: fault.kind ?? '',
  FAULT_ACTION: fault.action ?? 'fail',
  FAULT_ERRNO: String(constants.errno[fault.error ?? 'EIO']),
  FAULT_STICKY: fault.sticky ? '1' : '0',
});

export interface Call {
  readonly number: number;
  readonly kind: string;
  readonly path: string;
}

/** The calls of a folder's commands so far. */
export const callsOf = (folder: string): Call[] =>
  (existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8') : '')
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [number = '', kind = '', ...path] = line.split(' ');
      return { number: Number(number), kind, path: path.join(' ') };
    });

export const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'unroll-fault-'));
  writeFileSync(join(folder, 'spec.yaml'), faultSpec);
  return folder;
};

/** A copy of a folder with its runs, in a new place. */
export const copyOf = (folder: string): string => {
  const copy = mkdtempSync(join(tmpdir(), 'unroll-fault-'));
  cpSync(folder, copy, { recursive: true });
  return copy;
};

export const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true });

export const runWords: readonly string[] = ['run', 'spec.yaml', '--no-mlflow', '--quiet'];

export const runWithFault = (shim: string, folder: string, fault: Partial<Fault>): Started =>
  startUnroll(folder, runWords, faultEnvironment(shim, folder, fault));

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

/** Words that no user should read, whatever a disk or another process did. */
const unfit = /this is a bug|\n\s+at .*:\d+:\d+|unhandled|UnhandledPromise|node:internal/i;

/**
 * What is wrong after a fault, if anything: how the command ended, whether the next one completes the sweep with the
 * numbers of an undisturbed one, whether everything recorded is whole, and whether a process is left.
 */
export const judge = async (
  folder: string,
  disturbed: Ended,
  expected: ReturnType<typeof numbersOf>,
): Promise<string[]> => {
  const found: string[] = [];
  const mayEnd = disturbed.signal === 'SIGKILL' || [0, 1, 2, 130].includes(disturbed.code ?? -1);
  if (!mayEnd) found.push(`ended with ${disturbed.code ?? disturbed.signal}`);
  if (unfit.test(disturbed.output)) found.push(`printed: ${disturbed.output}`);
  if (disturbed.code !== 0 && disturbed.signal === null && disturbed.output.trim() === '')
    found.push(`ended with ${disturbed.code} and printed nothing`);
  const next = await startUnroll(folder, runWords).ended;
  if (next.code !== 0) found.push(`the next run ended with ${next.code ?? next.signal}: ${next.output}`);
  if (unfit.test(next.output)) found.push(`the next run printed: ${next.output}`);
  try {
    if (JSON.stringify(numbersOf(folder)) !== JSON.stringify(expected)) found.push('the numbers differ');
  } catch (error) {
    found.push(`the numbers cannot be read: ${(error as Error).message}`);
  }
  const check = await startUnroll(folder, ['check']).ended;
  if (check.code !== 0) found.push(`unroll check: ${check.output}`);
  const alive = survivors(folder);
  if (alive.length > 0) found.push(`processes ${alive.join(', ')} are left`);
  for (const pid of alive) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
};

/** Does work on every item, a few at a time. */
export const each = async <T>(
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
