import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { smallSpec } from '../support/small-sweep.ts';
import { copyPackage } from '../support/package-copy.ts';
import { createRig, type Rig } from '../support/rig.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

// Trains again and again, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 240_000 });

const rows = `id,time,x,label\n${Array.from({ length: 80 }, (_, row) => {
  const id = row >> 1;
  return `${id},${row % 2},${(id * 7) % 11},${id % 3 ? 'up' : 'down'}\n`;
}).join('')}`;

const model = (factor: number) => `
import { defineModel } from 'unroll-ml';
export const mine = defineModel({
  name: 'mine',
  parameters: {},
  build: (_, { tf, weight, outputs }) => {
    const kernel = weight('kernel', [1, outputs], 'glorot-uniform');
    return { forward: ({ inputs }) => tf.matMul(tf.mul(tf.mean(inputs, 1), ${factor}), kernel) };
  },
});
`;

/** A run with a model and data of the user's own. */
const createRun = async (): Promise<{ rig: Rig; id: string; path: (name: string) => string }> => {
  const rig = createRig();
  mkdirSync(join(rig.directory, 'code'));
  mkdirSync(join(rig.directory, 'data'));
  rig.write('data/rows.csv', rows);
  rig.write('code/mine.ts', model(0.5));
  rig.write(
    'unroll.config.ts',
    `import { mine } from './code/mine.ts';\nexport default { models: [mine] };\n`,
  );
  rig.write(
    'own.yaml',
    `version: 1
name: own
dataset: { name: csv-sequences, file: data/rows.csv, sequence: id, order: time, targets: [label], testFraction: 0.25 }
model: { name: mine }
optimizer: { name: adam, learningRate: 0.05 }
train: { batchSize: 8, steps: 12, displayEvery: 2 }
`,
  );
  const { code, stderr } = await rig.unroll('run', 'own.yaml', '--quiet');
  expect(code, stderr).toBe(0);
  const [id = ''] = rig.runIds('own');
  return { rig, id, path: (name) => join(rig.directory, name) };
};

interface Verified {
  readonly code: number | null;
  readonly verdict: string;
  readonly differsFromStep: number | null;
  readonly metricValues: number;
  readonly tensors: number;
  readonly content: readonly { readonly what: string }[];
  readonly files: readonly { readonly what: string }[];
}

const verify = async (rig: Rig, ...words: readonly string[]): Promise<Verified> => {
  const { code, stdout, stderr } = await rig.unroll('verify', ...words, '--json');
  if (!stdout.startsWith('{')) throw new Error(stdout + stderr);
  return { code, ...(JSON.parse(stdout) as Omit<Verified, 'code'>) };
};

test('a run is identical, and a planted weight, row, code line and number are found', async () => {
  const { rig, id, path } = await createRun();
  const said = await rig.unroll('verify', id.slice(0, 6));
  expect(said.stdout).toContain(`own/${id}: identical`);
  expect(said.stdout).toContain('model.onnx not checked: the run has no model.onnx');
  expect(said.code).toBe(0);
  expect(await verify(rig, id, '--steps', '5')).toMatchObject({ code: 0, verdict: 'identical', tensors: 0 });
  expect(rig.runIds('own')).toEqual([id]);

  const changed = async (file: string, change: (bytes: Buffer) => Buffer | string) => {
    const before = readFileSync(file);
    writeFileSync(file, change(Buffer.from(before)));
    const verified = await verify(rig, id);
    writeFileSync(file, before);
    return verified;
  };
  const weights = rig.runPath('own', id, 'model', 'weights.safetensors');
  const flip = (bytes: Buffer) => {
    bytes[bytes.length - 2] = (bytes.at(-2) ?? 0) ^ 1;
    return bytes;
  };
  expect(await changed(weights, flip)).toMatchObject({
    code: 1,
    verdict: 'differs',
    differsFromStep: 12,
    files: [{ what: 'model/weights.safetensors' }],
  });
  const metrics = rig.runPath('own', id, 'metrics.jsonl');
  expect(
    await changed(metrics, (bytes) => bytes.toString().replace(/("step":6,.*"train\/loss":)[\d.]+/, '$10.5')),
  ).toMatchObject({ code: 1, verdict: 'differs', differsFromStep: 6, files: [{ what: 'metrics.jsonl' }] });
  expect(
    await changed(path('data/rows.csv'), (bytes) => bytes.toString().replace('4,0,6,up', '4,0,3,up')),
  ).toMatchObject({ code: 1, verdict: 'differs', content: [{ what: 'data of csv-sequences' }] });
  expect(await changed(path('code/mine.ts'), () => model(0.6))).toMatchObject({
    code: 1,
    verdict: 'differs',
    differsFromStep: 2,
    content: [{ what: 'code of the model mine' }],
  });
  // A comment changes no number, and the code is still not that of the run.
  expect(await changed(path('code/mine.ts'), (bytes) => `${bytes.toString()}// a comment\n`)).toMatchObject({
    code: 1,
    verdict: 'identical',
    content: [{ what: 'code of the model mine' }],
  });
});

