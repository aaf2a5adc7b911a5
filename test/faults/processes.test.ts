import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { syncRecorded } from '../../src/mlflow/sync/sync-recorded.ts';
import { openClient } from '../../src/mlflow/client/client.ts';
import { connectionSettings } from '../../src/mlflow/client/settings.ts';
import { startFaultProxy } from '../support/mlflow/fault-proxy.ts';
import { realServer, whyNoMlflow } from '../support/mlflow/real-server.ts';
import { until } from '../support/until.ts';
import { callAtEach, callsOf, oneFor } from './cases.ts';
import {
  type Ended,
  faultEnvironment,
  judge,
  newFolder,
  numbersOf,
  processesOf,
  removeFolder,
  runWithFault,
  runWords,
  type Started,
  startUnroll,
  stoppedIn,
  tryAll,
  undisturbedSweep,
  unlessEnded,
} from './harness.ts';

/** Faults of the processes of a sweep: the command, its training processes and its uploader are stopped and killed. */
const { shim, calm } = undisturbedSweep();

/** Short, so that a stopped process loses its locks at once. */
const shortLease = { UNROLL_LEASE_MS: '1000' };

/** What happens to a stopped process. `overtake`: another command completes the sweep before it wakes up. */
const sequels = ['continue', 'kill', 'kill the command', 'overtake'] as const;

const completed = (what: string, { code, output }: Ended): string[] =>
  code === 0 ? [] : [`${what} ended with ${code}: ${output}`];

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
};

/** Lets another command complete the sweep while a process is stopped, then continues it: it must not write any more. */
const overtake = async (folder: string, started: Started, stopped: number): Promise<string[]> => {
  // A command that lives waits for its stopped training process.
  if (stopped !== started.pid) signal(started.pid, 'SIGKILL');
  const other = await startUnroll(folder, runWords, shortLease).ended;
  const before = JSON.stringify(numbersOf(folder));
  signal(stopped, 'SIGCONT');
  await started.ended;
  await until(() => processesOf(folder).length === 0);
  return [
    ...completed('the other command', other),
    ...(JSON.stringify(numbersOf(folder)) === before ? [] : ['it wrote after it had lost its run']),
  ];
};

describe.skipIf(shim === undefined)('with gcc, which compiles what stops processes at a system call', () => {
  test('a process that is stopped at any moment loses nothing, whatever becomes of it', () => {
    const all = callAtEach(calm().calls, 'stop').map((call) => ({
      call,
      sequel: oneFor(`sequel ${call.place}`, sequels),
    }));
    return tryAll(
      all,
      25,
      ({ call, sequel }) => `${call.place}: stopped, then: ${sequel}`,
      async ({ call, sequel }, folder) => {
        const fault = { at: call.number, kind: call.kind, action: 'stop' } as const;
        const started = runWithFault(shim ?? '', folder, fault, shortLease);
        const stopped = await unlessEnded(started, () => stoppedIn(folder));
        const found: string[] = [];
        if (stopped !== undefined) {
          switch (sequel) {
            case 'continue':
              signal(stopped, 'SIGCONT');
              found.push(...completed('the continued command', await started.ended));
              break;
            case 'kill':
              signal(stopped, 'SIGKILL');
              break;
            case 'kill the command':
              signal(started.pid, 'SIGKILL');
              signal(stopped, 'SIGCONT');
              break;
            case 'overtake':
              found.push(...(await overtake(folder, started, stopped)));
          }
        }
        return [...found, ...(await judge(folder, await started.ended, calm().numbers))];
      },
    );
  });

  test('a process that is stopped while it looks at its own lock has lost it when it wakes up', () =>
    tryAll(
      Object.keys(calm().numbers).slice(0, 1),
      1,
      (id) => `stopped at the second look at the lock of ${id}`,
      async (id, folder) => {
        const fault = { at: 4, kind: 'read', action: 'stop', program: 'child.js' } as const;
        const lock = join(folder, 'runs', 'trial', id, 'writer');
        const environment = { ...shortLease, FAULT_PREFIX: lock };
        const started = runWithFault(shim ?? '', folder, fault, environment);
        const stopped = await unlessEnded(started, () => stoppedIn(folder));
        const found =
          stopped === undefined ? ['it was not stopped'] : await overtake(folder, started, stopped);
        return [...found, ...(await judge(folder, await started.ended, calm().numbers))];
      },
    ));
});

const missing = await whyNoMlflow();

