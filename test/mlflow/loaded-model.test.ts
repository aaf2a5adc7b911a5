import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommand } from '../../src/system/command.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { randomStream } from '../../src/data/random.ts';
import { freshCache } from '../support/cache.ts';
import { freePort } from '../support/free-port.ts';
import { mlflowWithOnnx } from '../support/mlflow/onnx-packages.ts';
import { realServer, whyNoMlflow } from '../support/mlflow/real-server.ts';
import { testSeed } from '../support/seed.ts';

const missing = await whyNoMlflow();

/** Sequences of different lengths, as the toy sequences are. */
const [examples, steps] = [40, 12];
const random = randomStream(testSeed, 'sequences');
const inputs = Array.from({ length: examples }, () =>
  Array.from({ length: steps }, () => [Math.fround(random.uniform())]),
);
const lengths = Array.from({ length: examples }, () => 1 + random.integer(steps));

describe.skipIf(missing !== undefined)('a registered model', () => {
  const server = realServer();
  const folder = mkdtempSync(join(tmpdir(), 'unroll-loaded-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const unroll = (...words: readonly string[]) =>
    runCommand(process.execPath, [join(packageRoot, 'bin/unroll.js'), ...words], { cwd: folder });
  let expected: readonly number[] = [];

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

  const largestGap = (probabilities: readonly (readonly number[])[]) =>
    Math.max(
      ...probabilities.flat().map((value, index) => Math.abs(value - (expected[index] ?? Number.NaN))),
    );

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
    const unknown = await predict('models:/toys@challenger');
    expect(unknown.code).toBe(2);
    expect(unknown.output).toContain('challenger');
    const wrong = await predict('models:/toys');
    expect(wrong.output).toContain('models:/NAME@ALIAS');
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
print(json.dumps(answer["probabilities"].tolist()))
`;
    const loaded = await runCommand(command[0], ['-c', script], { cwd: folder, env: tracked });
    expect(loaded.code, loaded.output).toBe(0);
    const answered = JSON.parse(loaded.stdout) as readonly (readonly number[])[];
    expect(answered).toHaveLength(examples);
    expect(largestGap(answered)).toBeLessThan(1e-6);

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
    } finally {
      if (served.pid !== undefined && served.exitCode === null) process.kill(-served.pid, 'SIGKILL');
    }
  });
});
