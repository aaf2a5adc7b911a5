import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openClient } from '../../src/mlflow/client/client.ts';
import { connectionSettings } from '../../src/mlflow/client/settings.ts';
import { syncRecorded } from '../../src/mlflow/sync/sync-recorded.ts';
import { startUploader } from '../../src/mlflow/uploader/start.ts';
import { startFaultProxy } from '../support/mlflow/fault-proxy.ts';
import { realServer, whyNoMlflow } from '../support/mlflow/real-server.ts';
import { type Call, callAtEach, callsOf, oneFor, oneOfEach } from './cases.ts';
import {
  completed,
  type Ended,
  type Fault,
  faultEnvironment,
  judge,
  newFolder,
  processesOf,
  removeFolder,
  signal,
  startingIn,
  startUnroll,
  tryAll,
  undisturbedSweep,
} from './harness.ts';

/** Faults of the uploader, which is killed, stopped or refused by the disk while it sends to a real MLflow server. */
const { shim, calm } = undisturbedSweep();

const missing = await whyNoMlflow();

const uploader = 'uploader.js';

const refusals = ['ENOSPC', 'EACCES', 'EMFILE'] as const;

type Effect = Pick<Fault, 'action' | 'error'>;

/** What a call of the uploader can meet. Errors stay: a full disk is still full a moment later. */
const effectsOn = ({ kind }: Call): readonly Effect[] => [
  { action: 'kill' },
  { action: 'stop' },
  ...(kind === 'sync' ? [] : refusals.map((error) => ({ action: 'fail', error }) as const)),
];

/** Calls that others see the effect of. Between two of them, a kill at any call leaves the same. */
const changing: ReadonlySet<string> = new Set(['rename', 'link', 'unlink', 'mkdir']);

/** The sweep of a runs directory with one. */
const sweepIn = (runsDirectory: string): string =>
  readdirSync(join(runsDirectory, 'trial', 'sweeps'))
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.replace('.json', ''))
    .join();

interface Case extends Effect {
  readonly call: Call;
}

const nameOf = ({ call, action, error }: Case): string =>
  `${call.place}: uploader ${action}${error ? ` ${error}` : ''}`;

/** Each effect on each kind of call on each file, one of the times; and a kill and one error at every change. */
const casesOf = (calls: readonly Call[]): readonly Case[] => {
  const sites = oneOfEach(calls, ({ site }) => site, 'uploader');
  const changes = callAtEach(calls, 'uploader').filter(({ kind }) => changing.has(kind));
  return oneOfEach(
    [
      ...sites.flatMap((call) => effectsOn(call).map((effect): Case => ({ call, ...effect }))),
      ...changes.flatMap((call): Case[] => [
        { call, action: 'kill' },
        { call, action: 'fail', error: oneFor(`refusal ${call.place}`, refusals) },
      ]),
    ],
    nameOf,
    'uploader',
  );
};

describe.skipIf(shim === undefined || missing !== undefined)('with a real MLflow server', () => {
  const server = realServer();
  beforeAll(() => server.start());

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

  const environmentOf = (uri: string, experiment: string): NodeJS.ProcessEnv => ({
    MLFLOW_TRACKING_URI: uri,
    MLFLOW_EXPERIMENT_NAME: experiment,
    MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR: '0.01',
  });

  const environmentWith = (folder: string, experiment: string, fault: Partial<Fault>): NodeJS.ProcessEnv => ({
    ...faultEnvironment(shim ?? '', folder, { program: uploader, ...fault }),
    ...environmentOf(server.uri(), experiment),
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
    const { verified, differences, points } = synced.value;
    if (points > 0 && !disturbed.output.includes('unroll sync trial'))
      found.push(`${points} points were not sent, and no line says so: ${disturbed.output}`);
    if (verified !== 2 || differences.length > 0)
      found.push(`${verified} of 2 runs are equal on the server: ${JSON.stringify(differences)}`);
    const runs = await runsOnServer(experiment);
    if (runs !== 3) found.push(`the server has ${runs} runs, and should have the sweep's own and two`);
    return found;
  };

  let experiments = 0;

  /** Sends a copy of the undisturbed sweep, by a process of its own as for a sweep in training. */
  const upload = async (folder: string, experiment: string, fault: Partial<Fault>): Promise<Ended> => {
    const runsDirectory = join(folder, 'runs');
    cpSync(join(calm().folder, 'runs'), runsDirectory, { recursive: true });
    const lines: string[] = [];
    const { finish } = startingIn(folder, environmentWith(folder, experiment, fault), () =>
      startUploader({
        runsDirectory,
        experiment: 'trial',
        sweepId: sweepIn(runsDirectory),
        print: (line) => void lines.push(line),
      }),
    );
    await finish();
    return { code: 0, signal: null, output: lines.join('\n') };
  };

  /** The uploader's calls where nothing goes wrong. */
  const callsIn = async (
    start: (folder: string, experiment: string) => Promise<Ended>,
  ): Promise<readonly Call[]> => {
    const folder = newFolder();
    const { code, output } = await start(folder, `calm-${experiments++}`);
    expect(code, output).toBe(0);
    expect(output).not.toContain('unroll sync');
    const calls = callsOf(folder);
    removeFolder(folder);
    return calls;
  };

  test('an uploader that is killed, stopped or refused by the disk at any system call loses nothing', async () => {
    const all = casesOf(await callsIn((folder, experiment) => upload(folder, experiment, {})));
    expect(all.length).toBeGreaterThan(200);
    await tryAll(all, 20, nameOf, async ({ call, action, error }, folder) => {
      const experiment = `calls-${experiments++}`;
      const { number: at, kind } = call;
      const fault = { at, kind, action, sticky: true, ...(error && { error }) };
      return judgeUpload(folder, await upload(folder, experiment, fault), experiment);
    });
  });

  /** Trains a sweep and sends it meanwhile. */
  const train = (folder: string, environment: NodeJS.ProcessEnv): Promise<Ended> =>
    startUnroll(folder, ['run', 'spec.yaml', '--quiet'], environment).ended;

  test('a sweep in training is not disturbed by what happens to its uploader', async () => {
    const calls = await callsIn((folder, experiment) =>
      train(folder, environmentWith(folder, experiment, {})),
    );
    const all = oneOfEach(calls, ({ site }) => site, 'training').map((call): Case => ({
      call,
      ...oneFor(`training ${call.site}`, effectsOn(call)),
    }));
    await tryAll(all, 4, nameOf, async ({ call, action, error }, folder) => {
      const experiment = `training-${experiments++}`;
      const { number: at, kind } = call;
      const fault = { at, kind, action, sticky: true, ...(error && { error }) };
      const environment = environmentWith(folder, experiment, fault);
      return judgeUpload(folder, await train(folder, environment), experiment);
    });
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
        const disturbed = await train(folder, environment);
        await proxy.close();
        return judgeUpload(folder, disturbed, experiment);
      },
    );
  });

  const uploadersOf = (folder: string): number[] =>
    processesOf(folder).flatMap(({ pid, command }) => (command.includes(uploader) ? [pid] : []));
});