describe.skipIf(shim === undefined || missing !== undefined)('with a real MLflow server', () => {
  const server = realServer();

  /** Runs of an experiment on the server, its sweeps' own ones among them. */
  const runsOnServer = async (experiment: string): Promise<number> => {
    const settings = connectionSettings(server.uri(), { env: {}, file: '', allowed: true });
    const opened = settings.ok ? openClient(settings.value) : settings;
    if (!opened.ok) throw new Error(opened.errors[0].message);
    const found = await opened.value.experimentByName(experiment);
    const runs = await opened.value.searchRuns(found.ok ? (found.value?.id ?? '') : '', '');
    await opened.value.close();
    return runs.ok ? runs.value.length : 0;
  };

  const trackedWords = ['run', 'spec.yaml', '--quiet'];

  const environmentOf = (uri: string, experiment: string): NodeJS.ProcessEnv => ({
    MLFLOW_TRACKING_URI: uri,
    MLFLOW_EXPERIMENT_NAME: experiment,
    MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR: '0.01',
  });

  /** What is wrong after the uploader's fault: in the record, or on the server once the rest has been sent. */
  const judgeUpload = async (folder: string, disturbed: Ended, experiment: string): Promise<string[]> => {
    const found = [
      // The upload is no part of the sweep: it must not fail it.
      ...completed('the sweep', disturbed),
      ...(await judge(folder, disturbed, calm().numbers)),
    ];
    const synced = await syncRecorded({
      runsDirectory: join(folder, 'runs'),
      verify: true,
      print: () => undefined,
      env: environmentOf(server.uri(), experiment),
    });
    if (!synced.ok) return [...found, ...synced.errors.map(({ message }) => message)];
    const { verified, differences } = synced.value;
    if (verified !== 2 || differences.length > 0)
      found.push(`${verified} of 2 runs are equal on the server: ${JSON.stringify(differences)}`);
    const runs = await runsOnServer(experiment);
    if (runs !== 3) found.push(`the server has ${runs} runs, and should have the sweep's own and two`);
    return found;
  };

  let experiments = 0;
  const uploader = 'uploader.js';

  test('an uploader that is killed, stopped or refused by the disk at any system call loses nothing', async () => {
    await server.start();
    const folder = newFolder();
    const given = environmentOf(server.uri(), 'calm');
    const environment = { ...faultEnvironment(shim ?? '', folder, { program: uploader }), ...given };
    expect((await startUnroll(folder, trackedWords, environment).ended).code).toBe(0);
    // It looks at a journal as often as time passes.
    const calls = callsOf(folder).filter(({ before }) => before < 4);
    const all = callAtEach(calls, 'uploader').flatMap((call) => [
      { call, action: 'kill' as const, error: undefined },
      { call, action: 'stop' as const, error: undefined },
      ...(call.kind === 'sync'
        ? []
        : (['ENOSPC', 'EACCES', 'EMFILE'] as const).map((error) => ({
            call,
            action: 'fail' as const,
            error,
          }))),
    ]);
    removeFolder(folder);
    expect(all.length).toBeGreaterThan(20);
    await tryAll(
      all,
      8,
      ({ call, action, error = '' }) => `${call.place}: uploader ${action} ${error}`,
      async ({ call, action, error }, folder) => {
        const experiment = `calls-${experiments++}`;
        const fault = {
          at: call.number,
          kind: call.kind,
          action,
          program: uploader,
          sticky: true,
          ...(error && { error }),
        };
        const environment = {
          ...faultEnvironment(shim ?? '', folder, fault),
          ...environmentOf(server.uri(), experiment),
        };
        return judgeUpload(folder, await startUnroll(folder, trackedWords, environment).ended, experiment);
      },
    );
  });

  test('an uploader that is killed at any of its requests sends nothing twice', async () => {
    const requests = Array.from({ length: 40 }, (_, index) => index + 1);
    await tryAll(
      requests,
      5,
      (request) => `killed at request ${request}`,
      async (request, folder) => {
        const experiment = `requests-${experiments++}`;
        const proxy = await startFaultProxy(server.uri(), {
          seed: request,
          rate: 0,
          onRequest: (count) => {
            if (count === request) for (const pid of uploadersOf(folder)) signal(pid, 'SIGKILL');
          },
        });
        const environment = environmentOf(proxy.uri, experiment);
        const disturbed = await startUnroll(folder, trackedWords, environment).ended;
        await proxy.close();
        return judgeUpload(folder, disturbed, experiment);
      },
    );
  });

  const uploadersOf = (folder: string): number[] =>
    processesOf(folder).flatMap(({ pid, command }) => (command.includes(uploader) ? [pid] : []));
});
