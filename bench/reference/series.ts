/**
 * The accuracy of classifiers, taggers and forecasters over five seeds, beside PyTorch and Darts with the same data, windows,
 * hyperparameters, initialisers and sizes of batches. Appends each result to `bench/results/series.jsonl` as soon as it is
 * there and skips what is there already, so it may be stopped at any time; then writes `bench/results/series.md`.
 *
 *     node bench/run.mjs reference/series.ts --python PYTHON [--tasks GunPoint,co2] [--seeds 1,2,3,4,5]
 *
 * PYTHON has what `bench/reference/series.txt` lists. One thread a side. Without `--python` it only writes the table again.
 */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { listRuns } from '../../src/record/read-runs.ts';
import { summarize } from '../../src/report/statistics.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { execute, readLines } from './results.ts';

/** What both sides train with. */
interface Training {
  readonly hiddenSize: number;
  readonly learningRate: number;
  readonly batchSize: number;
  readonly epochs: number;
}

type Task = Training &
  (
    | { readonly kind: 'classify' }
    /** A class for each text, or a label for each of its tokens. */
    | { readonly kind: 'label' | 'tag'; readonly embeddingSize: number }
    | {
        readonly kind: 'forecast';
        readonly window: number;
        readonly horizon: number;
        /** The first step of the test part. */
        readonly testFrom: number;
      }
  );

const tasks: Readonly<Record<string, Task>> = {
  JapaneseVowels: { kind: 'classify', hiddenSize: 32, learningRate: 0.002, batchSize: 16, epochs: 30 },
  BasicMotions: { kind: 'classify', hiddenSize: 32, learningRate: 0.002, batchSize: 8, epochs: 60 },
  ItalyPowerDemand: { kind: 'classify', hiddenSize: 32, learningRate: 0.002, batchSize: 16, epochs: 80 },
  GunPoint: { kind: 'classify', hiddenSize: 32, learningRate: 0.002, batchSize: 10, epochs: 80 },
  'number-words': {
    ...{ kind: 'label', embeddingSize: 16 },
    ...{ hiddenSize: 32, learningRate: 0.005, batchSize: 16, epochs: 15 },
  },
  hyphenation: {
    ...{ kind: 'tag', embeddingSize: 16 },
    ...{ hiddenSize: 32, learningRate: 0.005, batchSize: 32, epochs: 10 },
  },
  sunspots: {
    ...{ kind: 'forecast', window: 33, horizon: 11, testFrom: 247 },
    ...{ hiddenSize: 32, learningRate: 0.003, batchSize: 32, epochs: 40 },
  },
  co2: {
    ...{ kind: 'forecast', window: 24, horizon: 12, testFrom: 421 },
    ...{ hiddenSize: 32, learningRate: 0.003, batchSize: 32, epochs: 40 },
  },
};

/** Without a limit for gradients, single steps late in a training decide the score of a seed. */
const clipNorm = 1;

const sides = ['unroll', 'peer'] as const;
type Side = (typeof sides)[number];

/** `score` is the accuracy on the test part, or the mean absolute error in the unit of the series. */
interface Result {
  readonly task: string;
  readonly side: Side;
  readonly seed: number;
  readonly score: number;
  /** Sequences or windows of the test part. */
  readonly examples: number;
  readonly versions: string;
  readonly cpu: string;
}

const { values: options } = parseArgs({
  options: {
    python: { type: 'string' },
    tasks: { type: 'string', default: Object.keys(tasks).join() },
    seeds: { type: 'string', default: '1,2,3,4,5' },
  },
});

const resultsFile = join(packageRoot, 'bench', 'results', 'series.jsonl');
const cpu = cpus()[0]?.model ?? '';

const readResults = (): Result[] => readLines<Result>(resultsFile);

