import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { packageRoot } from '../../src/system/package-root.ts';
import { machineName, type Machine } from './machine.ts';
import { overviewPage } from './overview.ts';
import type { PeakResult } from './peak.ts';
import type { PartName, ResultFile } from './parts.ts';
import { readMachines } from './results.ts';
import type { ShapeRow, ShapesResult } from './shapes.ts';
import type { PrecisionResult } from './precision.ts';
import type { Quartiles, Row, Spread } from './statistics.ts';
import type { StepResult } from './step.ts';
import { sweepGigaflops, type SweepResult } from './sweeps.ts';
import { shortRatio, tableOf } from './table.ts';

const spread = ({ median, least, most }: Spread): string => `${median} (${least} to ${most})`;

const middleHalf = ({ median, lower, upper }: Quartiles): string => `${median} (${lower} to ${upper})`;

const rowsTable = (rows: readonly Row[]): string =>
  tableOf(
    ['work', 'Unroll', 'peer', 'takes', 'ratio', 'goal', ''],
    rows.map(({ work, ours, peer, theirs, ratio, goal, unit }) => [
      work,
      `${ours.median} ${unit}`,
      peer,
      `${theirs.median} ${unit}`,
      spread({ ...ratio, median: Number(shortRatio(ratio.median, goal)) }),
      String(goal),
      ratio.median <= goal ? 'reached' : '**missed**',
    ]),
  );

const stepSection = ({ rows, kernel }: StepResult): string => `## A training step

Forward, loss, gradient and update of one batch; processor time on one core with one thread; kernel: ${kernel}.
PyTorch: the best of eager with default Adam, eager with fused Adam, and \`torch.compile\` with fused Adam; packed sequences
where lengths vary. Keras: the better of a compiled function and XLA. The bidirectional network reads out the last index,
where the backward direction has read one step only: Unroll computes that step alone, its peer the whole sequence.

${rowsTable(rows)}`;

const shapesTable = (rows: readonly ShapeRow[]): string =>
  tableOf(
    ['work', 'a step', 'beside', 'takes', 'ratio', 'goal', ''],
    rows.map(({ work, ours, than, theirs, ratio, goal }) => [
      work,
      `${ours.median} ms`,
      than,
      `${theirs.median} ms`,
      spread({ ...ratio, median: Number(shortRatio(ratio.median, goal)) }),
      String(goal),
      ratio.median <= goal ? 'reached' : '**missed**',
    ]),
  );

const shapesSection = ({ sizes, batches, threads }: ShapesResult): string => `### Other shapes

Unroll beside itself. Matrices are computed in panels of 16 hidden units and tiles of 6 rows; the ratio is of the time for each useful
floating-point operation to that of the next multiple of 16:

${shapesTable(sizes)}

A step of few rows costs what the weights cost, which are packed, and updated, once for each step: half the rows must never take
longer. The ratio is of times:

${shapesTable(batches)}

By the clock, with the rows of the batch divided between the threads, which carry them through all layers' steps without waiting
for each other; the bits are the same for any number of threads:

${shapesTable(threads)}`;

const milliseconds = (value: number): string => `${Number(value.toPrecision(3))} ms`;

/** Why a goal of the steps is reached or not; \`steps\` are the rows of that part, if it was measured. */
const peakSection = ({ registers, limits }: PeakResult, steps: readonly Row[]): string => {
  const explained = steps.flatMap((row) => {
    const limit = limits.find(({ work }) => work === row.work);
    return limit ? [{ ...row, limit, needed: row.goal * row.theirs.least }] : [];
  });
  return `### Where the limit is

One core of this machine does ${registers.toFixed(0)} GFLOPS in single precision: multiply-adds that never leave the registers. What a step's
matrix products take at that speed is its floor, and no program that does these operations is faster. The floating-point operations of a
layer with G gates (4 of an LSTM, 3 of a GRU), batch B, T steps, F features and H hidden units are

\`2 B G H (T F + (T - 1) H)\` forward, the same for the gradient of the kernel, \`2 B G H (T - 1) H\` for the gradient of the
state:

the state before the first step is zero, and the gradient of the inputs is not needed. Our kernels' gates and their
derivatives come on top of it, and so do loss, update and calls.

${tableOf(
  [
    'work',
    'GFLOP',
    'floor',
    'our gates',
    'our forward and backward pass',
    'GFLOPS of our products',
    "of PyTorch's",
  ],
  limits.map(({ work, gigaflops, floor, gates, passes, products }) => [
    work,
    String(gigaflops),
    milliseconds(floor),
    milliseconds(gates),
    milliseconds(passes),
    products.map(({ ours }) => ours.toFixed(0)).join(', '),
    products.map(({ torch }) => torch.toFixed(0)).join(', '),
  ]),
)}

Products are in the order forward, gradient of the state, gradient of the kernel; PyTorch's by \`torch.mm\`, the best of
many. What each goal asks for, with the least time of all rounds, as the floor is of the machine at its fastest:

${tableOf(
  ['work', 'floor', 'Unroll', 'peer', 'takes', 'ratio of the floor', 'goal', 'needs', 'which is'],
  explained.map((row) => [
    row.work,
    milliseconds(row.limit.floor),
    milliseconds(row.ours.least),
    row.peer,
    milliseconds(row.theirs.least),
    (row.limit.floor / row.theirs.least).toFixed(2),
    String(row.goal),
    `${milliseconds(row.needed)}: ${((1000 * row.limit.gigaflops) / row.needed).toFixed(0)} GFLOPS`,
    limitVerdict(row),
  ]),
)}`;
};

