import { readRegularText, openToWrite, ensureFolder, writeWhole } from '../../system/files.ts';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, Socket } from 'node:net';
import { delimiter, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { success } from '../../diagnostic/diagnostic.ts';
import { type Answer, problem } from '../client/problem.ts';
import { timedSignal } from '../client/timed-signal.ts';
import { standBack } from '../priority.ts';
import { findMlflow, type MlflowProgram } from './find-mlflow.ts';

export interface ServerOptions {
  /** `mlflow/` with the database and the artifacts is made beside it. */
  readonly runsDirectory: string;
  /** 5000, or the next free one, by default. */
  readonly port?: number;
  readonly print: (line: string) => void;
  readonly signal?: AbortSignal;
  readonly version?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** A server that answers. */
export interface MlflowServer {
  readonly uri: string;
  readonly version: string;
  /** False: it was running before, and is not ours to stop. */
  readonly started: boolean;
  /** Ends it and waits until its port is free. */
  readonly stop: () => Promise<void>;
  /** Ends it at once, as a crash would. */
  readonly kill: () => Promise<void>;
  /** When it has ended by whatever cause. */
  readonly ended: Promise<void>;
}

const host = '127.0.0.1';
const firstPort = 5000;
/** This many ports are lost to others before we give up. */
const mostPorts = 5;
/** A cold start reads some 500 MB of Python. */
const startMs = 180_000;
const stopMs = 10_000;
/** A server that is alive answers its health check in this time. */
const answerMs = 5000;
/** Behind training on the same machine, yet its pages must open while every core trains: a quarter of one. */
const serverNiceness = 5;

const isFree = (port: number): Promise<boolean> =>
  new Promise((settle) => {
    const server = createServer();
    server.once('error', () => settle(false));
    server.listen(port, host, () => {
      server.close(() => settle(true));
    });
  });

const get = async (url: string, stop: AbortSignal | undefined): Promise<string | undefined> => {
  const { signal, release } = timedSignal(answerMs, stop);
  try {
    const response = await request(url, { signal });
    const text = await response.body.text();
    return response.statusCode === 200 ? text : undefined;
  } catch {
    return undefined;
  } finally {
    release();
  }
};

/** The store's folder, with a note to version control that it is not to be kept. */
const storeFolder = (runsDirectory: string): string => join(dirname(resolve(runsDirectory)), 'mlflow');

const prepareStore = (folder: string): void => {
  ensureFolder(join(folder, 'artifacts'));
  if (!existsSync(join(folder, '.gitignore'))) writeWhole(join(folder, '.gitignore'), '*\n');
};

/** An own server of this store that is running already. */
const findRunning = async (
  folder: string,
  signal: AbortSignal | undefined,
): Promise<{ uri: string; version: string; pid: number } | undefined> => {
  try {
    const { uri, pid } = JSON.parse(readRegularText(join(folder, 'server.json'))) as {
      uri: string;
      pid: number;
    };
    if ((await get(`${uri}/health`, signal)) !== 'OK') return undefined;
    return { uri, pid, version: (await get(`${uri}/version`, signal))?.trim() ?? 'unknown' };
  } catch {
    return undefined;
  }
};

const choosePort = async (wanted: number | undefined): Promise<Answer<number>> => {
  if (wanted !== undefined)
    return (await isFree(wanted))
      ? success(wanted)
      : problem('settings', `Port ${wanted} is in use.`, { help: 'Choose another one with --port.' });
  for (let port = firstPort; port < firstPort + 100; port++) if (await isFree(port)) return success(port);
  return problem('settings', `No port from ${firstPort} on is free.`, { help: 'Choose one with --port.' });
};

const launch = (
  { command: [program, ...first], binaries }: MlflowProgram,
  { folder, port, env }: { readonly folder: string; readonly port: number; readonly env: NodeJS.ProcessEnv },
): ChildProcess => {
  const log = openToWrite(logPath(folder));
  const args = [
    ...first,
    'server',
    ...['--host', host, '--port', String(port), '--workers', '1'],
    ...['--backend-store-uri', `sqlite:///${join(folder, 'mlflow.db')}`],
    ...['--artifacts-destination', join(folder, 'artifacts')],
  ];
  const child = spawn(program, args, {
    // In its own process group: the server has children, and Ctrl-C is for us.
    detached: true,
    stdio: ['ignore', log, log],
    env: {
      ...env,
      // Its job processes cost gigabytes and are of no use for training runs.
      MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
      MLFLOW_DISABLE_TELEMETRY: 'true',
      PYTHONDONTWRITEBYTECODE: undefined,
      ...(binaries !== undefined && { PATH: `${binaries}${delimiter}${env['PATH'] ?? ''}` }),
    },
  });
  standBack(child.pid, serverNiceness);
  return child;
};

const killGroup = (child: ChildProcess, signal: NodeJS.Signals) => {
  try {
    if (child.pid !== undefined) process.kill(process.platform === 'win32' ? child.pid : -child.pid, signal);
  } catch {
    // Gone already.
  }
};

/**
 * Ends the server's group when this process is gone, even by SIGKILL: then the shell reads the end of its input. Released
 * when the server has ended.
 */
const endWithThisProcess = (server: ChildProcess): (() => void) => {
  if (process.platform === 'win32' || server.pid === undefined) return () => undefined;
  // `kill -TERM -- -PID` is an error in dash, the shell of Debian and Ubuntu.
  const script = `read -r _; kill -s TERM -- -$1 && sleep ${stopMs / 1000} && kill -s KILL -- -$1`;
  const watch = spawn('/bin/sh', ['-c', script, 'unroll-mlflow-watch', String(server.pid)], {
    // Ctrl-C in the terminal must not end it before the server.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watch.on('error', () => undefined);
  watch.unref();
  if (watch.stdin instanceof Socket) watch.stdin.unref();
  return () => killGroup(watch, 'SIGKILL');
};

const logPath = (folder: string): string => join(folder, 'server.log');

const explainEnd = (folder: string): Answer<never> => {
  const log = readRegularText(logPath(folder)).trim();
  const database = `sqlite:///${join(folder, 'mlflow.db')}`;
  if (/out-of-date database schema/i.test(log))
    return problem('settings', 'The MLflow database was made by another version of MLflow.', {
      help: `Make a copy of it, then run: mlflow db upgrade ${database}`,
    });
  return problem(
    'settings',
    `The MLflow server ended at once: ${log.split('\n').at(-1) ?? 'it printed nothing'}`,
    { help: `All it printed is in ${logPath(folder)}.` },
  );
};

/**
 * How long a server that answers may take to write to its log that it is the one that listens. On a busy machine another
 * server answers half a minute before ours has found its port taken.
 */
const ownWordMs = 120_000;

const stoppedEarly = (why: 'stopped' | 'timeout'): Answer<never> =>
  problem(why, 'The MLflow server was stopped before it answered.');

type Start = 'ready' | 'ended' | 'port-taken' | 'stopped' | 'timeout';

/**
 * Waits until the server answers. A port that was free may be taken by another server that starts at the same time: its
 * answer is not ours, so ours must also print that it listens.
 */
const awaitStart = async (
  { uri, folder, signal }: { readonly uri: string; readonly folder: string; readonly signal?: AbortSignal },
  hasEnded: () => boolean,
): Promise<Start> => {
  const deadline = Date.now() + startMs;
  for (let answered: number | undefined; ;) {
    const answers = (await get(`${uri}/health`, signal)) === 'OK';
    const log = readRegularText(logPath(folder));
    if (hasEnded()) return /(address already|connection) in use/i.test(log) ? 'port-taken' : 'ended';
    if (answers) {
      answered ??= Date.now();
      // The words of uvicorn (version 3) and of gunicorn (version 2).
      if (/running on http|listening at/i.test(log) || Date.now() > answered + ownWordMs) return 'ready';
    }
    if (signal?.aborted) return 'stopped';
    if (Date.now() > deadline) return 'timeout';
    await sleep(200);
  }
};

/**
 * `unroll mlflow`: finds or installs MLflow, starts it on the loopback address with a SQLite database and an artifact
 * folder beside `runs/`, and waits until it answers. A server of the same store that is running already is used.
 */
export const startMlflowServer = async (options: ServerOptions): Promise<Answer<MlflowServer>> => {
  const { runsDirectory, print, env = process.env, signal } = options;
  const folder = storeFolder(runsDirectory);
  prepareStore(folder);
  const running = await findRunning(folder, signal);
  if (running) {
    const { uri, version, pid } = running;
    print(`MLflow ${version} is running already: ${uri} (process ${pid})`);
    const nothing = () => Promise.resolve();
    return success({ uri, version, started: false, stop: nothing, kill: nothing, ended: nothing() });
  }
  if (signal?.aborted) return stoppedEarly('stopped');
  const program = await findMlflow({
    print,
    env,
    ...(signal && { signal }),
    ...(options.version !== undefined && { version: options.version, own: true }),
  });
  if (!program.ok) return program;
  for (let tries = 1; ; tries++) {
    const port = await choosePort(options.port);
    if (!port.ok) return port;
    const started = await startOn(port.value, { folder, program: program.value, options });
    if (started !== 'port-taken') return started;
    if (tries === mostPorts) return explainEnd(folder);
    // The next attempt at a port that the user chose reports that it is in use.
    print(`Another program took port ${port.value} meanwhile.`);
  }
};

const startOn = async (
  port: number,
  {
    folder,
    program,
    options: { print, signal, env = process.env },
  }: { readonly folder: string; readonly program: MlflowProgram; readonly options: ServerOptions },
): Promise<Answer<MlflowServer> | 'port-taken'> => {
  const uri = `http://${host}:${port}`;
  const { version } = program;
  print(`Starting MLflow ${version} at ${uri} ...`);
  const child = launch(program, { folder, port, env });
  const release = endWithThisProcess(child);
  const ended = new Promise<void>((settle) => {
    child.once('exit', () => {
      settle();
    });
    child.once('error', () => {
      settle();
    });
  });
  void ended.then(release);
  const hasEnded = () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
  const stop = async () => {
    killGroup(child, 'SIGTERM');
    await Promise.race([ended, sleep(stopMs, undefined, { ref: false })]);
    killGroup(child, 'SIGKILL');
    await ended;
  };
  const kill = async () => {
    killGroup(child, 'SIGKILL');
    await ended;
  };

  const start = await awaitStart({ uri, folder, ...(signal && { signal }) }, hasEnded);
  switch (start) {
    case 'ready':
      writeWhole(join(folder, 'server.json'), JSON.stringify({ uri, pid: child.pid }));
      signal?.addEventListener('abort', () => void stop(), { once: true });
      return success({ uri, version, started: true, stop, kill, ended });
    case 'ended':
      return explainEnd(folder);
    case 'port-taken':
      // Its parent may still wait for its workers.
      await kill();
      return 'port-taken';
    case 'stopped':
    case 'timeout':
      await stop();
      return stoppedEarly(start);
  }
};
