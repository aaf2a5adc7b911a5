import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportModel, sample, serve, UnrollError } from 'unroll-ml';
import { beforeAll, expect, it } from 'vitest';
import { runCommand } from '../../src/system/command.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { blocksOf } from '../docs/blocks.ts';
import { createRig, type Rig } from '../support/rig.ts';
import { sharedDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const forecast = `version: 1
name: forecast
dataset: { name: csv-series, file: el-nino.csv, time: month, targets: [temperature], window: 12, horizon: 3 }
model: { name: gru, hiddenSize: 4 }
optimizer: { name: adam, learningRate: 0.01 }
train: { batchSize: 32, steps: 6 }
`;

const book = `version: 1
name: book
dataset: { name: text, file: book.txt, length: 8, tokens: { unit: characters } }
model: { name: lstm, hiddenSize: 6, embedding: { size: 4 } }
optimizer: { name: adam, learningRate: 0.01 }
train: { batchSize: 8, steps: 6 }
`;

const folder = sharedDirectory();
let rig: Rig;
let runsDirectory: string;

beforeAll(async () => {
  rig = createRig({}, folder);
  runsDirectory = join(rig.directory, 'runs');
  copyFileSync('experiments/data/el-nino.csv', join(rig.directory, 'el-nino.csv'));
  rig.write('book.txt', 'The tea is hot. The bread is old. The plum is red. '.repeat(30));
  for (const [name, spec] of Object.entries({ 'forecast.yaml': forecast, 'book.yaml': book })) {
    const trained = await rig.unroll('run', rig.write(name, spec), '--quiet', '--no-mlflow');
    expect(trained.code, trained.stderr).toBe(0);
  }
});

it('is used from a program as the guide shows', async () => {
  const page = readFileSync('docs/programmatic.md', 'utf8');
  const program = blocksOf(page).find(({ text }) => text.includes('exportModel'))?.text ?? '';
  const installed = JSON.stringify(join(packageRoot, 'dist', 'index.js'));
  rig.write('program.mjs', program.replace("'unroll-ml'", installed));
  const {
    code,
    stdout: printed,
    output,
  } = await runCommand(process.execPath, ['program.mjs'], { cwd: folder });
  expect(code, output).toBe(0);
  expect(printed).toMatch(/^-?[\d.]+ [\d.]+ \{/);
  expect(printed).toMatch(/product\/model\.onnx/);
  expect(printed).toMatch(/'prediction temperature': -?[\d.]+|predictions/);
  const written = await rig.unroll(
    'sample',
    'best:book',
    '--prompt',
    'The ',
    '--length',
    '40',
    '--temperature',
    '0.8',
  );
  expect(printed.endsWith(written.stdout)).toBe(true);
});

it('writes, serves and exports as the commands do', async () => {
  const { stdout } = await rig.unroll(
    'sample',
    'best:book',
    '--prompt',
    'The ',
    '--length',
    '20',
    '--topK',
    '3',
  );
  expect(`${await sample('best:book', { prompt: 'The ', length: 20, topK: 3, runsDirectory })}\n`).toBe(
    stdout,
  );

  const output = join(temporaryDirectory(), 'web');
  const files = await exportModel('best:forecast', { format: 'tfjs', output, runsDirectory });
  const exported = await rig.unroll(
    'export',
    'best:forecast',
    '--format',
    'tfjs',
    '--output',
    'web',
    '--json',
  );
  const told = JSON.parse(exported.stdout) as { files: readonly { path: string; bytes: number }[] };
  expect(files.map(({ bytes }) => bytes)).toEqual(told.files.map(({ bytes }) => bytes));
  for (const { path, bytes } of files) expect(readFileSync(path).length).toBe(bytes);

  const requests: number[] = [];
  const server = await serve(['weather=best:forecast', 'best:book'], {
    ...{ port: 0, runsDirectory, maxBody: 20_000 },
    onRequest: ({ status }) => requests.push(status),
  });
  expect(server.models).toEqual(['weather', 'book']);
  const post = (body: string) =>
    fetch(`${server.url}/invocations`, { method: 'POST', headers: { 'content-type': 'text/csv' }, body });
  const csv = readFileSync(join(rig.directory, 'el-nino.csv'), 'utf8');
  const predicted = await rig.unroll(
    'predict',
    'best:forecast',
    '--input',
    'el-nino.csv',
    '--format',
    'jsonl',
  );
  const answer = (await (await post(csv)).json()) as { readonly predictions: readonly object[] };
  expect(answer.predictions).toHaveLength(predicted.stdout.trim().split('\n').length);
  expect((await post(csv.repeat(20))).status).toBe(413);
  expect(requests).toEqual([200, 413]);
  await server.stop();
  await expect(post(csv)).rejects.toThrow();
});

it('throws what the caller can fix, and writes nothing then', async () => {
  const output = temporaryDirectory();
  writeFileSync(join(output, 'README.md'), 'mine');
  const settings = { format: 'onnx', output, runsDirectory } as const;
  await expect(exportModel('best:forecast', settings)).rejects.toThrow('Write force: true to replace them');
  expect(existsSync(join(output, 'model.onnx'))).toBe(false);
  await exportModel('best:forecast', { ...settings, force: true });
  expect(existsSync(join(output, 'model.onnx'))).toBe(true);
  await expect(sample('best:forecast', { prompt: 'The ', runsDirectory })).rejects.toThrow(UnrollError);
  await expect(serve('best:nothing', { runsDirectory })).rejects.toThrow(UnrollError);
  await expect(serve('best:book', { runsDirectory, port: 70_000 })).rejects.toThrow('a port from 0 to 65535');
});
