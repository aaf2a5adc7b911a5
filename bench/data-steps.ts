/**
 * Whether a training step on data of files is slower than on the same data in arrays: two networks with the same weights
 * take turns in one process, one reads its batches from the dataset, the other from arrays with all its examples. Prints
 * the ratio of their processor time, the median over the pairs of steps; each pair begins with the other side.
 *
 *     taskset -c 0 node bench/run.mjs data-steps.ts [--pairs 300] [--hidden 64] [--same] [--spec SPEC]
 *
 * With `--same` both sides read arrays, which shows what ratios chance alone gives. With `--spec` the data and the network
 * are those of a spec, for example of a folder that `large-data.ts --keep` has left.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parquetWriteFile } from 'hyparquet-writer';
import { batchIndices } from '../src/data/batches.ts';
import { allocateBatch, readBatch, type Dataset, type Split } from '../src/data/dataset.ts';
import { indicesBelow } from '../src/data/indices.ts';
import { memorySplit } from '../src/data/memory.ts';
import { randomStream } from '../src/data/random.ts';
import { planExperiment } from '../src/plan/plan-experiment.ts';
import type { Run } from '../src/plan/plan.ts';
import { registry, rowOf } from '../src/registry/rows.ts';
import { fusedGatherPixels } from '../src/tensorflow/kernels/fused-kernels.ts';
import { loadTensorFlow } from '../src/tensorflow/load.ts';
import { buildLearner } from '../src/training/learner.ts';

const { values: options } = parseArgs({
  options: {
    pairs: { type: 'string', default: '300' },
    hidden: { type: 'string', default: '64' },
    same: { type: 'boolean', default: false },
    spec: { type: 'string' },
  },
});

const random = randomStream(1, 'data-steps');

const writeSeries = (path: string): void => {
  const lines = Array.from(
    { length: 100_000 },
    (_, at) => `${at},${(Math.sin(at / 24) + random.normal()).toFixed(6)}`,
  );
  writeFileSync(path, `time,value\n${lines.join('\n')}\n`);
};

/** Sequences of 20 to 49 steps of four numbers; the label is the sign of their sum. */
const writeParquet = (path: string): void => {
  const columns = ['id', 'step', 'a', 'b', 'c', 'd', 'label'];
  const data: unknown[][] = columns.map(() => []);
  for (let id = 0; id < 4000; id++) {
    const rows = Array.from({ length: 20 + random.integer(30) }, () =>
      Array.from({ length: 4 }, () => random.normal()),
    );
    const label = rows.flat().reduce((sum, value) => sum + value, 0) > 0 ? 'up' : 'down';
    rows.forEach((row, step) => [id, step, ...row, label].forEach((cell, at) => data[at]?.push(cell)));
  }
  const type = (at: number) =>
    at < 2 ? ('INT32' as const) : at < 6 ? ('DOUBLE' as const) : ('STRING' as const);
  parquetWriteFile({
    filename: path,
    columnData: columns.map((name, at) => ({ name, type: type(at), data: data[at] ?? [] })),
  });
};

/** Texts of 3 to 99 of 500 words; the label is the word that decides it. */
const writeTexts = (path: string): void => {
  const lines = Array.from({ length: 4000 }, (_, at) => {
    const words = Array.from({ length: 3 + random.integer(97) }, () => `w${random.integer(500)}`);
    return `${words.join(' ')},${at % 2 === 0 ? 'good' : 'bad'}`;
  });
  writeFileSync(path, `text,label\n${lines.join('\n')}\n`);
};

const kinds = {
  'csv-series, windows of 100': {
    ...{ file: 'a.csv', write: writeSeries, model: '' },
    dataset: 'name: csv-series, time: time, targets: [value], window: 100, horizon: 1',
  },
  'csv-text, up to 99 words, no bucketing': {
    ...{ file: 'a.csv', write: writeTexts, model: ', embeddingSize: 16' },
    dataset: 'name: csv-text, text: text, targets: [label], tokens: { unit: words }',
  },
  'parquet-sequences, 20 to 49 steps': {
    ...{ file: 'a.parquet', write: writeParquet, model: '' },
    dataset: 'name: parquet-sequences, sequence: id, order: step, targets: [label]',
  },
};

