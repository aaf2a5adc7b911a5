import {
  parseChildResponse,
  type Measured,
  type MeasureRequest,
  type StopReason,
  type TrainRequest,
  type ChildRequest,
  type ChildResponse,
} from '../../training/protocol.ts';
import { fork, type ChildProcess, type ForkOptions } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendRegular } from '../../system/files.ts';
import { afterMs } from '../../system/long-timer.ts';
import module from 'node:module';
import { join } from 'node:path';
import type { Diagnostic } from '../../diagnostic/diagnostic.ts';
import { masked, withoutSecrets } from '../../system/secrets.ts';
import { packageRoot, packageVersion } from '../../system/package-root.ts';
import { fileNames } from '../../record/run-files.ts';
import type { Executor, Exited, Left, RunTask, TrainResult } from '../executor.ts';

/** Warm child processes of this machine, each training one run at a time: the executor `local`. */
export interface Pool extends Executor {
  /** Trains in an idle process, or in a new one. The caller keeps to the concurrency. */
  readonly train: (request: TrainRequest, task: RunTask) => Promise<WorkerResult>;
  /** Measures in an idle process, or in a new one; undefined when that process died. */
  readonly measure: (request: MeasureRequest) => Promise<Measured | undefined>;
}

/** TensorFlow's own processes leak a little; one that has grown this far beyond its first run is replaced. */
const growthLimitBytes = 1_000_000_000;

/** For an orderly end on demand: a step of the largest networks and a checkpoint fit in this. */
export const stopGraceMs = 60_000;

/** How long a run past its time limit may take to write its checkpoint. */
const timeoutGraceMs = 15_000;

/** `total` in `parts` that differ by one at most, the largest first. */
export const shareOut = (total: number, parts: number): readonly number[] =>
  Array.from({ length: parts }, (_, index) => Math.ceil((total - index) / parts));

export const createPool = (settings: WorkerSettings): Pool => {
  const { threads: threadsPerRun } = settings;
  const idle: Worker[] = [];
  const busy = new Set<Worker>();
  const firstSize = new Map<Worker, number>();

  /** A process is used again only after a run that ended well and while it has not grown. */
  const giveBack = (worker: Worker, result: WorkerResult) => {
    if (result.type === 'exited') return;
    const first = firstSize.get(worker) ?? result.residentBytes;
    firstSize.set(worker, first);
    const { reason } = result.outcome;
    const healthy =
      (reason === 'completed' || reason === 'pruned') && result.residentBytes - first < growthLimitBytes;
    if (healthy && worker.alive()) idle.push(worker);
    else void worker.retire();
  };

  const takeIdle = (): Worker | undefined => {
    for (let worker = idle.pop(); worker; worker = idle.pop()) if (worker.alive()) return worker;
    return undefined;
  };

  /** A process with the threads that every run is promised. */
  const take = (): Worker => {
    const worker = takeIdle() ?? startWorker(settings);
    worker.useThreads(threadsPerRun);
    busy.add(worker);
    return worker;
  };

  return {
    name: 'local',
    runsAtOnce: (concurrency) => concurrency,
    train: async (request, { onStart, onWait, onEvent, timeoutMs, stop, kill }) => {
      const worker = take();
      const onStop = () => worker.stop('interrupted', stopGraceMs);
      stop?.addEventListener('abort', onStop);
      kill?.addEventListener('abort', worker.kill);
      const cancelTimeout =
        timeoutMs === null ? undefined : afterMs(timeoutMs, () => worker.stop('timed-out', timeoutGraceMs));
      const training = worker.train(request, { onBegin: () => onStart(worker.pid), onWait, onEvent });
      // A signal that was given before has no event any more.
      if (kill?.aborted) worker.kill();
      else if (stop?.aborted) onStop();
      const result = await training;
      cancelTimeout?.();
      stop?.removeEventListener('abort', onStop);
      kill?.removeEventListener('abort', worker.kill);
      busy.delete(worker);
      giveBack(worker, result);
      return result;
    },
    measure: async (request) => {
      const worker = take();
      const measured = await worker.measure(request);
      busy.delete(worker);
      if (measured) idle.push(worker);
      return measured;
    },
    warm: (count) => {
      while (idle.length < count) idle.push(startWorker(settings));
    },
    shareThreads: (total, atLeast) => {
      const shares = shareOut(total, Math.max(atLeast, busy.size));
      [...busy].forEach((worker, index) => worker.useThreads(Math.max(threadsPerRun, shares[index] ?? 0)));
    },
    stopAll: (reason, graceMs) => busy.forEach((worker) => worker.stop(reason, graceMs)),
    killAll: () => [...busy, ...idle].forEach((worker) => worker.kill()),
    close: async () => {
      await Promise.all(idle.splice(0).map((worker) => worker.retire()));
    },
  };
};

