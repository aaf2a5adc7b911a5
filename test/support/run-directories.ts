import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomStream } from '../../src/data/random.ts';
import type { Objective, RunConfig } from '../../src/language/config.ts';
import type { Plan, Run } from '../../src/plan/plan.ts';
import type { ChosenSweeps } from '../../src/report/chosen-sweeps.ts';
import type { Json } from '../../src/system/json.ts';
import type { Metrics, OutcomeReason, RunOutcome } from '../../src/record/events.ts';
import {
  type EnvironmentFile,
  type EvaluationFile,
  fileNames,
  type MetricLine,
  type StatusFile,
} from '../../src/record/run-files.ts';

/**
 * Run directories as a real sweep would leave them, without any training: losses fall, accuracies rise, good learning
 * rates win, seeds scatter. Everything is a function of the plan, so a test can name the numbers it expects.
 */
export interface SweepOptions {
  readonly experiment?: string;
  /** Path -> values: `{ 'model.hiddenSize': [64, 128] }`. The last path is the fastest. */
  readonly axes?: Readonly<Record<string, readonly Json[]>>;
  readonly seeds?: readonly number[];
  readonly steps?: number;
  readonly displayEvery?: number;
  readonly objective?: Objective;
  readonly concurrency?: number;
}

const baseConfig = (steps: number, displayEvery: number): RunConfig => ({
  dataset: { name: 'mnist-rows', validationSize: 5000 },
  model: { name: 'lstm', hiddenSize: 128, forgetBias: 1, layers: 1 },
  optimizer: { name: 'adam', learningRate: 0.001, beta1: 0.9, beta2: 0.999 },
  train: {
    batchSize: 128,
    trainingIters: null,
    epochs: null,
    steps,
    displayEvery,
    shuffle: true,
    lastBatch: 'keep',
    evaluateEvery: null,
    checkpointEvery: null,
    keepCheckpoints: 'last',
    earlyStopping: null,
    truncation: null,
  },
});

const withValue = (config: RunConfig, path: string, value: Json): RunConfig => {
  const [section = '', key = ''] = path.split('.');
  const old = config[section as keyof RunConfig];
  return { ...config, [section]: { ...old, [key]: value } };
};

const digest = (value: unknown) =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);

/** The plan of a grid over `axes` and `seeds`, in plan order. */
export const makePlan = (options: SweepOptions = {}): Plan => {
  const { experiment = 'mnist-rows', axes = {}, seeds = [1], steps = 100, displayEvery = 10 } = options;
  let points: Record<string, Json>[] = [{}];
  for (const [path, values] of Object.entries(axes)) {
    points = points.flatMap((point) => values.map((value) => ({ ...point, [path]: value })));
  }
  const runs = points.flatMap((point): Run[] =>
    seeds.map((seed) => {
      let config = baseConfig(steps, displayEvery);
      for (const [path, value] of Object.entries(point)) config = withValue(config, path, value);
      return {
        id: digest([experiment, config, seed]),
        cell: digest([experiment, config]),
        experiment,
        seed,
        config,
        datasetDigest: digest('mnist-rows').repeat(5).slice(0, 60) + '0000',
        versions: { dataset: 1, model: 1, optimizer: 1, trainer: 1 },
        varying: seeds.length > 1 ? { ...point, seed } : point,
      };
    }),
  );
  return {
    experiment,
    sweepId: digest(runs.map((run) => run.id)),
    objective: options.objective ?? { metric: 'test/accuracy', goal: 'maximize' },
    execution: {
      concurrency: options.concurrency ?? 2,
      threadsPerRun: 1,
      retries: 1,
      timeoutMs: null,
      onError: 'continue',
    },
    axes: seeds.length > 1 ? [...Object.keys(axes), 'seed'] : Object.keys(axes),
    runs,
    tracking: {},
    expect: [],
    spec: { path: `experiments/${experiment}.yaml`, text: `version: 1\nname: ${experiment}\n` },
  };
};

/** A sweep alone, as reports and comparisons take it. */
export const only = (plan: Plan): ChosenSweeps => ({ sweeps: [{ plan, frozenAt: null }], otherSweeps: 0 });

