import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

export const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Runs a command that must succeed, and answers its standard output. */
export const succeed = (command: string, args: readonly string[], options: { cwd?: string } = {}): string => {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? stderr}`);
  return stdout;
};

const hasTaskset = spawnSync('taskset', ['--version']).status === 0;

/** Keeps a command on some cores, where the system can. */
const onCores = (cores: string | undefined, words: readonly string[]): readonly string[] =>
  cores !== undefined && hasTaskset ? ['taskset', '--cpu-list', cores, ...words] : words;

/** One thread for whatever library a process brings. */
export const oneThread = {
  BENCH_THREADS: '1',
  OMP_NUM_THREADS: '1',
  MKL_NUM_THREADS: '1',
  TF_NUM_INTRAOP_THREADS: '1',
  TF_NUM_INTEROP_THREADS: '1',
  TF_CPP_MIN_LOG_LEVEL: '3',
};

export interface Command {
  readonly words: readonly string[];
  readonly cwd?: string;
  readonly cores?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a command; `done` resolves to its output and the seconds it took. */
export const start = ({ words, cwd, cores, env }: Command) => {
  const [command = '', ...args] = onCores(cores, words);
  const began = performance.now();
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const done = new Promise<{ readonly seconds: number; readonly stdout: string }>((resolve, reject) => {
    child.once('error', reject);
    // `exit`, not `close`: a daemon that a command leaves behind may keep its pipes open.
    child.once('exit', (code) => {
      const seconds = (performance.now() - began) / 1000;
      if (code === 0) setImmediate(() => resolve({ seconds, stdout }));
      else reject(new Error(`${words.join(' ')} ended with ${String(code)}:\n${stderr}\n${stdout}`));
    });
  });
  return { pid: child.pid ?? 0, done };
};

/** A process that answers a line of JSON with a line of JSON, one at a time. */
export interface Worker {
  readonly ask: <T>(request: object) => Promise<T>;
  readonly stop: () => Promise<void>;
}

export const startWorker = ({ words, cores, env }: Command): Worker => {
  const [command = '', ...args] = onCores(cores, words);
  const child: ChildProcess = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-4000)));
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  return {
    ask: async <T>(request: object) => {
      child.stdin?.write(`${JSON.stringify(request)}\n`);
      const line = await lines.next();
      if (line.done) throw new Error(`${words.join(' ')} died:\n${stderr}`);
      return JSON.parse(line.value) as T;
    },
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.stdin?.end();
      }),
  };
};

/** The worker's side, in TypeScript. What a library prints goes elsewhere. */
export const answerLines = async (answer: (request: never) => Promise<object>): Promise<void> => {
  for await (const line of createInterface({ input: process.stdin }))
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as never))}\n`);
};
