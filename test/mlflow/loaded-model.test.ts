import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { evaluate, predict as predictInProgram, register, sync, UnrollError } from 'unroll-ml';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runCommand } from '../../src/system/command.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { randomStream } from '../../src/data/random.ts';
import { freshCache } from '../support/cache.ts';
import { freePort } from '../support/free-port.ts';
import { mlflowWithOnnx } from '../support/mlflow/onnx-packages.ts';
import { realServer, whyNoMlflow } from '../support/mlflow/real-server.ts';
import { createRig, until } from '../support/rig.ts';
import { testSeed } from '../support/seed.ts';

const missing = await whyNoMlflow();

/** Sequences of different lengths, as the toy sequences are. */
const [examples, steps] = [40, 12];
const random = randomStream(testSeed, 'sequences');
const inputs = Array.from({ length: examples }, () =>
  Array.from({ length: steps }, () => [Math.fround(random.uniform())]),
);
const lengths = Array.from({ length: examples }, () => 1 + random.integer(steps));

/** The numbers of an answer by their place. */
const numbersIn = (value: unknown, path = ''): ReadonlyMap<string, number> =>
  typeof value === 'object' && value !== null
    ? new Map(Object.entries(value).flatMap(([key, one]) => [...numbersIn(one, `${path}/${key}`)]))
    : new Map([[path, Number(value)]]);