/** The time at which the first run of a made sweep began: 2026-11-23T08:00:00Z. */
export const sweepStart = Date.UTC(2026, 10, 23, 8);

const stepMs = 40;

/** Loss and accuracy of a run at a step (counted from 1): plausible, and the same for the same run. */
export const metricsAt = (run: Run, step: number): { 'train/loss': number; 'train/accuracy': number } => {
  const noise = randomStream(run.seed, 'made-run', run.cell, step);
  const rate = Number(run.config.optimizer['learningRate'] ?? 0.001);
  const size = Number(run.config.model['hiddenSize'] ?? 128);
  // Learning is quickest at a rate of 0.003 and slower an order of magnitude away.
  const speed = 0.05 * Math.exp(-(Math.log10(rate / 0.003) ** 2)) * Math.sqrt(size / 128);
  const loss = 0.08 + 2.22 * Math.exp(-speed * step) + 0.05 * noise.normal();
  const accuracy = Math.min(1, Math.max(0, 1 - Math.max(loss, 0) / 2.6 + 0.01 * noise.normal()));
  return { 'train/loss': Math.fround(Math.abs(loss)), 'train/accuracy': Math.round(accuracy * 128) / 128 };
};

/** The end evaluation of a run. */
export const finalMetrics = (run: Run, steps: number): Metrics => {
  const noise = randomStream(run.seed, 'made-test', run.cell);
  const rate = Number(run.config.optimizer['learningRate'] ?? 0.001);
  const size = Number(run.config.model['hiddenSize'] ?? 128);
  const quality = 0.975 - 0.02 * Math.log10(rate / 0.003) ** 2 - 0.5 / size + 0.002 * noise.normal();
  const accuracy = Math.round(Math.min(1, Math.max(0, quality - 0.3 / steps)) * 10_000) / 10_000;
  return { 'test/accuracy': accuracy, 'test/loss': Math.fround(3.2 * (1 - accuracy)) };
};

export interface MadeRun {
  /** How it ended; `running` leaves a status without an end. `new` writes only run.json. */
  readonly state?: OutcomeReason | 'running' | 'new';
  /** How far it got; all steps unless told. */
  readonly step?: number;
  readonly message?: string;
  readonly holder?: StatusFile['holder'];
  readonly startedAt?: number;
  /** False leaves metrics.jsonl, environment.json and evaluation.json away: for many small directories. */
  readonly detail?: boolean;
  /** Bytes appended to metrics.jsonl, such as half a line. */
  readonly tail?: string;
}

const messages: Readonly<Record<OutcomeReason, string>> = {
  completed: 'Every step was done.',
  pruned: 'Paused after step 50; a checkpoint is kept.',
  diverged: 'The loss became NaN.',
  failed: 'The data could not be read.',
  crashed: 'The process ended by signal SIGSEGV.',
  'out-of-memory': 'The process was killed for memory.',
  'timed-out': 'The run took longer than 30 minutes.',
  interrupted: 'Stopped by Ctrl-C.',
  killed: 'Killed by the second Ctrl-C.',
  'not-started': 'The sweep stopped before this run began.',
};