/** How a run ended: its process reported a result, or exited without one. */
type WorkerResult = Exclude<TrainResult, Left>;

type Exit = Pick<Exited, 'code' | 'signal' | 'error'>;

/** Called while a process trains a run. */
interface WorkerTask extends Pick<RunTask, 'onWait' | 'onEvent'> {
  /** The process begins the run, after waiting for another one that still wrote it. */
  readonly onBegin: () => void;
}

/** One child process, and the only owner of ending it. */
interface Worker {
  readonly pid: number;
  readonly train: (request: TrainRequest, task: WorkerTask) => Promise<WorkerResult>;
  /** Measures between runs; undefined when the process has gone. */
  readonly measure: (request: MeasureRequest) => Promise<Measured | undefined>;
  /** Lets our own kernels use this many threads from the next step on. */
  readonly useThreads: (count: number) => void;
  /** Asks for an orderly end of the current run; kills the process if that takes longer than `graceMs`. */
  readonly stop: (reason: StopReason, graceMs: number) => void;
  /** Ends the process at once, with everything it started. */
  readonly kill: () => void;
  /** Lets an idle process end; resolves when it has. */
  readonly retire: () => Promise<void>;
  readonly alive: () => boolean;
}

/** Lines TensorFlow prints at every start, which no setting silences. */
const startupNoise =
  /absl::InitializeLog|oneDNN custom operations|cpu_feature_guard|To enable the following instructions|TF-TRT|computation_placer|rebuild TensorFlow/;

const rememberedLines = 30;

/** From Node 22 on, a child takes what was compiled before from where this process keeps it. */
const compileCache = (): NodeJS.ProcessEnv => {
  const { getCompileCacheDir } = module as { getCompileCacheDir?: () => string | undefined };
  const folder = getCompileCacheDir?.();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
};

const resumeIt = 'Unroll was updated while the sweep was active; resume the sweep.';

const unknownMessage = `its process sent a message that this version of Unroll does not know. ${resumeIt}`;

const otherVersion = (version: string): string =>
  `its process is of Unroll ${version}, and the sweep was started by ${packageVersion}. ${resumeIt}`;

/**
 * In megabytes, for short-lived objects: steps make many, and keep none. The default lets them fill 32 MB more before they
 * are freed, and takes no less time.
 */
const youngHeap = '--max-semi-space-size=2';

/** What every child process of a pool starts with. */
interface WorkerSettings {
  /** Its share of the machine's threads, which TensorFlow reads only at its start. */
  readonly threads: number;
  /** Whether it runs the user's own code, which may need keys for a database or a bucket. */
  readonly ownCode: boolean;
  /**
   * Whether it ends at once when this process is killed, where the system can do that. Otherwise it finishes its step and
   * writes a checkpoint.
   */
  readonly diesWithParent?: boolean;
}

let setpriv: string | undefined;

/** The system kills a tied child when this process dies of whatever cause; only Linux can, with a program of util-linux. */
const programOf = (diesWithParent: boolean): Pick<ForkOptions, 'execPath' | 'execArgv'> => {
  const execArgv = [...process.execArgv, youngHeap];
  setpriv ??= ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path)) ?? '';
  if (!diesWithParent || process.platform !== 'linux' || setpriv === '') return { execArgv };
  return { execPath: setpriv, execArgv: ['--pdeathsig', 'KILL', process.execPath, ...execArgv] };
};