const datasetOf = (name: string, task: Task): object => {
  switch (task.kind) {
    case 'classify':
      return { name: 'ucr', file: `${name}_TRAIN.ts`, validationFraction: 0 };
    case 'label': {
      const parts = { file: `${name}_TRAIN.csv`, testFile: `${name}_TEST.csv`, validationFraction: 0 };
      const columns = { text: 'word', targets: ['language'], tokens: { unit: 'characters' } };
      return { name: 'csv-text', ...parts, ...columns };
    }
    case 'tag': {
      const parts = { file: `${name}_TRAIN.conll`, testFile: `${name}_TEST.conll`, validationFraction: 0 };
      return { name: 'conll', ...parts };
    }
    case 'forecast':
      return {
        ...{ name: 'csv-series', file: `${name}.csv`, time: 'step', targets: ['value'] },
        ...{ window: task.window, horizon: task.horizon },
        split: { validation: 0, test: String(task.testFrom) },
      };
  }
};

const networkOf = (task: Task): object => {
  switch (task.kind) {
    case 'classify':
      return { readout: 'mean' };
    case 'label':
      return { readout: 'mean', embeddingSize: task.embeddingSize };
    case 'tag':
      return { bidirectional: true, embeddingSize: task.embeddingSize };
    case 'forecast':
      return {};
  }
};

const specOf = (name: string, task: Task): object => {
  const { hiddenSize, learningRate, batchSize, epochs } = task;
  return {
    version: 1,
    name,
    dataset: datasetOf(name, task),
    model: { name: 'lstm', hiddenSize, ...networkOf(task) },
    optimizer: { name: 'adam', learningRate, clipNorm },
    train: { batchSize, epochs, lastBatch: 'keep' },
    run: { concurrency: 1, threadsPerRun: 1 },
  };
};

const trainUnroll = (name: string, seed: number, folder: string): Omit<Result, 'cpu'> => {
  const task = tasks[name] as Task;
  writeFileSync(join(folder, `${name}.yaml`), JSON.stringify(specOf(name, task)));
  const runs = join(folder, 'runs');
  execute(process.execPath, [
    ...['bin/unroll.js', 'run', join(folder, `${name}.yaml`), '--no-mlflow', '--quiet'],
    ...['--set', `seeds=[${seed}]`, '--runs-directory', runs],
  ]);
  const { runs: found } = listRuns(runs, { experiment: name });
  const { directory, status } =
    found.find(({ run, state }) => run.seed === seed && state === 'done') ??
    (() => {
      throw new Error(`${name} with seed ${seed} was not recorded.`);
    })();
  const read = (file: string) => JSON.parse(readFileSync(join(directory, file), 'utf8')) as Json;
  const { unroll, tensorflow, node } = read('environment.json') as Readonly<Record<string, string>>;
  const { parts } = read('data.json') as {
    readonly parts: { readonly test: { readonly sequences: number } };
  };
  const metric = task.kind === 'forecast' ? 'test/mae' : 'test/accuracy';
  return {
    task: name,
    side: 'unroll',
    seed,
    score: status?.outcome?.metrics[metric] ?? NaN,
    examples: parts.test.sequences,
    versions: `Unroll ${unroll ?? ''}, TensorFlow ${tensorflow ?? ''}, Node ${node ?? ''}`,
  };
};

type Json = Readonly<Record<string, unknown>>;

const trainPeer = (name: string, seed: number, folder: string): Omit<Result, 'cpu'> => {
  const { kind, ...given } = tasks[name] as Task;
  const settings = JSON.stringify({ name, seed, clipNorm, ...given });
  const lines = execute(options.python ?? '', ['bench/reference/series.py', kind, folder, settings]);
  const { score, examples, versions } = JSON.parse(lines.trimEnd().split('\n').at(-1) ?? '') as Result;
  return { task: name, side: 'peer', seed, score, examples, versions };
};