const limitVerdict = ({
  needed,
  ours,
  ratio,
  goal,
  limit: { floor, gates },
}: Row & { readonly needed: number; readonly limit: PeakResult['limits'][number] }): string => {
  if (ratio.median <= goal) return 'reached';
  if (needed < floor) return '**faster than the machine**';
  if (needed < floor + gates) return '**less than floor and gates**';
  return `**missed**${ours.least > needed ? ` by ${Math.round(100 * (ours.least / needed - 1))}%` : ''}`;
};

const precisionSection = ({ products: way, steps, passes, peaks }: PrecisionResult): string => `## bfloat16

Steps with \`train.precision: bfloat16\`; products: ${way}. PyTorch: the best of float32 and
\`autocast(bfloat16)\`, eager with fused Adam and \`torch.compile\`. Before the first round, and at the start of each turn, steps are
taken that do not count.

${rowsTable(steps)}

Forward and backward pass of the recurrent layer alone, beside the LSTM cell of libxsmm in its blocked layout. libxsmm also computes the
inputs' gradient, which a first layer does not need: \`F / (3 F + 3 H)\` of its operations.

${rowsTable(passes)}

GFLOPS of one core, the best of many: multiply-adds that never leave the registers; blocks of sums as our products compute them, with
operands that stay in the first-level cache and with operands from the second-level one, such as the weights of a step; and the
products, in the order forward, gradient of the state, gradient of the kernel:

${tableOf(
  [
    'precision',
    'in registers',
    'first-level cache',
    'second-level cache',
    ...(peaks[0]?.products ?? []).map(({ hidden }) => `hidden ${hidden}`),
  ],
  peaks.map(({ precision, registers, firstCache, secondCache, products }) => {
    const shares = (speeds: readonly number[]) =>
      speeds.map((one) => `${one.toFixed(0)} (${Math.round((100 * one) / registers)}%)`).join(', ');
    return [
      precision,
      registers.toFixed(0),
      shares([firstCache]),
      shares([secondCache]),
      ...products.map(({ gflops }) => shares(gflops)),
    ];
  }),
)}

What both passes consist of, the best of many: their products at the speeds of the registers and of the second-level cache, and as they
are; gates and their derivatives; and how long reading takes what moves through memory beyond that cache at least (gates and their
gradients of all steps, and the kernel at each step, where it does not fit into the cache). Products wait for the operands of the
second two:

${tableOf(
  ['work', 'in registers', 'second-level cache', 'products', 'gates', 'memory', 'both passes'],
  peaks.flatMap(({ precision, limits }) =>
    limits.map(({ hidden, floor, cached, products, gates, memory, passes }) => [
      `${precision}, hidden ${hidden}`,
      ...[floor, cached, products, gates, memory, passes].map(milliseconds),
    ]),
  ),
)}`;

/** What other parts found that a section refers to; undefined where the part was not measured. */
interface Found {
  readonly steps: StepResult | undefined;
  readonly peak: PeakResult | undefined;
}

/** The sweep's goal beside what its matrix products alone take, on all cores at once. */
const sweepLimit = (rows: readonly Row[], { registers }: PeakResult, { cores }: Machine): string => {
  const floor = sweepGigaflops() / registers / cores;
  const [fastest] = [...rows].sort((one, other) => one.theirs.median - other.theirs.median);
  if (!fastest) return '';
  const { goal, theirs } = fastest;
  const best = theirs.median;
  return `The matrix products of these trainings and tests are ${sweepGigaflops().toFixed(0)} GFLOP: at the speed of the registers, with all ${cores} cores
at it and nothing else to do, ${floor.toFixed(1)} s, which is ${(floor / best).toFixed(2)} of the fastest peer's time. The goal of ${goal} asks for ${(goal * best).toFixed(1)} s.`;
};

const sweepProfile = (profile: NonNullable<SweepResult['profile']>): string => {
  const spent = Object.entries(profile).sort(([, one], [, other]) => other - one);
  return `Where the time of all cores went in one such sweep, in seconds:

${tableOf(
  spent.map(([name]) => name),
  [spent.map(([, ms]) => (ms / 1000).toFixed(2))],
)}`;
};

