/**
 * Milliseconds of one training step (forward, loss, gradient, Adam) on batches of MNIST's shape [batch, 28, 28], of
 * Unroll and, where a Python with PyTorch is given, of PyTorch, in alternating rounds of fresh processes.
 *
 *     node bench/run.mjs recurrent-step.ts [--model lstm] [--threads 1] [--rounds 3] [--python PATH] [--cells 128x64,32x512]
 */
import { Value } from '@sinclair/typebox/value';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { allocateBatch, type SequenceShape } from '../src/data/dataset.ts';
import { randomStream } from '../src/data/random.ts';
import { packageRoot } from '../src/package-root.ts';
import { modelRow, optimizerRow } from '../src/registry/rows.ts';
import { buildLearner } from '../src/runner/training/learner.ts';
import type { NamedSection, Run } from '../src/spec/plan.ts';
import { loadTensorFlow } from '../src/tensorflow/load.ts';
import { fusedKernels } from '../src/tensorflow/kernels/fused-kernels.ts';

interface Cell {
  readonly model: string;
  readonly batch: number;
  readonly hidden: number;
  readonly repetitions: number;
}

/** Sorted milliseconds. */
interface Times {
  readonly cpu: number[];
  readonly wall: number[];
  readonly kernel?: string;
}

const steps = 28;
const features = 28;

const measure = async ({ model, batch: size, hidden, repetitions }: Cell): Promise<Times> => {
  await loadTensorFlow();
  const shape: SequenceShape = {
    steps,
    input: { kind: 'values', features },
    variableLength: false,
    task: { kind: 'classification', classes: 10 },
  };
  const section = (name: string, row: { parameters: object }, chosen: object): NamedSection => ({
    ...(Value.Default(row.parameters as never, chosen) as NamedSection),
    name,
  });
  const run = {
    seed: 1,
    config: {
      model: section(model, modelRow(model), { hiddenSize: hidden }),
      optimizer: section('adam', optimizerRow('adam'), {}),
      train: { batchSize: size, truncation: null },
    },
  } as unknown as Run;
  const learner = await buildLearner(run, shape, 1000);
  const batch = allocateBatch(shape, size);
  const random = randomStream(1, 'bench');
  batch.size = size;
  (batch.inputs as Float32Array).forEach((_, index) => (batch.inputs[index] = random.uniform()));
  batch.lengths.fill(steps);
  batch.targets.forEach((_, index) => (batch.targets[index] = random.integer(10)));
  const times: Times = { cpu: [], wall: [], kernel: learner.kernel };
  for (let step = 1; step <= repetitions + 3; step++) {
    const before = process.cpuUsage();
    const start = performance.now();
    learner.update(batch, step, false);
    const { user, system } = process.cpuUsage(before);
    if (step <= 3) continue;
    times.cpu.push((user + system) / 1000);
    times.wall.push(performance.now() - start);
  }
  const ascending = (a: number, b: number) => a - b;
  return { ...times, cpu: times.cpu.sort(ascending), wall: times.wall.sort(ascending) };
};

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'lstm' },
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    python: { type: 'string' },
    cells: { type: 'string', default: '128x64,128x128,128x256,128x512,32x64,32x128,32x256,32x512' },
    /** Internal: measures one cell in this process. */
    measure: { type: 'string' },
  },
});

const inProcess = (command: string, args: readonly string[]): Times => {
  const environment = {
    ...process.env,
    TF_NUM_INTRAOP_THREADS: options.threads,
    TF_NUM_INTEROP_THREADS: '1',
    OMP_NUM_THREADS: options.threads,
    TF_CPP_MIN_LOG_LEVEL: '3',
  };
  const child = spawnSync(command, args, { env: environment, encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout) as Times;
};

/** Floating-point operations of a step's products, in thousands of millions; Adam and the gates are not counted. */
const work = ({ model, batch, hidden }: Cell): number => {
  const gates = { lstm: 4, gru: 3 }[model] ?? 1;
  return (2 * batch * steps * gates * hidden * (2 * features + 3 * hidden)) / 1e9;
};

const median = (sorted: readonly number[]): number => sorted[sorted.length >> 1] ?? Number.NaN;
const best = (all: readonly Times[], which: 'cpu' | 'wall'): number =>
  Math.min(...all.map((times) => times[which][0] ?? Number.NaN));
const typical = (all: readonly Times[], which: 'cpu' | 'wall'): number =>
  Math.min(...all.map((times) => median(times[which])));

const compare = () => {
  const which = options.threads === '1' ? 'cpu' : 'wall';
  const say = (line: string) => process.stdout.write(`${line}\n`);
  say(
    `${options.model}, ${options.threads} threads, ${which} ms a step: best (median of the quietest round)`,
  );
  say('| batch x hidden | Unroll | kernel | GFLOPS | PyTorch | ratio of best | of medians |');
  say('|---|---|---|---|---|---|---|');
  for (const name of options.cells.split(',')) {
    const [batch = 0, hidden = 0] = name.split('x').map(Number);
    const cost = (batch * hidden * hidden) / (128 * 512 * 512);
    const cell: Cell = {
      model: options.model,
      batch,
      hidden,
      repetitions: Math.round(Math.min(60, Math.max(8, 4 / cost))),
    };
    const ours: Times[] = [];
    const theirs: Times[] = [];
    for (let round = 0; round < Number(options.rounds); round++) {
      ours.push(inProcess(process.execPath, [process.argv[1] ?? '', '--measure', JSON.stringify(cell)]));
      if (options.python === undefined) continue;
      const script = join(packageRoot, 'bench', 'recurrent-step.py');
      const args = [cell.model, batch, hidden, cell.repetitions, options.threads].map(String);
      theirs.push(inProcess(options.python, [script, ...args]));
    }
    const both = (all: readonly Times[]) =>
      `${best(all, which).toFixed(2)} (${typical(all, which).toFixed(2)})`;
    const ratios = theirs.length
      ? [
          both(theirs),
          (best(ours, which) / best(theirs, which)).toFixed(2),
          (typical(ours, which) / typical(theirs, which)).toFixed(2),
        ]
      : ['', '', ''];
    const speed = ((work(cell) * 1000) / best(ours, which)).toFixed(0);
    say(`| ${[name, both(ours), ours[0]?.kernel, speed, ...ratios].join(' | ')} |`);
  }
};

if (options.measure === undefined) compare();
else {
  const times = await measure(JSON.parse(options.measure) as Cell);
  const kernels = fusedKernels();
  const set = kernels.available ? kernels.instructionSet : kernels.reason;
  process.stdout.write(JSON.stringify({ ...times, kernel: `${times.kernel ?? ''}, ${set}` }));
}
