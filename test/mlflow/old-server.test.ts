import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type MlflowClient, openClient } from '../../src/mlflow/client/client.ts';
import { connectionSettings } from '../../src/mlflow/client/settings.ts';
import { cursorPath } from '../../src/mlflow/sync/cursor.ts';
import { downloadModel } from '../../src/mlflow/sync/download-model.ts';
import { registerRecorded } from '../../src/mlflow/sync/register-recorded.ts';
import { syncRecorded } from '../../src/mlflow/sync/sync-recorded.ts';
import { writeToyFolder } from '../support/model-folder.ts';
import { startFaultProxy } from '../support/mlflow/fault-proxy.ts';
import { impatient, writeCompactSweep } from '../support/mlflow/journals.ts';
import { oldMlflowVersion, realServer, whyNoMlflow } from '../support/mlflow/real-server.ts';
import { makePlan, writeSweep } from '../support/run-directories.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const missing = await whyNoMlflow(oldMlflowVersion);

describe.skipIf(missing !== undefined)('with the oldest server that is supported', () => {
  const server = realServer(oldMlflowVersion);
  let client: MlflowClient;
  beforeAll(async () => {
    await server.start();
    const settings = connectionSettings(server.uri(), { env: {}, file: '', allowed: true });
    const opened = settings.ok ? openClient(settings.value) : settings;
    if (!opened.ok) throw new Error(opened.errors[0].message);
    client = opened.value;
  });
  afterAll(() => client.close());

  const sync = async (runsDirectory: string, to = server.uri()) => {
    const env = { ...impatient, MLFLOW_HTTP_REQUEST_TIMEOUT: '60' };
    const result = await syncRecorded({ runsDirectory, to, verify: true, print: () => undefined, env });
    if (!result.ok) throw new Error(result.errors.map(({ message }) => message).join('\n'));
    return result.value;
  };

  test('a sweep is equal, and its model is a folder of the run', async () => {
    const runsDirectory = temporaryDirectory();
    const plan = makePlan({ experiment: 'old', axes: { 'model.hiddenSize': [8, 16] } });
    const [first = ''] = writeSweep(runsDirectory, plan);
    mkdirSync(join(first, 'model'));
    writeFileSync(join(first, 'model', 'weights.safetensors'), 'weights');
    const report = await sync(runsDirectory);
    expect(report).toMatchObject({ runs: 2, complete: 2, verified: 2, differences: [] });
    // Its page does not open saved views.
    expect(report.links[0]).toContain('searchFilter=');
    expect(report.links[0]).not.toContain('viewStateShareKey');
    const experiment = await client.experimentByName('old');
    expect(Object.keys(experiment.ok ? (experiment.value?.tags ?? {}) : {}).join()).not.toContain(
      'sharedView',
    );
    const runs = await client.searchRuns(
      experiment.ok ? (experiment.value?.id ?? '') : '',
      `tags."unroll.run" = '${plan.runs[0]?.id ?? ''}'`,
    );
    const run = runs.ok ? runs.value[0] : undefined;
    const files = await client.listArtifacts(run?.id ?? '', 'model');
    expect(files.ok && files.value.map(({ path }) => path)).toEqual([
      'model/MLmodel',
      'model/weights.safetensors',
    ]);
  });

  test('a registered version names files that its page shows, and is found by its alias', async () => {
    const runsDirectory = temporaryDirectory();
    const plan = makePlan({ experiment: 'registered' });
    const [directory = ''] = writeSweep(runsDirectory, plan);
    writeToyFolder(join(directory, 'model'), { name: 'gru', parameters: {} });
    const options = { runsDirectory, to: server.uri(), print: () => undefined, env: impatient };
    const named = { name: 'toys', alias: 'champion' };
    const first = await registerRecorded(directory, options, named);
    expect(first).toMatchObject({ ok: true, value: { version: '1', known: false } });
    expect(await registerRecorded(directory, options, named)).toMatchObject({
      value: { version: '1', known: true },
    });
    const page = `${server.uri()}/model-versions/get-artifact?path=MLmodel&name=toys&version=1`;
    expect(await (await fetch(page)).text()).toContain('artifact_path: model');
    const runId = first.ok ? first.value?.runId : '';
    expect(await client.versionSource('toys', 'champion')).toMatchObject({ value: `runs:/${runId}/model` });
    vi.stubEnv('UNROLL_CACHE', temporaryDirectory('cache'));
    const downloaded = await downloadModel(client, 'models:/toys@champion');
    vi.unstubAllEnvs();
    expect(downloaded.ok && readdirSync(downloaded.value)).toEqual(['model.json', 'weights.safetensors']);
  });

  test.each([1, 2, 3])('faults of seed %i, with NaN and lost cursors: equal in the end', async (seed) => {
    const runsDirectory = temporaryDirectory();
    const { directories } = writeCompactSweep(runsDirectory, { seed: 200 + seed, runs: 1, steps: 700 });
    const proxy = await startFaultProxy(server.uri(), { seed, rate: 0.35 });
    try {
      let complete = false;
      for (let tries = 0; tries < 30 && !complete; tries++) {
        if (tries === 20) proxy.heal();
        const env = { ...impatient, MLFLOW_HTTP_REQUEST_TIMEOUT: '8', MLFLOW_HTTP_REQUEST_MAX_RETRIES: '2' };
        const result = await syncRecorded({ runsDirectory, to: proxy.uri, print: () => undefined, env });
        complete = result.ok && result.value.complete === 1;
        if (tries % 3 === 1)
          for (const directory of directories) rmSync(cursorPath(directory, proxy.uri), { force: true });
      }
      proxy.heal();
      expect(await sync(runsDirectory, proxy.uri)).toMatchObject({ verified: 1, differences: [] });
    } finally {
      await proxy.close();
    }
  });
});
