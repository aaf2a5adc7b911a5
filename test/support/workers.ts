import { readFileSync } from 'node:fs';
import { afterEach, expect } from 'vitest';
import { packageRoot } from '../../src/system/package-root.ts';
import { createRig, until, type Rig, type Started } from './rig.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** Locks that pass on after 3 s and checks every second: nobody waits for 40 s in a test. */
const quickLocks = { UNROLL_LOCK_MS: '3000' };

export interface StartedWorker extends Started {
  readonly said: () => string;
  readonly scratch: string;
}

const workers = new Set<StartedWorker>();

afterEach(() => {
  for (const { process } of workers) process.kill('SIGKILL');
  workers.clear();
});

interface WorkerSettings {
  readonly environment?: NodeJS.ProcessEnv;
  readonly words?: readonly string[];
  readonly root?: string;
  readonly directory?: string;
}

/** Starts a worker in a folder of its own and waits until it serves. */
export const startWorker = async (
  url: string,
  { environment = {}, words = ['--slots', '1'], root = packageRoot, directory }: WorkerSettings = {},
): Promise<StartedWorker> => {
  const scratch = temporaryDirectory();
  const rig = createRig(
    { UNROLL_REDIS_URL: url, UNROLL_WORKER_DIR: scratch, ...quickLocks, ...environment },
    directory ?? temporaryDirectory(),
    root,
  );
  const started = rig.start('worker', ...words);
  let said = '';
  started.process.stdout?.on('data', (text: string) => (said += text));
  started.process.stderr?.on('data', (text: string) => (said += text));
  const worker = { ...started, said: () => said, scratch };
  workers.add(worker);
  await until(
    () => said.includes('Redis at') || started.process.exitCode !== null,
    () => said,
  );
  return worker;
};

interface Submitter {
  /** The content of its `spec.yaml`. */
  readonly spec?: string;
  readonly environment?: NodeJS.ProcessEnv;
  /** The folder of an earlier one. */
  readonly directory?: string;
  /** The words that start it as somebody else. */
  readonly inside?: readonly string[];
}

/** A folder from which sweeps go to the workers of a Redis server. */
export const submitter = (
  url: string,
  { spec, environment = {}, directory = temporaryDirectory(), inside }: Submitter = {},
): Rig => {
  const rig = createRig({ UNROLL_REDIS_URL: url, ...environment }, directory, packageRoot, inside);
  if (spec !== undefined) rig.write('spec.yaml', spec);
  return rig;
};

/** The words that train its `spec.yaml` on workers. */
export const runOnWorkers = ['run', 'spec.yaml', '--no-mlflow', '--executor', 'bullmq'] as const;

/** The numbers of a spec as this machine alone trains it. */
export const trainedHere = async (text: string): Promise<Rig> => {
  const rig = createRig();
  rig.write('spec.yaml', text);
  const local = await rig.unroll('run', 'spec.yaml', '--no-mlflow', '--quiet');
  expect(local.code, local.stderr).toBe(0);
  return rig;
};

/** Ids of the child processes of a process. */
export const childrenOf = (pid = 0): readonly number[] => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
};

/** Whether a process is there and no zombie. */
export const isThere = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};
