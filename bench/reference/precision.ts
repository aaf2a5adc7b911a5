/**
 * Results of training in bfloat16 over seeds, beside those in float32: the three reference systems, the adding problem, a
 * forecast and a language model. Appends each result to `bench/results/precision.jsonl` as soon as it is there and skips what
 * is there already, so it may be stopped at any time; then writes `bench/results/precision.md`.
 *
 *     node bench/run.mjs reference/precision.ts --train [--works forecast,language] [--seeds 1,2,3,4,5]
 *
 * One thread. Without `--train` it only writes the table again. Runs are kept in `--runs` (runs/precision).
 */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { listRuns } from '../../src/record/read-runs.ts';
import { summarize, type Summary } from '../../src/report/statistics.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { emulatedBfloat16 } from '../../src/tensorflow/processor.ts';
import { execute, readLines } from './results.ts';

interface Work {
  readonly name: string;
  readonly spec: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly metric: string;
}

const works: readonly Work[] = [
  {
    name: 'forecast',
    spec: 'experiments/forecast.yaml',
    settings: { 'dataset.window': '24', 'optimizer.learningRate': '0.003' },
    metric: 'test/mae',
  },
  {
    name: 'adding-problem',
    spec: 'experiments/adding-problem.yaml',
    settings: { 'model.name': 'lstm' },
    metric: 'test/loss',
  },
  { name: 'language', spec: 'bench/reference/language.yaml', settings: {}, metric: 'test/loss' },
  { name: 'dynamic-rnn', spec: 'experiments/dynamic-rnn.yaml', settings: {}, metric: 'test/accuracy' },
  { name: 'simple-rnn', spec: 'experiments/simple-rnn.yaml', settings: {}, metric: 'test/accuracy' },
  {
    name: 'bidirectional-rnn',
    spec: 'experiments/bidirectional-rnn.yaml',
    settings: {},
    metric: 'test/accuracy',
  },
];

const precisions = ['float32', 'bfloat16'] as const;
type Precision = (typeof precisions)[number];

interface Result {
  readonly work: string;
  readonly precision: Precision;
  readonly seed: number;
  readonly value: number;
  /** Whether products of bfloat16 operands were emulated, as on a processor without an instruction for them. */
  readonly emulated: boolean;
  readonly cpu: string;
}

const { values: options } = parseArgs({
  options: {
    train: { type: 'boolean', default: false },
    works: { type: 'string', default: works.map(({ name }) => name).join() },
    seeds: { type: 'string', default: '1,2,3,4,5' },
    runs: { type: 'string', default: 'runs/precision' },
  },
});

const resultsFile = join(packageRoot, 'bench', 'results', 'precision.jsonl');

const train = (work: Work, precision: Precision, seed: number): Result => {
  // One value for each axis of the spec.
  const settings = Object.entries(work.settings).flatMap(([path, value]) => ['--sweep', `${path}=${value}`]);
  const runsDirectory = join(options.runs, precision);
  execute(process.execPath, [
    ...['bin/unroll.js', 'run', work.spec, '--no-mlflow', '--quiet', ...settings],
    ...['--set', `seeds=[${seed}]`, '--set', 'run.threadsPerRun=1', '--set', 'run.concurrency=1'],
    ...(precision === 'bfloat16' ? ['--set', 'train.precision=bfloat16'] : []),
    ...['--runs-directory', runsDirectory],
  ]);
  const { runs } = listRuns(resolve(packageRoot, runsDirectory), { experiment: work.name });
  const found = runs.find(({ run, state }) => run.seed === seed && state === 'done');
  const value = found?.status?.outcome?.metrics[work.metric];
  if (value === undefined) throw new Error(`No run of ${work.name} with seed ${seed} has ${work.metric}.`);
  return {
    work: work.name,
    precision,
    seed,
    value,
    emulated: precision === 'bfloat16' && emulatedBfloat16() !== undefined,
    cpu: cpus()[0]?.model ?? '',
  };
};

const trainMissing = (): void => {
  const wanted = options.works.split(',');
  for (const seed of options.seeds.split(',').map(Number))
    for (const work of works.filter(({ name }) => wanted.includes(name)))
      for (const precision of precisions) {
        const done = readLines<Result>(resultsFile).some(
          (one) => one.work === work.name && one.precision === precision && one.seed === seed,
        );
        if (done) continue;
        const result = train(work, precision, seed);
        mkdirSync(dirname(resultsFile), { recursive: true });
        appendFileSync(resultsFile, `${JSON.stringify(result)}\n`);
        console.log(`${work.name}, ${precision}, seed ${seed}: ${result.value}`);
      }
};

const digits = (value: number) => value.toPrecision(4);

const interval = ({ interval: range }: Summary) =>
  range ? `${digits(range[0])} to ${digits(range[1])}` : '–';

const table = (results: readonly Result[]): string[] => {
  const lines = [
    '| work | metric | precision | seeds | mean | 95% interval of the mean | each seed | mean of bfloat16 within |',
    '| --- | --- | --- | ---: | ---: | --- | --- | --- |',
  ];
  for (const { name, metric } of works) {
    const of = (precision: Precision) =>
      results
        .filter((one) => one.work === name && one.precision === precision)
        .sort((a, b) => a.seed - b.seed)
        .map(({ value }) => value);
    const range = of('float32').length > 1 ? summarize(of('float32')).interval : undefined;
    for (const precision of precisions) {
      const values = of(precision);
      if (values.length === 0) continue;
      const summary = summarize(values);
      const isWithin = range && summary.mean >= range[0] && summary.mean <= range[1];
      const within = precision === 'float32' || !range ? '' : isWithin ? 'yes' : 'no';
      const each = values.map(digits).join(', ');
      const fields = [
        name,
        `\`${metric}\``,
        precision,
        summary.count,
        digits(summary.mean),
        interval(summary),
        each,
        within,
      ];
      lines.push(`| ${fields.join(' | ')} |`);
    }
  }
  return lines;
};

const writeTable = (results: readonly Result[]): void => {
  const emulated = results.some((one) => one.emulated);
  const text = [
    '# Training in bfloat16 beside float32',
    '',
    'Written by `bench/reference/precision.ts` from `precision.jsonl`; do not edit. The same spec and seeds, one thread;',
    'intervals are Student’s t, 95%. Evaluations are computed in float32 with both.',
    '',
    ...table(results),
    '',
    '- `node bench/run.mjs reference/precision.ts --train`',
    `- Machine: ${[...new Set(results.map((one) => one.cpu))].join('; ')}`,
    emulated
      ? '- Products of bfloat16 operands were emulated: the processor has no instruction for them.'
      : '- Products of bfloat16 operands were computed by instructions of the processor.',
    '',
  ];
  writeFileSync(resultsFile.replace(/jsonl$/, 'md'), text.join('\n'));
};

if (options.train) trainMissing();
writeTable(readLines<Result>(resultsFile));