describe.skipIf(missing !== undefined)('a registered model', () => {
  const server = realServer();
  const folder = mkdtempSync(join(tmpdir(), 'unroll-loaded-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const unroll = (...words: readonly string[]) =>
    runCommand(process.execPath, [join(packageRoot, 'bin/unroll.js'), ...words], { cwd: folder });
  let expected: readonly number[] = [];
  let runId = '';

  beforeAll(async () => {
    const spec = `version: 1
name: toy
dataset: { name: toy-sequences, trainSize: 200, testSize: 50, minLength: 3, maxLength: ${steps} }
model: { name: gru, hiddenSize: 8, bidirectional: true }
optimizer: { name: adam, learningRate: 0.01 }
train: { batchSize: 32, steps: 20 }
`;
    writeFileSync(join(folder, 'toy.yaml'), spec);
    const [trained] = await Promise.all([
      unroll('run', 'toy.yaml', '--no-mlflow', '--quiet'),
      server.start(),
    ]);
    expect(trained, trained.output).toMatchObject({ code: 0 });
    const registered = await unroll(
      ...['register', 'best:toy', '--name', 'toys', '--alias', 'champion', '--to', server.uri(), '--json'],
    );
    expect(registered, registered.output).toMatchObject({ code: 0 });
    ({ runId } = JSON.parse(registered.stdout) as { readonly runId: string });

    const listed = await unroll('ls', '--json');
    const [run] = JSON.parse(listed.stdout) as readonly { readonly directory: string }[];
    const file = join(folder, run?.directory ?? '', 'model', 'model.onnx');
    const session = await ort.InferenceSession.create(readFileSync(file));
    const result = await session.run({
      inputs: new ort.Tensor('float32', Float32Array.from(inputs.flat(2)), [examples, steps, 1]),
      lengths: new ort.Tensor('int32', Int32Array.from(lengths), [examples]),
    });
    expected = [...(result['probabilities']?.data as Float32Array)];
    await session.release();
  });

  /** Asks `unroll serve` and MLflow's server the same. */
  const compareServers = async (mlflow: string) => {
    const ours = createRig({ MLFLOW_TRACKING_URI: server.uri() }, folder).start(
      ...['serve', 'models:/toys@champion', '--port', '0'],
    );
    try {
      let shown = '';
      ours.process.stdout?.on('data', (text: string) => (shown += text));
      const [, own = ''] = await until(() => /Serving toys on (\S+)/.exec(shown));
      const ask = async (address: string, body: unknown, type = 'application/json') => {
        const response = await fetch(`${address}/invocations`, {
          method: 'POST',
          headers: { 'content-type': type },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        });
        const text = await response.text();
        return { status: response.status, text };
      };
      const both = (...asked: readonly [body: unknown, type?: string]) =>
        Promise.all([ask(mlflow, ...asked), ask(own, ...asked)]);
      const few = { inputs: inputs.slice(0, 5), lengths: lengths.slice(0, 5) };
      const example = (at: number) => ({ inputs: inputs[at], lengths: lengths[at] });
      for (const body of [
        { inputs: { inputs, lengths } },
        { inputs: few },
        { instances: [0, 1, 2, 3, 4].map(example) },
      ]) {
        const [theirs, answered] = await both(body);
        expect([theirs.status, answered.status], theirs.text + answered.text).toEqual([200, 200]);
        const [a, b] = [theirs, answered].map(({ text }) => numbersIn(JSON.parse(text)));
        expect([...(b?.keys() ?? [])]).toEqual([...(a?.keys() ?? [])]);
        for (const [path, number] of a ?? []) expect(b?.get(path), path).toBeCloseTo(number, 5);
      }
      const frame = { columns: ['inputs', 'lengths'], data: [[inputs[0]?.flat(), lengths[0]]] };
      for (const [status, ...asked] of [
        [400, '{"inputs": ['],
        [400, '[1, 2]'],
        [400, {}],
        [400, { input: few }],
        [400, { inputs: few, instances: [example(0)] }],
        [400, { inputs: { lengths } }],
        [400, { inputs: { inputs: [[['warm']]], lengths: [1] } }],
        [400, { inputs: { inputs: [[[1, 2]]], lengths: [1] } }],
        [400, { dataframe_split: { columns: ['a'], data: [[1, 2]] } }],
        [400, { dataframe_records: 7 }],
        // Here MLflow refuses its own kind of frame, too: it takes none of tensors of any length.
        [undefined, { dataframe_split: frame }],
        // Refused by both, by us as a type that this model does not read.
        [415, 'a,b', 'text/csv'],
      ] as readonly (readonly [number | undefined, unknown, string?])[]) {
        const [theirs, answered] = await both(...asked);
        const words = JSON.stringify(asked).slice(0, 200) + theirs.text + answered.text;
        if (status !== undefined) expect(answered.status, words).toBe(status);
        if (status === 400) expect(theirs.status, words).toBe(400);
        else expect(theirs.status, words).toBeGreaterThanOrEqual(400);
      }
    } finally {
      ours.process.kill('SIGTERM');
      expect(await ours.finished).toMatchObject({ code: 0 });
    }
  };

  const largestGap = (probabilities: readonly (readonly number[])[]) =>
    Math.max(
      ...probabilities.flat().map((value, index) => Math.abs(value - (expected[index] ?? Number.NaN))),
    );

  test('is sent and registered from a program, too', async () => {
    const settings = { runsDirectory: join(folder, 'runs'), to: server.uri() };
    expect(await sync('toy', { ...settings, verify: true })).toMatchObject({
      ...{ runs: 1, complete: 1, points: 0, verified: 1, differences: [] },
    });
    const notes: string[] = [];
    const registered = await register('best:toy', {
      ...{ ...settings, name: 'toys', alias: 'champion', onNote: (line: string) => notes.push(line) },
    });
    expect(registered).toEqual({
      ...{ name: 'toys', version: '1', known: true, runId, alias: 'champion', uri: 'models:/toys@champion' },
    });
    expect(notes.join('\n')).toContain(server.uri());
    await expect(register('best:other', { ...settings, name: 'toys' })).rejects.toThrow(UnrollError);
    const signal = AbortSignal.abort(new Error('not now'));
    await expect(sync('toy', { ...settings, signal })).rejects.toThrow('not now');
  });

  test('is opened by its alias and its version, and downloaded once', async () => {
    writeFileSync(
      join(folder, 'given.jsonl'),
      inputs.map((one, at) => `${JSON.stringify({ inputs: one.slice(0, lengths[at]) })}\n`).join(''),
    );
    const cache = freshCache();
    const predict = (reference: string) =>
      runCommand(
        process.execPath,
        [
          join(packageRoot, 'bin/unroll.js'),
          ...['predict', reference, '--input', 'given.jsonl', '--format', 'jsonl'],
        ],
        {
          cwd: folder,
          env: { ...process.env, MLFLOW_TRACKING_URI: server.uri(), UNROLL_CACHE: cache.path },
        },
      );
    const answered = await predict('models:/toys@champion');
    expect(answered.code, answered.output).toBe(0);
    const rows = answered.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<string, number>>);
    const probabilities = rows.map((row) => [
      row['probability linear'] ?? NaN,
      row['probability random'] ?? NaN,
    ]);
    expect(probabilities).toHaveLength(examples);
    expect(largestGap(probabilities)).toBeLessThan(1e-5);
    expect(readdirSync(join(cache.path, 'models')).filter((name) => !name.startsWith('m-'))).toEqual([]);
    expect((await predict('models:/toys/1')).stdout).toBe(answered.stdout);
    expect((await predict(`runs:/${runId}/model`)).stdout).toBe(answered.stdout);
    const version = `${server.uri()}/api/2.0/mlflow/registered-models/alias?name=toys&alias=champion`;
    const { model_version: logged } = (await (await fetch(version)).json()) as {
      readonly model_version: { readonly source: string };
    };
    expect(logged.source).toMatch(/^models:\/m-/);
    expect((await predict(logged.source)).stdout).toBe(answered.stdout);

    // As from a program.
    vi.stubEnv('MLFLOW_TRACKING_URI', server.uri());
    vi.stubEnv('UNROLL_CACHE', cache.path);
    try {
      const given = join(folder, 'given.jsonl');
      expect(await predictInProgram('models:/toys@champion', given)).toEqual(rows);
      // Opened, but no file has the targets of generated data.
      await expect(evaluate('models:/toys/1', given)).rejects.toThrow('it was trained on toy-sequences');
      await expect(predictInProgram('models:/toys@challenger', given)).rejects.toThrow('challenger');
    } finally {
      vi.unstubAllEnvs();
    }
    const unknown = await predict('models:/toys@challenger');
    expect(unknown.code).toBe(2);
    expect(unknown.output).toContain('challenger');
    const wrong = await predict('models:/toys');
    expect(wrong.output).toContain('models:/NAME@ALIAS');
    const gone = await predict(`runs:/${'0'.repeat(32)}/model`);
    expect(gone.output).toContain(`The server has no run ${'0'.repeat(32)}`);
  });

  test('answers mlflow.pyfunc and mlflow models serve as its model.onnx does', async () => {
    const { command, env } = await mlflowWithOnnx();
    const tracked = { ...env, MLFLOW_TRACKING_URI: server.uri() };
    writeFileSync(join(folder, 'question.json'), JSON.stringify({ inputs: { inputs, lengths } }));
    const script = `
import json, mlflow, numpy
asked = json.load(open("question.json"))["inputs"]
model = mlflow.pyfunc.load_model("models:/toys@champion")
answer = model.predict({"inputs": numpy.array(asked["inputs"], numpy.float32), "lengths": numpy.array(asked["lengths"], numpy.int32)})
print(json.dumps({"probabilities": answer["probabilities"].tolist(), "axes": model.metadata.metadata["axes"]}))
`;
    const loaded = await runCommand(command[0], ['-c', script], { cwd: folder, env: tracked });
    expect(loaded.code, loaded.output).toBe(0);
    const answered = JSON.parse(loaded.stdout) as {
      readonly probabilities: readonly (readonly number[])[];
      readonly axes: unknown;
    };
    expect(answered.axes).toEqual({ classes: ['linear', 'random'] });
    expect(answered.probabilities).toHaveLength(examples);
    expect(largestGap(answered.probabilities)).toBeLessThan(1e-6);

    const port = await freePort();
    const served = spawn(
      command[0],
      [
        ...[...command.slice(1), 'models', 'serve', '--model-uri', 'models:/toys@champion'],
        ...['--env-manager', 'local', '--host', '127.0.0.1', '--port', String(port)],
      ],
      { cwd: folder, env: tracked, detached: true, stdio: 'ignore' },
    );
    try {
      const address = `http://127.0.0.1:${port}`;
      await expect
        .poll(async () => (await fetch(`${address}/ping`).catch(() => undefined))?.status, {
          timeout: 240_000,
          interval: 500,
        })
        .toBe(200);
      const response = await fetch(`${address}/invocations`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: readFileSync(join(folder, 'question.json')),
      });
      const body = (await response.json()) as {
        readonly predictions: { readonly probabilities: readonly (readonly number[])[] };
      };
      expect(largestGap(body.predictions.probabilities)).toBeLessThan(1e-6);
      await compareServers(address);
    } finally {
      if (served.pid !== undefined && served.exitCode === null) process.kill(-served.pid, 'SIGKILL');
    }
  });
});