const writeSpec = (path: string, { dataset, file, model }: (typeof kinds)[keyof typeof kinds]): void =>
  writeFileSync(
    path,
    `version: 1
name: data-steps
dataset: { ${dataset}, file: ${file} }
model: { name: lstm, hiddenSize: ${options.hidden}${model} }
optimizer: { name: adam, learningRate: 0.001 }
train: { batchSize: 128, steps: 1000, bucketing: false }
`,
  );

const planned = async (spec: string): Promise<Run> => {
  const plan = await planExperiment(spec, { cores: 1 });
  if (!plan.ok) throw new Error(plan.errors.map(({ message }) => message).join(' '));
  const [run] = plan.value.runs;
  if (!run) throw new Error('the spec has no run');
  return run;
};

/** The same examples, in arrays. */
const inArrays = ({ shape, train }: Dataset): Split => {
  const all = allocateBatch(shape, train.size, train);
  readBatch(train, indicesBelow(train.size), all);
  return memorySplit(all);
};

const processorTime = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

const sideOf = async (run: Run, dataset: Dataset, split: Split) => {
  const learner = await buildLearner(run, dataset.shape, { registry, totalSteps: 1000 });
  const order = batchIndices({ ...run.config.train, size: split.size, seed: run.seed });
  const batch = allocateBatch(dataset.shape, run.config.train.batchSize, split);
  let step = 0;
  /** Processor time of a step in microseconds, and of it what reading took. */
  return () => {
    step++;
    const startedAt = processorTime();
    readBatch(split, order(step), batch);
    const readAt = processorTime();
    const { loss } = learner.update(batch, step, false);
    return { loss, time: processorTime() - startedAt, reading: readAt - startedAt };
  };
};

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** Prints how much longer a step takes from the dataset of a spec than from arrays. */
const compare = async (name: string, spec: string): Promise<void> => {
  const run = await planned(spec);
  const section = run.config.dataset;
  const given = { baseDirectory: dirname(resolve(spec)), gatherPixels: fusedGatherPixels() };
  const dataset = await rowOf(registry.dataset, section).load(section, given);
  const arrays = inArrays(dataset);
  const fromFile = await sideOf(run, dataset, options.same ? inArrays(dataset) : dataset.train);
  const fromArrays = await sideOf(run, dataset, arrays);
  for (let warm = 0; warm < 20; warm++) [fromFile, fromArrays].forEach((step) => step());
  const pairs = Array.from({ length: Number(options.pairs) }, (_, at) => {
    const first = at % 2 === 0 ? undefined : fromArrays();
    const file = fromFile();
    const array = first ?? fromArrays();
    if (file.loss !== array.loss) throw new Error(`${name}: the losses differ.`);
    return { file, array };
  });
  const ratio = median(pairs.map(({ file, array }) => file.time / array.time));
  const total = (side: 'file' | 'array', part: 'time' | 'reading') =>
    pairs.reduce((sum, pair) => sum + pair[side][part], 0);
  const share = (side: 'file' | 'array') => ((100 * total(side, 'reading')) / total(side, 'time')).toFixed(2);
  const sums = (total('file', 'time') / total('array', 'time')).toFixed(4);
  const ms = (median(pairs.map(({ array }) => array.time)) / 1000).toFixed(1);
  console.log(
    `${name}: median ratio ${ratio.toFixed(4)}, ratio of the sums ${sums}; step ${ms} ms, reading ${share('file')}% of it (${share('array')}% from arrays)`,
  );
};

await loadTensorFlow();
if (options.spec === undefined) {
  for (const [name, kind] of Object.entries(kinds)) {
    const folder = mkdtempSync(join(tmpdir(), 'unroll-data-steps-'));
    try {
      kind.write(join(folder, kind.file));
      writeSpec(join(folder, 'spec.yaml'), kind);
      await compare(name, join(folder, 'spec.yaml'));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
} else await compare(options.spec, options.spec);