test('model.onnx is checked against the recorded predictions', async () => {
  const rig = createRig();
  rig.write('toy.yaml', smallSpec({ steps: 4, hiddenSizes: [3, 4] }));
  expect((await rig.unroll('run', 'toy.yaml', '--quiet')).code).toBe(0);
  const [id = '', other = ''] = rig.runIds('trial');
  const verified = await rig.unroll('verify', id, '--steps', '1');
  expect(verified.stdout).toContain('model.onnx predicts the 50 recorded examples as recorded');
  expect(verified.code).toBe(0);
  const onnx = (run: string) => rig.runPath('trial', run, 'model', 'model.onnx');
  copyFileSync(onnx(other), onnx(id));
  const swapped = await rig.unroll('verify', id, '--steps', '1');
  expect(swapped.stdout).toMatch(/model\.onnx predicts \d+ of 50 recorded examples otherwise/);
  expect(swapped.code).toBe(1);
  const without = createRig({ UNROLL_NATIVE_LIBRARY: '' }, rig.directory);
  expect((await without.unroll('verify', id, '--steps', '1')).stdout).toMatch(
    /differences of the machine:(\n .*)*\n {2}ownKernels: [0-9a-f]{16}, now none\n {2}instructionSet: AVX\S+, now none/,
  );
  writeFileSync(onnx(id), 'damaged');
  expect((await rig.unroll('verify', id, '--steps', '1')).stdout).toContain('predicts 50 of 50');
});

test('a changed line of Unroll itself is named as a difference of the machine', async () => {
  const root = copyPackage();
  // The copy is not set up.
  const rig = createRig({ UNROLL_BACKEND: 'wasm' }, temporaryDirectory(), root);
  rig.write('toy.yaml', smallSpec({ steps: 4 }));
  expect((await rig.unroll('run', 'toy.yaml', '--quiet')).code).toBe(0);
  const [id = ''] = rig.runIds('trial');

  // The build leaves blanks out and numbers names.
  const line = /(Math\.sqrt\()6( ?\/ ?\(rows\d* ?\+ ?columns\d*\)\))/;
  const program = readdirSync(join(root, 'dist'))
    .map((name) => join(root, 'dist', name))
    .find((path) => path.endsWith('.js') && line.test(readFileSync(path, 'utf8')));
  const text = readFileSync(program ?? '', 'utf8');
  writeFileSync(
    program ?? '',
    text.replace(line, (_, before: string, after: string) => `${before}5${after}`),
  );
  const { stdout, code } = await rig.unroll('verify', id);
  expect(stdout).toMatch(/differs from step 1\b/);
  expect(stdout).toMatch(/differences of the machine:\n {2}builtInCode: [0-9a-f]{16}, now [0-9a-f]{16}\n$/);
  expect(code).toBe(1);
});

test('a bundle has the same bytes each time, and verifies elsewhere without the original', async () => {
  const { rig, id, path } = await createRun();
  expect((await rig.unroll('bundle', id, '--data', '--output', 'one.zip')).code).toBe(0);
  const elsewhere = createRig({ TZ: 'Asia/Tokyo' }, rig.directory);
  expect((await elsewhere.unroll('bundle', id, '--data', '--output', 'two.zip')).code).toBe(0);
  expect(readFileSync(path('two.zip'))).toEqual(readFileSync(path('one.zip')));
  const { stdout } = await rig.unroll('bundle', id);
  expect(stdout).toContain(`own-${id}.zip`);
  expect(stdout).toContain('without the data');

  const other = createRig({}, temporaryDirectory('elsewhere'));
  for (const name of ['one.zip', `own-${id}.zip`]) copyFileSync(path(name), join(other.directory, name));
  renameSync(rig.directory, `${rig.directory}-moved`);
  try {
    expect(await verify(other, 'one.zip')).toMatchObject({ code: 0, verdict: 'identical', content: [] });
    const without = await other.unroll('verify', `own-${id}.zip`);
    expect(without.code).toBe(2);
    expect(without.stderr).toContain('--spec-directory');
    mkdirSync(join(other.directory, 'here', 'data'), { recursive: true });
    other.write('here/data/rows.csv', rows);
    const found = await verify(other, `own-${id}.zip`, '--spec-directory', 'here');
    expect(found).toMatchObject({ code: 0, verdict: 'identical' });

    // One byte of the record in the bundle.
    const bytes = readFileSync(join(other.directory, 'one.zip'));
    const at = bytes.indexOf('"train/loss":') + 16;
    bytes[at] = bytes[at] === 0x31 ? 0x32 : 0x31;
    other.write('bad.zip', '');
    writeFileSync(join(other.directory, 'bad.zip'), bytes);
    const bad = await other.unroll('verify', 'bad.zip');
    expect(bad.code).toBe(2);
    expect(bad.stderr).toContain('[damaged-record]');
  } finally {
    renameSync(`${rig.directory}-moved`, rig.directory);
  }
});

test('what has changed cannot be bundled, and what is gone is named', async () => {
  const { rig, id } = await createRun();
  rig.write('data/rows.csv', rows.replace('4,0,6,up', '4,0,3,up'));
  const changed = await rig.unroll('bundle', id, '--data');
  expect(changed.code).toBe(2);
  expect(changed.stderr).toContain('data of csv-sequences changed since it was trained');
  rmSync(join(rig.directory, 'unroll.config.ts'));
  const gone = await rig.unroll('verify', id);
  expect(gone.code).toBe(2);
  expect(gone.stderr).toContain('The config of this run is not there any more');
  expect((await rig.unroll('verify', 'zzz')).stderr).toContain('[unknown-run]');
});