/** JSON has no NaN and no infinities: they are written as texts. */
const nonFinite = (_key: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;

/** Files of one run; returns its directory. */
export const writeRunDirectory = (runsDirectory: string, run: Run, made: MadeRun = {}): string => {
  const { state = 'completed', detail = true, startedAt = sweepStart } = made;
  const directory = join(runsDirectory, run.experiment, run.id);
  mkdirSync(directory, { recursive: true });
  const write = (name: string, value: unknown) =>
    writeFileSync(join(directory, name), `${JSON.stringify(value, nonFinite, 2)}\n`);
  write(fileNames.run, run);
  if (state === 'new') return directory;

  const totalSteps = run.config.train.steps ?? 100;
  const step = made.step ?? totalSteps;
  const lines: MetricLine[] = [];
  for (let at = run.config.train.displayEvery; at <= step; at += run.config.train.displayEvery) {
    const metrics: Record<string, number | 'NaN'> = { ...metricsAt(run, at) };
    if (state === 'diverged' && at + run.config.train.displayEvery > step) metrics['train/loss'] = 'NaN';
    lines.push({ step: at, time: startedAt + at * stepMs, metrics });
  }
  const end = startedAt + step * stepMs + 900;
  const evaluation = state === 'completed' ? finalMetrics(run, totalSteps) : undefined;
  if (evaluation) lines.push({ step, time: end - 100, metrics: evaluation });

  const ended = state !== 'running';
  const last: Record<string, number> = { ...metricsAt(run, Math.max(1, step)), ...evaluation };
  if (state === 'diverged') last['train/loss'] = NaN;
  const outcome: RunOutcome | null = ended
    ? {
        reason: state,
        message: made.message ?? messages[state],
        step,
        elapsedMs: step * stepMs,
        metrics: last,
      }
    : null;
  const status: StatusFile = {
    state: ended ? 'ended' : 'running',
    attempt: 1,
    startedAt,
    endedAt: ended ? end : null,
    outcome,
    holder: ended ? null : (made.holder ?? { host: 'elsewhere', pid: 4242, processStartedAt: 123456 }),
  };
  write(fileNames.status, status);
  if (!detail) return directory;

  write(fileNames.environment, madeEnvironment);
  writeFileSync(
    join(directory, fileNames.metrics),
    lines.map((line) => `${JSON.stringify(line)}\n`).join('') + (made.tail ?? ''),
  );
  writeFileSync(
    join(directory, fileNames.log),
    lines
      .filter((line) => 'train/loss' in line.metrics)
      .map(
        ({ step: at, metrics }) =>
          `Iter ${at * run.config.train.batchSize}, Minibatch Loss= ${Number(metrics['train/loss']).toFixed(6)}, ` +
          `Training Accuracy= ${Number(metrics['train/accuracy']).toFixed(5)}\n`,
      )
      .join(''),
  );
  if (evaluation) write(fileNames.evaluation, madeEvaluation(run, evaluation['test/accuracy'] ?? 0));
  return directory;
};

/** A whole sweep: every run's directory and the frozen plan. `made` says how single runs fared. */
export const writeSweep = (
  runsDirectory: string,
  plan: Plan,
  made: (run: Run, index: number) => MadeRun = () => ({}),
): string[] => {
  const sweeps = join(runsDirectory, plan.experiment, 'sweeps');
  mkdirSync(sweeps, { recursive: true });
  writeFileSync(join(sweeps, `${plan.sweepId}.json`), `${JSON.stringify(plan, null, 2)}\n`);
  return plan.runs.map((run, index) =>
    writeRunDirectory(runsDirectory, run, { startedAt: sweepStart + index * 5000, ...made(run, index) }),
  );
};

const madeEnvironment: EnvironmentFile = {
  unroll: '0.1.0',
  node: 'v20.19.0',
  backend: 'tensorflow',
  tensorflow: '2.21.0',
  kernel: 'block',
  threads: 1,
  platform: 'linux-x64',
  cpu: 'Example CPU @ 2.50GHz',
  cores: 2,
  host: 'example',
  user: 'someone',
  commandLine: 'unroll run experiments/mnist-rows.yaml',
  git: {
    commit: '0123456789abcdef0123456789abcdef01234567',
    branch: 'main',
    dirty: false,
    remote: 'https://example.org/someone/unroll.git',
  },
};

/** Counts of a ten-class test split of 10,000 with the given accuracy, its mistakes spread over the neighbours. */
const madeEvaluation = (run: Run, accuracy: number): EvaluationFile => {
  const noise = randomStream(run.seed, 'made-confusion', run.cell);
  const confusion = Array.from({ length: 10 }, (_, truth) => {
    const row = new Array<number>(10).fill(0);
    const wrong = Math.round(1000 * (1 - accuracy));
    for (let i = 0; i < wrong; i++) {
      const prediction = (truth + 1 + noise.integer(9)) % 10;
      row[prediction] = (row[prediction] ?? 0) + 1;
    }
    row[truth] = 1000 - wrong;
    return row;
  });
  return { split: 'test', examples: 10_000, labels: Array.from('0123456789'), confusion };
};