const sectionOf = (file: ResultFile, { steps, peak }: Found): string => {
  const { part, result } = file;
  switch (part) {
    case 'step':
      return stepSection(result as StepResult);
    case 'shapes':
      return shapesSection(result as ShapesResult);
    case 'peak':
      return peakSection(result as PeakResult, steps?.rows ?? []);
    case 'precision':
      return precisionSection(result as PrecisionResult);
    case 'sweep': {
      const { rows, profile } = result as ResultFile<'sweep'>['result'];
      return `## A sweep of 12 runs

The whole command from its start to its exit: hidden 64, 128 and 256 with four learning rates, one epoch of 10,000 images,
each run tested on 10,000. As many at once as there are cores, one thread each. Ray uses its actors again and keeps the data
in its object store; Optuna's trials run in processes that joblib keeps, with the data in their memory.

${rowsTable(rows)}

${peak ? sweepLimit(rows, peak, file.machine) : ''}

${profile ? sweepProfile(profile) : ''}`;
    }
    case 'tiny': {
      const { rows, overhead, training, recording, start } = result as ResultFile<'tiny'>['result'];
      const { cores } = file.machine;
      const least = start.median + (200 * training.median) / 1000 / cores;
      const [{ goal } = { goal: 0 }] = rows;
      const best = Math.min(...rows.map(({ theirs }) => theirs.median));
      return `## 200 runs of one step

The whole command; hidden 64 on toy sequences, one step of 128, tested on 500.

${rowsTable(rows)}

A further run costs ${spread(overhead)} ms of one core beyond its training and evaluation; the goal is 8. Of these,
${spread(recording)} ms are writing its record and waiting until the disk has it.

The command takes ${start.median} s to start (most of it loads TensorFlow in ${cores} processes) and to end, and a run trains and tests
for ${training.median} ms: on ${cores} cores ${least.toFixed(1)} s for 200 runs if nothing were scheduled or recorded. The goal of ${goal} asks for ${(goal * best).toFixed(1)} s.`;
    }
    case 'record': {
      const { ratios, steps, rounds } = result as ResultFile<'record'>['result'];
      return `## Recording on MLflow

${steps} steps, each logged, with the uploader sending to a local server, against the same without: the medians of ${rounds}
pairs, and in brackets the middle half of them. The last two columns are what uploader and server took of another core.

${tableOf(
  ['server', 'wall time', 'processor time of the training', 'goal', 'uploader', 'server'],
  Object.entries(ratios).map(([name, { wall, cpu, uploaderSeconds, serverSeconds }]) => [
    name,
    middleHalf(wall),
    middleHalf(cpu),
    '1.01',
    `${uploaderSeconds.median} s`,
    `${serverSeconds.median} s`,
  ]),
)}`;
    }
    case 'scale':
      return `## Two runs at once

Whole commands; hidden 128, 400 steps and a test on 10,000 images, one thread each.

${rowsTable((result as ResultFile<'scale'>['result']).rows)}`;
    case 'memory':
      return `## Memory

The highest resident memory of the process that trains hidden 128 on MNIST, 300 steps and a test.

${rowsTable((result as ResultFile<'memory'>['result']).rows)}`;
  }
};

const measuredOn = ({ machine, peers, date }: ResultFile): string =>
  [
    `${machineName(machine)}, ${machine.memoryGigabytes} GB; ${machine.system}; ${date}.`,
    `Unroll on Node ${machine.node} with TensorFlow ${machine.tensorflow} and kernels for ${machine.instructionSet}.`,
    `Peers: ${Object.entries(peers)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
  ].join('\n');

/** Everything that was measured on one machine. */
const machinePage = (files: readonly ResultFile[]): string => {
  const [first] = files as readonly [ResultFile, ...ResultFile[]];
  const resultOf = (wanted: PartName) => files.find(({ part }) => part === wanted)?.result;
  const found: Found = {
    steps: resultOf('step') as StepResult | undefined,
    peak: resultOf('peak') as PeakResult | undefined,
  };
  return `# How fast it is: ${machineName(first.machine)}

This page is written by \`npm run bench\`. Ratios are Unroll's time to the peer's, round by round: the median, and in brackets
the least and the most. Smaller is better. All machines are in [the overview](../performance.md).

${measuredOn(first)}

${files.map((file) => sectionOf(file, found)).join('\n\n')}
`;
};

const write = async (path: string, text: string): Promise<void> => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, await format(text, { ...(await resolveConfig(path)), parser: 'markdown' }));
};

/** Writes docs/performance.md and a page for each machine from the files of bench/results. */
export const writePerformancePages = async (resultsFolder: string): Promise<void> => {
  const docs = join(packageRoot, 'docs');
  const machines = readMachines(resultsFolder);
  await write(join(docs, 'performance.md'), overviewPage(machines));
  for (const { slug, files } of machines)
    await write(join(docs, 'performance', `${slug}.md`), machinePage(files));
};
