import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/system/package-root.ts';
import type { MetricLine, StatusFile } from '../../src/record/run-files.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export { until } from './until.ts';

/** What a finished program left. */
export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that runs: its process, and what it will have left. */
export interface Started {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
}

/** A folder with the real program in it; empty, and deleted after the test, unless it is given. */
export interface Rig {
  readonly directory: string;
  readonly write: (name: string, text: string) => string;
  readonly start: (...words: readonly string[]) => Started;
  readonly unroll: (...words: readonly string[]) => Promise<Finished>;
  /** Ids of the recorded runs of an experiment. */
  readonly runIds: (experiment: string) => string[];
  readonly runPath: (experiment: string, id: string, ...file: readonly string[]) => string;
  readonly status: (experiment: string, id: string) => StatusFile;
  /** Whole metric lines so far; 0 before the first. */
  readonly lineCount: (experiment: string, id: string) => number;
  /** Metric lines without their times: what must be the same at every repetition. */
  readonly metrics: (experiment: string, id: string) => Omit<MetricLine, 'time'>[];
}

export const createRig = (
  environment: NodeJS.ProcessEnv = {},
  directory: string = temporaryDirectory(),
  root: string = packageRoot,
  /** The words that start a program elsewhere, such as on another host. */
  inside: readonly string[] = [],
): Rig => {
  const runPath = (experiment: string, id: string, ...file: readonly string[]) =>
    join(directory, 'runs', experiment, id, ...file);
  const read = (path: string) => readFileSync(path, 'utf8');

  const start = (...words: readonly string[]): Started => {
    const command = [...inside, process.execPath, join(root, 'bin', 'unroll.js'), ...words];
    const [program = '', ...rest] = command;
    const child = spawn(program, rest, {
      cwd: directory,
      env: { ...process.env, NO_COLOR: '1', MLFLOW_TRACKING_URI: undefined, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const finished = new Promise<Finished>((resolve) => {
      child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
    });
    return { process: child, finished };
  };

  return {
    directory,
    write: (name, text) => {
      writeFileSync(join(directory, name), text);
      return name;
    },
    start,
    unroll: (...words) => start(...words).finished,
    runIds: (experiment) =>
      existsSync(join(directory, 'runs', experiment))
        ? readdirSync(join(directory, 'runs', experiment))
            .filter((name) => name !== 'sweeps' && !name.startsWith('.'))
            .sort()
        : [],
    runPath,
    status: (experiment, id) => JSON.parse(read(runPath(experiment, id, 'status.json'))) as StatusFile,
    lineCount: (experiment, id) => {
      const path = runPath(experiment, id, 'metrics.jsonl');
      return existsSync(path) ? read(path).split('\n').length - 1 : 0;
    },
    metrics: (experiment, id) =>
      read(runPath(experiment, id, 'metrics.jsonl'))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const { step, metrics } = JSON.parse(line) as MetricLine;
          return { step, metrics };
        }),
  };
};
