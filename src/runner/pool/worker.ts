import { fork, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';
import { appendRegular } from '../../system/files.ts';
import { masked, withoutSecrets } from '../../system/secrets.ts';
import { packageRoot, packageVersion } from '../../system/package-root.ts';
import type { TrainerEvent } from '../../record/events.ts';
import { fileNames } from '../../record/run-files.ts';
import {
  parseChildResponse,
  type ChildRequest,
  type ChildResponse,
  type Done,
  type Measured,
  type MeasureRequest,
  type StopReason,
  type TrainRequest,
} from '../../training/protocol.ts';

/** How a run left its process: with its own last word, or because the process went away. */
export type WorkerResult =
  | Done
  | (Exit & {
      readonly type: 'exited';
      /** True when we sent the signal. */
      readonly killedByUs: boolean;
      /** Why it was ended by us: it is of another version of Unroll than this process. */
      readonly refused?: string | undefined;
      /** The last lines the process wrote to its standard error. */
      readonly lastWords: string;
    });

interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it could not be started. */
  readonly error?: Error;
}

/** What is heard of a run while its process trains it. */
export interface WorkerTask {
  /** The process begins the run, after waiting for another one that still wrote it. */
  readonly onBegin: () => void;
  /** Another process, with this id, still writes the run. */
  readonly onWait: (pid: number) => void;
  readonly onEvent: (event: TrainerEvent, residentBytes: number) => void;
}

/** One child process, and the only owner of ending it. */
export interface Worker {
  readonly pid: number;
  readonly train: (request: TrainRequest, task: WorkerTask) => Promise<WorkerResult>;
  /** Measures between runs; undefined when the process has gone. */
  readonly measure: (request: MeasureRequest) => Promise<Measured | undefined>;
  /** Lets our own kernels compute on so many threads from the next step on. */
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

/** What every child process of a pool starts with. */
export interface WorkerSettings {
  /** Its share of the machine's threads, which TensorFlow reads only at its start. */
  readonly threads: number;
  /** Whether it runs the user's own code, which may need keys for a database or a bucket. */
  readonly ownCode: boolean;
}

/** Starts a child process. It gets no credentials of MLflow, and none at all for built-in models and datasets. */
export const startWorker = ({ threads, ownCode }: WorkerSettings): Worker => {
  const child = fork(join(packageRoot, 'dist', 'child.js'), {
    env: {
      ...withoutSecrets(process.env, ownCode ? 'MLFLOW_' : ''),
      TF_NUM_INTRAOP_THREADS: String(threads),
      TF_NUM_INTEROP_THREADS: '1',
      OMP_NUM_THREADS: String(threads),
      TF_CPP_MIN_LOG_LEVEL: '3',
      ...compileCache(),
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Structured clone keeps NaN, which JSON does not.
    serialization: 'advanced',
    // A group of its own: the terminal's Ctrl-C reaches the runner alone, which then ends each run in order.
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
      // A full disk ends the run by what the run itself records; its log is the least of it.
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
    alive: () => child.exitCode === null && child.signalCode === null && child.connected,
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
