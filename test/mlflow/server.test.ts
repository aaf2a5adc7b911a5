import { fork } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { type MlflowClient, openClient } from '../../src/mlflow/client/client.ts';
import { connectionSettings } from '../../src/mlflow/client/settings.ts';
import { cursorPath, readCursor } from '../../src/mlflow/sync/cursor.ts';
import { runProgram } from '../../src/cli/program.ts';
import { openTerminal } from '../../src/cli/terminal.ts';
import type { SyncReport } from '../../src/mlflow/sync/results.ts';
import { syncRecorded } from '../../src/mlflow/sync/sync-recorded.ts';
import { startUploader } from '../../src/mlflow/uploader/start.ts';
import { type Fault, startFaultProxy } from '../support/mlflow/fault-proxy.ts';
import {
  appendJournal,
  impatient,
  metricLines,
  writeCompactSweep,
  writeJournal,
} from '../support/mlflow/journals.ts';
import { realServer, whyNoMlflow } from '../support/mlflow/real-server.ts';
import { makePlan, writeRunDirectory, writeSweep } from '../support/run-directories.ts';
import { testSeed } from '../support/seed.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const missing = await whyNoMlflow();

describe.skipIf(missing !== undefined)('with a real server of the pinned version', () => {
  const server = realServer();
  let client: MlflowClient;
  const bundles = mkdtempSync(join(packageRoot, 'node_modules', '.uploader-'));
  const uploaderEntry = join(bundles, 'uploader.mjs');

  beforeAll(async () => {
    await Promise.all([
      server.start(),
      build({
        entryPoints: [join(packageRoot, 'src/mlflow/uploader/main.ts')],
        outfile: uploaderEntry,
        bundle: true,
        platform: 'node',
        format: 'esm',
        packages: 'external',
        logLevel: 'silent',
      }),
    ]);
    const settings = connectionSettings(server.uri(), { env: {}, file: '', allowed: true });
    const opened = settings.ok ? openClient(settings.value) : settings;
    if (!opened.ok) throw new Error(opened.errors[0].message);
    client = opened.value;
  });
  afterAll(async () => {
    await client.close();
    rmSync(bundles, { recursive: true, force: true });
  });

  const notices: string[] = [];
  const sync = async (
    runsDirectory: string,
    more: Partial<Parameters<typeof syncRecorded>[0]> = {},
  ): Promise<SyncReport> => {
    const result = await syncRecorded({
      runsDirectory,
      to: server.uri(),
      print: (line) => notices.push(line),
      env: { ...impatient, MLFLOW_HTTP_REQUEST_TIMEOUT: '60' },
      ...more,
    });
    if (!result.ok) throw new Error(result.errors.map(({ message }) => message).join('\n'));
    return result.value;
  };
  /** Everything is there and equal, and each recording has one run. */
  const expectEqual = async (runsDirectory: string) => {
    const report = await sync(runsDirectory, { verify: true });
    expect(report.differences).toEqual([]);
    expect(report.verified).toBe(report.runs);
    return report;
  };
  const runsOf = async (experiment: string) => {
    const found = await client.experimentByName(experiment);
    const id = found.ok ? (found.value?.id ?? '') : '';
    const runs = await client.searchRuns(id, '');
    if (!runs.ok) throw new Error(runs.errors[0].message);
    return { id, runs: runs.value };
  };

  test('a sweep of 12 runs with seeds stands there as it is recorded, readable at first sight', async () => {
    const runsDirectory = temporaryDirectory();
    const plan = makePlan({
      experiment: 'twelve',
      axes: { 'optimizer.learningRate': [0.001, 0.003, 0.01], 'model.hiddenSize': [64, 128] },
      seeds: [1, 2],
      steps: 100,
    });
    const directories = writeSweep(runsDirectory, plan, (_, index) =>
      index === 3 ? { state: 'diverged', step: 50 } : index === 4 ? { state: 'interrupted', step: 60 } : {},
    );
    const first = directories[0] ?? '';
    mkdirSync(join(first, 'model'));
    writeFileSync(
      join(first, 'model', 'model.json'),
      JSON.stringify({
        shape: {
          steps: 28,
          input: { kind: 'values', features: 28 },
          variableLength: false,
          task: { kind: 'classification', classes: 10 },
        },
      }),
    );
    writeFileSync(join(first, 'model', 'weights.safetensors'), 'weights');

    const report = await expectEqual(runsDirectory);
    expect(report).toMatchObject({ runs: 12, complete: 12, rejected: 0 });
    const { id, runs } = await runsOf('twelve');
    const parent = runs.find(({ tags }) => tags['mlflow.parentRunId'] === undefined);
    const children = runs.filter(({ tags }) => tags['mlflow.parentRunId'] === parent?.id);
    expect(children).toHaveLength(12);
    expect(runs).toHaveLength(13);
    expect(children.map(({ name }) => name)).toContain('lr1e-3 hs64 s1');
    expect(new Set(children.map(({ tags }) => tags['mlflow.runColor'])).size).toBe(6);
    expect(children.map(({ status }) => status).sort()).toEqual([
      ...Array<string>(1).fill('FAILED'),
      ...Array<string>(10).fill('FINISHED'),
      'KILLED',
    ]);
    const child = children.find(({ name }) => name === 'lr1e-3 hs64 s1');
    expect(child?.params).toMatchObject({
      'optimizer.learningRate': '0.001',
      'model.hiddenSize': '64',
      seed: '1',
    });
    expect(child?.datasets.map(({ name, context }) => [name, context])).toEqual(
      expect.arrayContaining([
        ['mnist-rows-train', 'train'],
        ['mnist-rows-test', 'test'],
      ]),
    );
    expect(child?.tags).toMatchObject({ 'mlflow.source.git.dirty': 'false', 'mlflow.loggedImages': 'True' });
    expect(child?.tags['mlflow.note.content']).toContain('completed');
    expect(child?.tags['mlflow.note.content']).toContain(
      `\`unroll show ${child?.tags['unroll.run'] ?? ''} --runs-directory ${runsDirectory}\``,
    );
    expect(parent?.status).toBe('FAILED');
    expect(parent?.tags['mlflow.note.content']).toContain('| rank |');
    const best = children.find(({ tags }) => tags['unroll.run'] === parent?.tags['unroll.best']);
    expect(parent?.tags['mlflow.note.content']).toContain(`](#/experiments/${id}/runs/${best?.id ?? ''})`);
    expect(parent?.params).toMatchObject({
      'best of 10.optimizer.learningRate': best?.params['optimizer.learningRate'],
      'best of 10.run': best?.tags['unroll.run'],
    });
    expect(parent?.metricKeys.every((key) => key.startsWith('sweep/'))).toBe(true);
    const files = await client.listArtifacts(parent?.id ?? '');
    expect(files.ok && files.value.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['plan.json', 'results.csv', 'spec.yaml']),
    );

    const models = await client.searchModels(id, '');
    expect(models).toMatchObject({ ok: true, value: [{ status: 'LOGGED_MODEL_READY' }] });
    const model = models.ok ? models.value?.[0] : undefined;
    const shown = (await (
      await fetch(`${server.uri()}/api/2.0/mlflow/logged-models/${model?.id ?? ''}`)
    ).json()) as { readonly model: { readonly info: { readonly name: string }; readonly data: object } };
    expect(shown.model.info.name).toBe('lr1e-3 hs64 s1');
    expect(shown.model.data).toMatchObject({
      metrics: expect.arrayContaining([
        expect.objectContaining({ key: 'test/accuracy', step: 0, dataset_name: 'mnist-rows-test' }),
        expect.objectContaining({ key: 'train/loss', step: 100, dataset_name: 'mnist-rows-train' }),
      ]) as unknown,
      params: expect.arrayContaining([{ key: 'optimizer.learningRate', value: '0.001' }]) as unknown,
    });
    const description = await client.downloadArtifact(model?.artifactUri ?? '', 'MLmodel');
    expect(description.ok && description.value.toString()).toContain('[-1,28,28]');
    const experiment = await client.experimentById(id);
    const views = experiment.ok ? Object.keys(experiment.value?.tags ?? {}) : [];
    expect(views.filter((key) => key.startsWith('mlflow.sharedViewState.unroll-'))).toHaveLength(1);
    expect(report.links[0]).toContain('workflowType=machine_learning');

    const again = await sync(runsDirectory);
    expect(again.points).toBe(0);
    expect((await runsOf('twelve')).runs).toHaveLength(13);

    const register = async (written: string) => {
      const lines: string[] = [];
      const words = [
        ...['register', written, '--name', 'rows', '--alias', 'champion', '--json'],
        ...['--to', server.uri(), '--runs-directory', runsDirectory],
      ];
      const terminal = openTerminal(words, { print: (line) => lines.push(line), complain: () => undefined });
      return { code: await runProgram(words, terminal), said: JSON.parse(lines.join('\n')) as unknown };
    };
    // All of it is sent again, to the same model.
    rmSync(cursorPath(first, server.uri()));
    await expectEqual(runsDirectory);
    expect(await client.searchModels(id, '')).toMatchObject({ ok: true, value: [{ id: model?.id }] });

    const firstId = basename(first);
    const registered = { name: 'rows', version: '1', uri: 'models:/rows@champion', runId: child?.id };
    expect(await register(firstId)).toMatchObject({ code: 0, said: { ...registered, known: false } });
    expect(await register(firstId)).toMatchObject({ code: 0, said: { ...registered, known: true } });
    const aliased = await fetch(
      `${server.uri()}/api/2.0/mlflow/registered-models/alias?name=rows&alias=champion`,
    );
    expect(await aliased.json()).toMatchObject({ model_version: { version: '1', run_id: child?.id } });
    // The best of these made runs kept no model.
    expect(await register('best:twelve')).toMatchObject({
      code: 2,
      said: { diagnostics: [{ message: expect.stringContaining('has no model of run') as unknown }] },
    });
  });

  test('a run that is gone on with is one run with one curve, whatever happens to the cursor', async () => {
    const runsDirectory = temporaryDirectory();
    const plan = makePlan({ experiment: 'resumed' });
    const [run] = plan.runs;
    if (!run) throw new Error('no run');
    const directory = writeRunDirectory(runsDirectory, run, { state: 'interrupted', step: 50 });
    writeJournal(directory, metricLines(1, 700));
    await expectEqual(runsDirectory);
    writeRunDirectory(runsDirectory, run, {});
    writeJournal(directory, metricLines(1, 700));
    appendJournal(directory, metricLines(1, 1300, 701));
    rmSync(cursorPath(directory, server.uri()));
    await expectEqual(runsDirectory);
    rmSync(join(directory, 'mlflow'), { recursive: true });
    await expectEqual(runsDirectory);
    const { runs } = await runsOf('resumed');
    expect(runs).toHaveLength(1);
    expect(runs[0]?.status).toBe('FINISHED');
  });

  test('a file that lost its end and was written again adds no step twice', async () => {
    const runsDirectory = temporaryDirectory();
    const { directories } = writeCompactSweep(runsDirectory, { seed: 77, runs: 1, steps: 1500 });
    const [directory = ''] = directories;
    await sync(runsDirectory);
    // The last 600 lines are trained again: equal values at other times.
    const lines = metricLines(7700, 1500);
    writeJournal(
      directory,
      lines.map((line) => (line.step > 900 ? { ...line, time: line.time + 60_000 } : line)),
    );
    await sync(runsDirectory);
    const { runs } = await runsOf('compact-77');
    let points = 0;
    await client.metricHistory(runs[0]?.id ?? '', 'train/loss', (page) => (points += page.length));
    expect(points).toBe(1500);
    writeJournal(directory, lines);
    await expectEqual(runsDirectory);
  });

  /** Sends two runs through a proxy that plays faults, until the server has them; then all is equal. */
  const sendThroughFaults = async (seed: number, runsDirectory: string) => {
    const { directories, plan } = writeCompactSweep(runsDirectory, { seed, runs: 2, steps: 700 });
    const proxy = await startFaultProxy(server.uri(), { seed, rate: 0.4 });
    const random = randomStream(seed, 'test');
    try {
      let complete = false;
      for (let tries = 0; tries < 30 && !complete; tries++) {
        if (tries === 20) proxy.heal();
        const result = await syncRecorded({
          runsDirectory,
          to: proxy.uri,
          print: () => undefined,
          env: {
            ...impatient,
            MLFLOW_HTTP_REQUEST_MAX_RETRIES: String(random.integer(4)),
            // From here on a request that takes long is only slow.
            ...(tries >= 20 && { MLFLOW_HTTP_REQUEST_TIMEOUT: '60' }),
          },
        });
        complete = result.ok && result.value.complete === 2;
        if (random.integer(4) === 0)
          for (const directory of directories) rmSync(cursorPath(directory, proxy.uri), { force: true });
      }
      expect(complete).toBe(true);
      expect([...proxy.played.values()].reduce((a, b) => a + b, 0)).toBeGreaterThan(3);
      proxy.heal();
      await expectEqualThrough(proxy.uri, runsDirectory);
    } finally {
      await proxy.close();
    }
    expect((await runsOf(plan.experiment)).runs.filter(({ deleted }) => !deleted)).toHaveLength(3);
  };

  // Most of the time is that of faults by which nothing is answered, so several seeds wait at once.
  test.each(Array.from({ length: 7 }, (_, group) => testSeed + 3 * group))(
    'faults of seed %i and the next two: server and journals are equal in the end',
    async (first) => {
      const folder = temporaryDirectory();
      const seeds = Array.from({ length: 3 }, (_, index) => first + index);
      await Promise.all(
        seeds.map((seed) =>
          sendThroughFaults(seed, join(folder, String(seed))).catch((error: unknown) => {
            throw new Error(`seed ${seed}`, { cause: error });
          }),
        ),
      );
    },
  );

  test.each<Fault>(['reset-before', 'reset-after-commit'])(
    'connections that the server closes while they are kept alive (%s) are no failure',
    async (fault) => {
      const runsDirectory = temporaryDirectory();
      const { plan } = writeCompactSweep(runsDirectory, {
        seed: 91,
        runs: 2,
        steps: 700,
        experiment: `stale-${fault}`,
      });
      const used = new WeakSet();
      const proxy = await startFaultProxy(server.uri(), {
        seed: testSeed,
        rate: 0,
        choose: ({ socket }) => {
          if (used.has(socket)) return fault;
          used.add(socket);
          return undefined;
        },
      });
      const lines: string[] = [];
      try {
        const report = await sync(runsDirectory, {
          to: proxy.uri,
          verify: true,
          print: (line) => lines.push(line),
          env: { MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0' },
        });
        expect(report).toMatchObject({ runs: 2, complete: 2, verified: 2, differences: [] });
        expect(proxy.played.get(fault)).toBeGreaterThan(3);
      } finally {
        await proxy.close();
      }
      expect(lines.filter((line) => /retry|again|broke|reached/i.test(line))).toEqual([]);
      expect((await runsOf(plan.experiment)).runs).toHaveLength(3);
    },
  );

  const expectEqualThrough = async (to: string, runsDirectory: string) => {
    const report = await sync(runsDirectory, { to, verify: true });
    expect(report.differences).toEqual([]);
    expect(report.verified).toBe(report.runs);
  };

  test('two who send the same folder at once send it once', async () => {
    const runsDirectory = temporaryDirectory();
    const { plan } = writeCompactSweep(runsDirectory, { seed: 31, runs: 4, steps: 300 });
    await Promise.all([sync(runsDirectory), sync(runsDirectory)]);
    await expectEqual(runsDirectory);
    expect((await runsOf(plan.experiment)).runs).toHaveLength(5);
  });

  test('an uploader that is killed again and again, while runs are recorded, leaves all to be sent once', async () => {
    const runsDirectory = temporaryDirectory();
    const { plan, directories } = writeCompactSweep(runsDirectory, { seed: 41, runs: 2, steps: 1 });
    const random = randomStream(testSeed, 'kills');
    let recorded = 1;
    const record = (steps: number) => {
      directories.forEach((directory, index) =>
        appendJournal(directory, metricLines(4100 + index, steps, recorded + 1)),
      );
      recorded += steps;
    };
    let atRequest: (() => void) | undefined;
    const proxy = await startFaultProxy(server.uri(), {
      seed: testSeed,
      rate: 0,
      onRequest: () => atRequest?.(),
    });
    const settings = { runsDirectory, experiment: plan.experiment, sweepId: plan.sweepId, to: proxy.uri };
    try {
      for (let kills = 0; kills < 8; kills++) {
        record(400);
        const child = fork(uploaderEntry, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
        const exited = new Promise((resolve) => child.once('exit', resolve));
        let left = 1 + random.integer(12);
        atRequest = () => {
          // There is always more to send, so that the last request of the draw comes.
          record(20);
          if (--left === 0) child.kill('SIGKILL');
        };
        child.send({ type: 'start', settings });
        await exited;
      }
      atRequest = undefined;
      const said: string[] = [];
      const uploader = startUploader({ ...settings, entry: uploaderEntry, print: (line) => said.push(line) });
      const end = await uploader.finish({ drainMs: 240_000 });
      expect(said).toEqual([]);
      expect(end.unsent).toBeNull();
      expect(end.link).toContain('compareRunsMode=CHART');
      await expectEqualThrough(proxy.uri, runsDirectory);
      expect((await runsOf(plan.experiment)).runs).toHaveLength(3);
    } finally {
      await proxy.close();
    }
  });

  test('a run whose process is gone ends as KILLED, and a sweep nobody runs is not running', async () => {
    const runsDirectory = temporaryDirectory();
    const plan = makePlan({ experiment: 'crashed', axes: { 'model.hiddenSize': [8, 16] } });
    writeSweep(runsDirectory, plan, (_, index) =>
      index === 0
        ? { state: 'running', step: 30, holder: { host: hostname(), pid: 4_000_000, processStartedAt: 1 } }
        : {},
    );
    await expectEqual(runsDirectory);
    const { runs } = await runsOf('crashed');
    expect(runs.map(({ status }) => status).sort()).toEqual(['FINISHED', 'KILLED', 'KILLED']);
    expect(runs.every(({ endTime }) => endTime !== null)).toBe(true);
  });

  /** The units of the runs that a link shows, by the filter of its saved view. */
  const shownBy = async (link: string | undefined, experimentId: string) => {
    const experiment = await client.experimentById(experimentId);
    const key = new URL((link ?? '').replace('/#', '')).searchParams.get('viewStateShareKey') ?? '';
    const tags = experiment.ok ? (experiment.value?.tags ?? {}) : {};
    const { state } = JSON.parse(tags[`mlflow.sharedViewState.${key}`] ?? '') as { state: string };
    const { searchFilter } = JSON.parse(state) as { searchFilter: string };
    const found = await client.searchRuns(experimentId, searchFilter);
    return found.ok ? found.value.map(({ params }) => Number(params['model.hiddenSize'])).sort() : [];
  };

  test('sweeps that share runs keep their links, and what somebody edited on the server stays', async () => {
    const runsDirectory = temporaryDirectory();
    let threads = 1;
    const sweepOver = async (...hiddenSizes: number[]) => {
      const plan = makePlan({ experiment: 'grown', axes: { 'model.hiddenSize': hiddenSizes } });
      for (const directory of writeSweep(runsDirectory, plan)) {
        const path = join(directory, 'environment.json');
        const text = readFileSync(path, 'utf8').replace(/"threads":\s*\d/, `"threads":${threads}`);
        writeFileSync(path, text);
      }
      const report = await sync(runsDirectory);
      return report.links.find((link) => link.includes(plan.sweepId));
    };
    const first = await sweepOver(1, 2);
    const { id, runs } = await runsOf('grown');
    const parent = runs.find(({ tags }) => tags['mlflow.parentRunId'] === undefined);
    const child = runs.find(({ params }) => params['model.hiddenSize'] === '2');
    const tags = [
      { key: 'mlflow.note.content', value: 'my note' },
      { key: 'mlflow.runColor', value: '#123456' },
      { key: 'unroll.host', value: 'renamed' },
      { key: 'mine', value: 'kept' },
    ];
    for (const run of [parent, child]) await client.logBatch(run?.id ?? '', { tags });

    const grown = await sweepOver(3, 1, 2);
    threads = 4;
    const moved = await sweepOver(2, 3, 4);
    expect(await shownBy(first, id)).toEqual([1, 2]);
    expect(await shownBy(grown, id)).toEqual([1, 2, 3]);
    expect(await shownBy(moved, id)).toEqual([2, 3, 4]);
    for (const run of [parent, child]) {
      const now = await client.getRun(run?.id ?? '');
      expect(now.ok && now.value?.tags).toMatchObject(
        Object.fromEntries(tags.map(({ key, value }) => [key, value])),
      );
      // What nobody edited follows the record.
      if (run === child) expect(now.ok && now.value?.tags['unroll.environment']).toContain('4 threads');
    }
  });

  test('sweeps that overlap and were recorded before the first sync both show all their runs', async () => {
    const runsDirectory = temporaryDirectory();
    const over = (...hiddenSizes: number[]) => {
      const plan = makePlan({ experiment: 'overlapping', axes: { 'model.hiddenSize': hiddenSizes } });
      writeSweep(runsDirectory, plan);
      return plan.sweepId;
    };
    const sweeps = [over(1, 2, 3), over(2, 3, 4)];
    const { links } = await sync(runsDirectory);
    const { id, runs } = await runsOf('overlapping');
    const shown = await Promise.all(
      sweeps.map((sweepId) =>
        shownBy(
          links.find((link) => link.includes(sweepId)),
          id,
        ),
      ),
    );
    expect(shown).toEqual([
      [1, 2, 3],
      [2, 3, 4],
    ]);
    expect(runs).toHaveLength(6);
  });

  /** A recorded sweep of two runs with models, and its experiment on the server, whose files are kept in `store`. */
  const sweepWithStore = async (experiment: string, store: string) => {
    const created = await fetch(`${server.uri()}/api/2.0/mlflow/experiments/create`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: experiment, artifact_location: store }),
    });
    expect(created.status).toBe(200);
    const runsDirectory = temporaryDirectory();
    const plan = makePlan({ experiment, axes: { 'model.hiddenSize': [8, 16] } });
    for (const directory of writeSweep(runsDirectory, plan)) {
      mkdirSync(join(directory, 'model'));
      writeFileSync(join(directory, 'model', 'weights.safetensors'), 'weights');
    }
    return { runsDirectory, plan };
  };

  test('files go directly to a folder of this machine that the server does not pass on', async () => {
    const store = join(temporaryDirectory(), 'not there yet');
    const { runsDirectory, plan } = await sweepWithStore('in-folder', store);
    expect(await expectEqual(runsDirectory)).toMatchObject({ runs: 2, complete: 2, withoutFiles: 0 });
    const { id, runs } = await runsOf('in-folder');
    const child = runs.find(({ tags }) => tags['unroll.run'] === plan.runs[0]?.id);
    expect(existsSync(join(store, child?.id ?? '', 'artifacts', 'run.json'))).toBe(true);
    const models = await client.searchModels(id, '');
    expect(models.ok && models.value?.map(({ status }) => status)).toEqual([
      'LOGGED_MODEL_READY',
      'LOGGED_MODEL_READY',
    ]);
    for (const { artifactUri } of (models.ok && models.value) || [])
      expect(readdirSync(artifactUri).sort()).toEqual(['MLmodel', 'weights.safetensors']);
    expect((await sync(runsDirectory)).points).toBe(0);
  });

  test('a store that cannot be written to is one message: runs are not complete, and there is no model', async () => {
    const { runsDirectory } = await sweepWithStore('no-store', 's3://bucket/folder');
    const lines: string[] = [];
    const report = await sync(runsDirectory, { print: (line) => lines.push(line) });
    expect(report).toMatchObject({ runs: 2, complete: 0, withoutFiles: 2, rejected: 0 });
    expect(lines.filter((line) => line.includes('s3://'))).toEqual([
      expect.stringContaining('keeps files in s3://bucket/folder, where they cannot be written from here'),
    ]);
    const { id, runs } = await runsOf('no-store');
    expect(runs.map(({ status }) => status)).toEqual(['FINISHED', 'FINISHED', 'FINISHED']);
    expect(await client.searchModels(id, '')).toMatchObject({ ok: true, value: [] });
  });

  test('what the server refuses is kept in a file with one warning, and the rest arrives', async () => {
    const runsDirectory = temporaryDirectory();
    const plan = makePlan({ experiment: 'refused' });
    const [run] = plan.runs;
    if (!run) throw new Error('no run');
    const directory = writeRunDirectory(runsDirectory, run, {});
    notices.length = 0;
    await sync(runsDirectory);
    // The server keeps the first value of a parameter.
    const changed = { ...run, config: { ...run.config, model: { ...run.config.model, hiddenSize: 999 } } };
    writeFileSync(join(directory, 'run.json'), JSON.stringify(changed));
    appendJournal(directory, metricLines(5, 20, 2000));
    const report = await sync(runsDirectory);
    expect(report).toMatchObject({ rejected: 1, complete: 1 });
    const cursor = readCursor(directory, server.uri());
    expect(cursor?.rejected).toBe(1);
    const kept = cursorPath(directory, server.uri()).replace(/json$/, 'rejected.jsonl');
    expect(existsSync(kept) && readFileSync(kept, 'utf8')).toContain('"999"');
    expect(notices.filter((line) => line.includes('Changing param values'))).toHaveLength(1);
    const verified = await sync(runsDirectory, { verify: true });
    expect(verified.differences[0]?.differences.join()).toContain(
      'model.hiddenSize is 999 here and 128 on the server',
    );
  });

  test('verify sees a point that is missing, one too many, and another value', async () => {
    const runsDirectory = temporaryDirectory();
    const { plan, directories } = writeCompactSweep(runsDirectory, { seed: 51, runs: 1, steps: 10 });
    const [directory = ''] = directories;
    await sync(runsDirectory);
    const { runs } = await runsOf(plan.experiment);
    const metric = { key: 'train/accuracy', value: 7, timestamp: 1, step: 11 };
    await client.logBatch(runs[0]?.id ?? '', { metrics: [metric] });
    expect((await sync(runsDirectory, { verify: true })).differences[0]?.differences).toEqual([
      'train/accuracy: the server has step 11 once more than the record',
    ]);
    appendJournal(directory, [{ step: 11, time: 1, metrics: { 'train/accuracy': 8 } }]);
    expect((await sync(runsDirectory, { verify: true })).differences[0]?.differences[0]).toBe(
      'train/accuracy: step 11 is 8 here and 7 on the server',
    );
  });

  test('a run that was deleted on the server is neither complete nor equal', async () => {
    const runsDirectory = temporaryDirectory();
    const { plan } = writeCompactSweep(runsDirectory, { seed: 55, runs: 2, steps: 10 });
    await sync(runsDirectory);
    const { runs } = await runsOf(plan.experiment);
    const child = runs.find(({ tags }) => tags['unroll.run'] === plan.runs[0]?.id);
    await client.deleteRun(child?.id ?? '');
    const report = await sync(runsDirectory, { verify: true });
    expect(report).toMatchObject({ runs: 2, complete: 1 });
    expect(report.differences).toEqual([
      { run: plan.runs[0]?.id, differences: ['the run was deleted on the server'] },
    ]);
  });

  test('a deleted experiment is left deleted, with the way to go on, until it is restored on purpose', async () => {
    const runsDirectory = temporaryDirectory();
    writeCompactSweep(runsDirectory, { seed: 61, runs: 1, steps: 10 });
    await sync(runsDirectory);
    const { id } = await runsOf('compact-61');
    await fetch(`${server.uri()}/api/2.0/mlflow/experiments/delete`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ experiment_id: id }),
    });
    await expect(sync(runsDirectory)).rejects.toThrow(
      'The experiment "compact-61" was deleted on the server.',
    );
    await sync(runsDirectory, { restore: true });
    await expectEqual(runsDirectory);
  });

  test('a sweep that was recorded without any server is sent later, to more than one', async () => {
    const runsDirectory = temporaryDirectory();
    const { plan } = writeCompactSweep(runsDirectory, { seed: 71, runs: 2, steps: 50 });
    const unreachable = await syncRecorded({
      runsDirectory,
      to: 'http://127.0.0.1:9',
      print: () => undefined,
      env: { ...impatient, MLFLOW_HTTP_REQUEST_MAX_RETRIES: '1' },
    });
    expect(unreachable.ok).toBe(false);
    await expectEqual(runsDirectory);
    const other = server.uri().replace('127.0.0.1', 'localhost');
    await sync(runsDirectory, { to: other });
    // The same server under another name: its runs are found, not made again.
    expect((await runsOf(plan.experiment)).runs).toHaveLength(3);
  });

  test('a server that is killed and started again in mid-sweep has everything exactly once', async () => {
    const runsDirectory = temporaryDirectory();
    const { plan } = writeCompactSweep(runsDirectory, { seed: 81, runs: 4, steps: 1500 });
    let restarted: Promise<void> | undefined;
    const onRequest = (count: number) => {
      if (count === 12) restarted = server.restart();
    };
    const proxy = await startFaultProxy(server.uri(), { seed: testSeed, rate: 0, onRequest });
    try {
      await syncRecorded({
        runsDirectory,
        to: proxy.uri,
        print: () => undefined,
        env: { ...impatient, MLFLOW_HTTP_REQUEST_MAX_RETRIES: '2' },
      });
      expect(restarted).toBeDefined();
      await restarted;
      await expectEqualThrough(proxy.uri, runsDirectory);
    } finally {
      await proxy.close();
    }
    expect((await runsOf(plan.experiment)).runs).toHaveLength(5);
  });
});