/** Starts a child process. It gets no credentials of MLflow, and none at all for built-in models and datasets. */
const startWorker = ({ threads, ownCode, diesWithParent = false }: WorkerSettings): Worker => {
  const child = fork(join(packageRoot, 'dist', 'child.js'), {
    ...programOf(diesWithParent),
    env: {
      ...withoutSecrets(process.env, ownCode ? 'MLFLOW_' : ''),
      UNROLL_REDIS_URL: undefined,
      TF_NUM_INTRAOP_THREADS: String(threads),
      TF_NUM_INTEROP_THREADS: '1',
      OMP_NUM_THREADS: String(threads),
      TF_CPP_MIN_LOG_LEVEL: '3',
      ...compileCache(),
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Structured clone keeps NaN, which JSON does not.
    serialization: 'advanced',
    // In its own process group: the terminal's Ctrl-C reaches only the runner, which then ends each run in order.
    detached: true,
  });
  const words: string[] = [];
  let logFile: string | undefined;
  let killedByUs = false;
  let refused: string | undefined;
  let threadsNow = threads;

  const keep = (text: string) => {
    const lines = masked(text)
      .split('\n')
      .filter((line) => line.trim() !== '' && !startupNoise.test(line));
    words.push(...lines);
    words.splice(0, words.length - rememberedLines);
    if (logFile === undefined || lines.length === 0) return;
    try {
      appendRegular(logFile, `${lines.join('\n')}\n`);
    } catch {
      // A full disk ends the run when the run itself records; the log matters less.
    }
  };
  child.stdout?.setEncoding('utf8').on('data', keep);
  child.stderr?.setEncoding('utf8').on('data', keep);
  // `close` rather than `exit`: the streams have then been read to their end.
  const closed = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
    child.on('error', (error) => {
      words.push(error.message);
      // A process that could not be started need not close. A failed send is followed by `close`, which knows the cause.
      if (child.pid === undefined) resolve({ code: null, signal: null, error });
    });
  });

  const listeners = new Set<(response: ChildResponse) => void>();
  child.on('message', (message) => {
    const response = parseChildResponse(message);
    if (!response) refused ??= unknownMessage;
    else if (response.type === 'ready' && response.version !== packageVersion)
      refused ??= otherVersion(response.version);
    if (refused !== undefined) killGroup(child);
    else if (response) for (const listener of listeners) listener(response);
  });

  const send = (request: ChildRequest) => {
    if (child.connected) child.send(request, () => undefined);
  };

  const kill = () => {
    killedByUs = true;
    killGroup(child);
  };

  const train = async (
    request: TrainRequest,
    { onBegin, onWait, onEvent }: WorkerTask,
  ): Promise<WorkerResult> => {
    logFile = join(request.directory, fileNames.log);
    words.length = 0;
    const done = new Promise<WorkerResult>((resolve) => {
      const listen = (message: ChildResponse) => {
        if (message.type === 'waiting') onWait(message.pid);
        if (message.type === 'begun') onBegin();
        if (message.type === 'events' || message.type === 'done')
          for (const event of message.events) onEvent(event, message.residentBytes);
        if (message.type !== 'done') return;
        listeners.delete(listen);
        resolve(message);
      };
      listeners.add(listen);
    });
    send(request);
    const gone = closed.then((exit): WorkerResult => {
      return { type: 'exited', ...exit, killedByUs, refused, lastWords: words.join('\n') };
    });
    const result = await Promise.race([done, gone]);
    logFile = undefined;
    return result;
  };

  const measure = (request: MeasureRequest): Promise<Measured | undefined> => {
    const measured = new Promise<Measured>((resolve) => {
      const listen = (message: ChildResponse) => {
        if (message.type !== 'measured') return;
        listeners.delete(listen);
        resolve(message);
      };
      listeners.add(listen);
    });
    send(request);
    return Promise.race([measured, closed.then(() => undefined)]);
  };

  return {
    pid: child.pid ?? 0,
    train,
    measure,
    useThreads: (count) => {
      if (count !== threadsNow) send({ type: 'threads', count });
      threadsNow = count;
    },
    stop: (reason, graceMs) => {
      send({ type: 'stop', reason });
      const timer = setTimeout(kill, graceMs);
      timer.unref();
      const cancel = () => clearTimeout(timer);
      child.once('close', cancel);
      listeners.add((message) => {
        if (message.type === 'done') cancel();
      });
    },
    kill,
    retire: async () => {
      send({ type: 'exit' });
      const timer = setTimeout(kill, 2000);
      await closed;
      clearTimeout(timer);
    },
    // Its last message may come after it was killed.
    alive: () => !killedByUs && child.exitCode === null && child.signalCode === null && child.connected,
  };
};

const killGroup = (child: ChildProcess) => {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
};

/** Whether the bundled child program is there; the set-up step makes it. */
export const childIsBuilt = (): boolean => existsSync(join(packageRoot, 'dist', 'child.js'));

export const notBuilt: Diagnostic = {
  code: 'backend-missing',
  severity: 'error',
  message: 'The program that trains is not built.',
  help: 'Run: npm run setup',
};