const trainMissing = (python: string): void => {
  const folder = mkdtempSync(join(tmpdir(), 'unroll-series-'));
  try {
    execute(python, ['bench/reference/series.py', 'prepare', folder, options.tasks]);
    for (const name of options.tasks.split(',')) {
      for (const seed of options.seeds.split(',').map(Number)) {
        for (const side of sides) {
          const isDone = readResults().some(
            (one) => one.task === name && one.side === side && one.seed === seed,
          );
          if (isDone) continue;
          const result = (side === 'unroll' ? trainUnroll : trainPeer)(name, seed, folder);
          appendFileSync(resultsFile, `${JSON.stringify({ ...result, cpu })}\n`);
          console.log(`${name}, ${side}, seed ${seed}: ${result.score.toFixed(4)}`);
        }
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const table = (results: readonly Result[], kind: Task['kind']): string[] => {
  const digits = (value: number) => value.toPrecision(4);
  const lines = [
    '| data | trained by | test examples | mean | 95% interval of the mean | each seed | mean of Unroll within |',
    '| --- | --- | ---: | ---: | --- | --- | --- |',
  ];
  for (const [name, task] of Object.entries(tasks)) {
    if (task.kind !== kind) continue;
    const of = (side: Side) =>
      results.filter((one) => one.task === name && one.side === side).sort((a, b) => a.seed - b.seed);
    const ours = of('unroll').map(({ score }) => score);
    if (ours.length === 0) continue;
    const { mean } = summarize(ours);
    for (const side of sides) {
      const found = of(side);
      const scores = found.map(({ score }) => score);
      const { mean: own, interval } = summarize(scores);
      const by = side === 'unroll' ? 'Unroll' : kind === 'forecast' ? 'Darts' : 'PyTorch';
      const within =
        side === 'unroll' || !interval ? '' : mean >= interval[0] && mean <= interval[1] ? 'yes' : 'no';
      const range = interval ? `${digits(interval[0])} to ${digits(interval[1])}` : '–';
      const cells = [name, by, found[0]?.examples, digits(own), range, scores.map(digits).join(', '), within];
      lines.push(`| ${cells.join(' | ')} |`);
    }
  }
  return lines;
};

const settings = (): string[] =>
  Object.entries(tasks).map(([name, task]) => {
    const { kind, hiddenSize, learningRate, batchSize, epochs } = task;
    const windows =
      kind === 'forecast'
        ? `; window ${task.window}, horizon ${task.horizon}, tested from step ${task.testFrom}`
        : '';
    const vectors = 'embeddingSize' in task ? ` on vectors of ${task.embeddingSize}` : '';
    return `- ${name}: LSTM ${hiddenSize}${vectors}, Adam ${learningRate}, gradients of norm ${clipNorm} at most, batches of ${batchSize}, ${epochs} epochs${windows}`;
  });

const writePage = (results: readonly Result[]): void => {
  const distinct = (key: 'versions' | 'cpu') => [...new Set(results.map((one) => one[key]))].join('; ');
  const text = [
    '# Accuracy beside PyTorch and Darts',
    '',
    'Written by `bench/reference/series.ts` from `series.jsonl`; do not edit. The same data, windows, hyperparameters,',
    'initialisers and batch sizes on both sides (each side draws its own weights and order), five seeds, one thread. Intervals are',
    'Student’s t, 95%, of the mean over the seeds. They are wide: five seeds cannot show that two means are equal. The settings',
    'were changed once, on both sides: with a rate of 0.005 and no clipping, single seeds diverged, and that run is not shown.',
    '',
    'Accuracy on the test part of four datasets of the UCR and UEA archives, as the package aeon ships them:',
    '',
    ...table(results, 'classify'),
    '',
    'Accuracy of labels for texts, letter by letter: the language of the number words of `experiments/data`, four of five to train',
    'on:',
    '',
    ...table(results, 'label'),
    '',
    'Accuracy of labels for each letter of an English word: whether a hyphen may be before it, by the patterns of the package',
    'pyphen, for 2,000 words of the package english-words to train on and 500 others. The network reads in both directions:',
    '',
    ...table(results, 'tag'),
    '',
    'Mean absolute error of forecasts in the unit of the series (yearly sunspots; monthly CO2 in ppm, both of the package',
    'statsmodels), over all windows whose targets lie in the test part; the peer is the `BlockRNNModel` of Darts with a module that,',
    'as Unroll, forecasts all steps from the last output of the LSTM:',
    '',
    ...table(results, 'forecast'),
    '',
    'Settings:',
    '',
    ...settings(),
    '',
    `- Command: \`node bench/run.mjs reference/series.ts --python PYTHON\``,
    `- Versions: ${distinct('versions')}`,
    `- Machine: ${distinct('cpu')}`,
    '',
  ].join('\n');
  writeFileSync(resultsFile.replace(/\.jsonl$/, '.md'), text);
};

if (options.python !== undefined) trainMissing(options.python);
writePage(readResults());
