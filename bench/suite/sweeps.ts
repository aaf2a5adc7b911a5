import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/system/package-root.ts';
import { childrenOf } from '../../test/support/children.ts';
import { mnistFolder, peersFolder, pythonOf } from './peers.ts';
import { oneThread, say, start } from './processes.ts';
import { gigaflops, lstm, productsOf } from './step-work.ts';
import { alternate, compareWithBest, median, spreadOf, type Row, type Spread } from './statistics.ts';

const cores = availableParallelism();

/** The sweep: three sizes with four learning rates, one epoch of 10,000 images, tested on as many. */
const sweepWork = {
  hiddenSizes: [64, 128, 256],
  learningRates: [0.0005, 0.001, 0.002, 0.004],
  examples: 10_000,
};

const sweepSpec = `version: 1
name: sweep
dataset: { name: mnist-rows, trainSize: ${sweepWork.examples}, validationSize: 0 }
model: { name: lstm, hiddenSize: 64 }
optimizer: { name: adam, learningRate: 0.001 }
train: { batchSize: 128, epochs: 1, displayEvery: 10 }
objective: { metric: test/accuracy, goal: maximize }
sweep:
  axes:
    model.hiddenSize: [${sweepWork.hiddenSizes.join(', ')}]
    optimizer.learningRate: [${sweepWork.learningRates.join(', ')}]
`;

/** Thousands of millions of floating-point operations in the matrix products of the sweep's training and tests. */
export const sweepGigaflops = (): number => {
  const batch = 128;
  const ofSize = (hidden: number) => {
    const forward = productsOf(lstm(batch, hidden)).find(({ name }) => name === 'forward');
    return (gigaflops(lstm(batch, hidden)) + (forward?.gigaflops ?? 0)) * (sweepWork.examples / batch);
  };
  const sizes = sweepWork.hiddenSizes.reduce((sum, hidden) => sum + ofSize(hidden), 0);
  return sizes * sweepWork.learningRates.length;
};

/** Runs of one step and a test on 500 toy sequences: what is measured is everything around. */
const tinySpec = (runs: number): string => `version: 1
name: tiny
dataset: { name: toy-sequences }
model: { name: lstm, hiddenSize: 64 }
optimizer: { name: adam, learningRate: 0.001 }
train: { batchSize: 128, steps: 1, displayEvery: 1 }
objective: { metric: test/accuracy, goal: maximize }
sweep:
  axes:
    optimizer.learningRate: { log: [1.0e-4, 1.0e-2], steps: ${runs} }
`;

interface Contestant {
  readonly name: string;
  readonly words: (folder: string) => readonly string[];
}

const ours = 'Unroll';

const program = join(packageRoot, 'bin', 'unroll.js');

const unroll = (spec: string, ...extra: readonly string[]): Contestant => ({
  name: ours,
  words: (folder) => {
    writeFileSync(join(folder, 'spec.yaml'), spec);
    return [process.execPath, program, 'run', 'spec.yaml', '--no-mlflow', '--quiet', ...extra];
  },
});

const peer = (name: string, which: 'torch' | 'keras', ...words: readonly string[]): Contestant => ({
  name,
  words: () => [
    pythonOf(which),
    join(peersFolder, words[0] ?? ''),
    ...words.slice(1),
    mnistFolder,
    String(cores),
  ],
});

const rates = Array.from({ length: 200 }, (_, index) => 1e-4 * 100 ** (index / 199));

const hydra: Contestant = {
  name: "Hydra's joblib launcher + PyTorch",
  words: (folder) => [
    pythonOf('torch'),
    join(peersFolder, 'hydra_sweep.py'),
    '-m',
    `rate=${rates.join(',')}`,
    'hydra/launcher=joblib',
    `hydra.launcher.n_jobs=${cores}`,
    `hydra.sweep.dir=${join(folder, 'multirun')}`,
  ],
};

let parent: string | undefined;

/**
 * A new folder, removed when all is measured: while a file system without a journal remembers which files were deleted
 * within the last minutes, each new file takes it longer, and the next contestant would pay for the removal.
 */
const newFolder = (): string => {
  if (!parent) {
    const made = mkdtempSync(join(tmpdir(), 'unroll-bench-'));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    parent = made;
  }
  return mkdtempSync(join(parent, 'command-'));
};

const seconds = async ({ name, words }: Contestant): Promise<number> => {
  const folder = newFolder();
  const taken = await start({ words: words(folder), cwd: folder, env: oneThread }).done;
  say(`${name}: ${taken.seconds.toFixed(1)} s`);
  return taken.seconds;
};

const against = async (
  contestants: readonly Contestant[],
  rounds: number,
  row: { readonly work: string; readonly goal: number },
): Promise<readonly Row[]> => {
  for (const { words } of contestants) words(tmpdir());
  const [ours, ...theirs] = await alternate(contestants, rounds, seconds);
  if (!ours) return [];
  return theirs.map((way) => compareWithBest(ours, [way], { ...row, peer: way.name, unit: 's' }));
};

/** The sweep in float32 against each peer, and in bfloat16 against the fastest: whole commands, from start to exit. */
export const measureSweep = async (rounds: number): Promise<SweepResult> => {
  const work = `sweep of 12 runs, ${cores} at once`;
  const peers = [
    { ...peer('Ray Tune + PyTorch', 'torch', 'ray_sweep.py', 'torch', 'sweep'), goal: 0.45 },
    { ...peer('Optuna + joblib + PyTorch', 'torch', 'optuna_sweep.py', 'torch', 'sweep'), goal: 0.5 },
    { ...peer('Optuna + joblib + Keras', 'keras', 'optuna_sweep.py', 'keras', 'sweep'), goal: 0.45 },
  ];
  const bfloat16 = { ...unroll(sweepSpec, '--set', 'train.precision=bfloat16'), name: `${ours} in bfloat16` };
  const contestants = [unroll(sweepSpec), bfloat16, ...peers];
  for (const { words } of contestants) words(tmpdir());
  const [single, rounded, ...theirs] = await alternate(contestants, rounds, seconds);
  if (!single || !rounded) throw new Error('The sweep was not measured.');
  const row = (goal: number) => ({ work, unit: 's', goal }) as const;
  const rows = [
    ...theirs.map((way, at) =>
      compareWithBest(single, [way], { ...row(peers[at]?.goal ?? Number.NaN), peer: way.name }),
    ),
    compareWithBest(rounded, theirs, { ...row(0.4), work: `${work}, bfloat16`, peer: 'the fastest' }),
  ];
  const folder = newFolder();
  const { words } = unroll(sweepSpec, '--json', '--profile');
  const { stdout } = await start({ words: words(folder), cwd: folder, env: oneThread }).done;
  const { profile } = JSON.parse(stdout) as RunJson;
  return { rows, profile: { ...profile.ms, 'without a run': profile.withoutRunMs } };
};

export interface SweepResult {
  readonly rows: readonly Row[];
  /** Milliseconds of all cores together, by what they were spent on; missing in older results. */
  readonly profile?: Readonly<Record<string, number>>;
}

export interface TinyResult {
  readonly rows: readonly Row[];
  /** Milliseconds that a further run takes of one core beyond training and evaluation. */
  readonly overhead: Spread;
  /** Milliseconds of one core that a run trains and evaluates. */
  readonly training: Spread;
  /** Milliseconds that the process of a run writes its record and waits until the disk has it. */
  readonly recording: Spread;
  /** Seconds of the command that no run takes: its start, which loads TensorFlow, and its end. */
  readonly start: Spread;
}

export const measureTiny = async (rounds: number): Promise<TinyResult> => {
  const rows = await against(
    [
      unroll(tinySpec(200)),
      peer('Ray Tune + PyTorch', 'torch', 'ray_sweep.py', 'torch', 'tiny'),
      peer('Optuna + joblib + PyTorch', 'torch', 'optuna_sweep.py', 'torch', 'tiny'),
      hydra,
    ],
    rounds,
    { work: '200 runs of one step', goal: 0.3 },
  );
  const found = await partsOfTime(rounds);
  const spread = (key: keyof PartsOfTime) => spreadOf(found.map((one) => one[key]));
  return {
    rows,
    overhead: spread('overhead'),
    training: spread('training'),
    recording: spread('recording'),
    start: spread('start'),
  };
};

type PartsOfTime = Readonly<Record<'overhead' | 'training' | 'recording' | 'start', number>>;

/** From two lengths of the sweep: what is in both is its start and end, and what the longer one adds is the runs'. */
const partsOfTime = async (rounds: number): Promise<readonly PartsOfTime[]> => {
  const few = 20;
  const many = 220;
  const found: PartsOfTime[] = [];
  for (let round = 0; round < rounds; round++) {
    const short = await seconds(unroll(tinySpec(few)));
    const folder = newFolder();
    const { words } = unroll(tinySpec(many), '--json', '--profile');
    const long = await start({ words: words(folder), cwd: folder, env: oneThread }).done;
    const { profile } = JSON.parse(long.stdout) as RunJson;
    const each = (long.seconds - short) / (many - few);
    const training = msOf(profile, ['data', 'forward', 'backward', 'update', 'evaluation']);
    const recording = msOf(profile, ['recording', 'waiting']);
    const overhead = 1000 * cores * each - training;
    found.push({ overhead, training, recording, start: short - few * each });
  }
  return found;
};

interface RunJson {
  readonly profile: {
    readonly ms: Readonly<Record<string, number>>;
    readonly withoutRunMs: number;
    readonly runs: readonly { readonly ms: Readonly<Record<string, number>> }[];
  };
}

/** Milliseconds of a run in some phases: the median over the runs. */
const msOf = ({ runs }: RunJson['profile'], phases: readonly string[]): number =>
  median(runs.map(({ ms }) => phases.reduce((sum, phase) => sum + (ms[phase] ?? 0), 0)));

/** Two runs of one thread each: side by side on two cores, against one after the other on one core. */
export const measureScale = async (rounds: number): Promise<readonly Row[]> => {
  const spec = `version: 1
name: scale
dataset: { name: mnist-rows }
model: { name: lstm, hiddenSize: 128 }
optimizer: { name: adam }
train: { batchSize: 128, steps: 400, displayEvery: 20 }
objective: { metric: test/accuracy, goal: maximize }
seeds: [1, 2]
run: { threadsPerRun: 1 }
`;
  const ways = [
    { name: 'two at once', concurrency: '2', cores: '0,1' },
    { name: 'one after the other on one core', concurrency: '1', cores: '0' },
  ];
  const [together, inTurn] = await alternate(ways, rounds, async (way) => {
    const folder = newFolder();
    const { words } = unroll(spec, '--concurrency', way.concurrency);
    const { seconds: taken } = await start({ words: words(folder), cwd: folder, cores: way.cores }).done;
    say(`${way.name}: ${taken.toFixed(1)} s`);
    return taken;
  });
  if (!together || !inTurn) return [];
  const row = { work: 'two runs at once on two cores', peer: inTurn.name, unit: 's', goal: 0.56 } as const;
  return [compareWithBest(together, [inTurn], row)];
};

/** Resident megabytes at their highest, of the process itself or of its largest child. */
const peakOf = (pid: number, ofChild: boolean): number => {
  const watched = ofChild ? childrenOf(pid) : [pid];
  const peaks = watched.map((one) => {
    const status = readFileSync(`/proc/${one}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024;
  });
  return Math.max(0, ...peaks) / 1e6;
};

/** The process that trains hidden 128 on MNIST; Linux only. */
export const measureMemory = async (rounds: number): Promise<readonly Row[]> => {
  const spec = `version: 1
name: memory
dataset: { name: mnist-rows }
model: { name: lstm, hiddenSize: 128 }
optimizer: { name: adam }
train: { batchSize: 128, steps: 300, displayEvery: 20 }
objective: { metric: test/accuracy, goal: maximize }
run: { threadsPerRun: 1 }
`;
  const contestants = [
    { ...unroll(spec), ofChild: true },
    {
      name: 'PyTorch',
      words: () => [pythonOf('torch'), join(peersFolder, 'torch_memory.py'), mnistFolder],
      ofChild: false,
    },
  ];
  const [ours, theirs] = await alternate(contestants, rounds, async ({ name, words, ofChild }) => {
    const folder = newFolder();
    const running = start({ words: words(folder), cwd: folder, env: oneThread });
    let peak = 0;
    const watch = setInterval(() => {
      try {
        peak = Math.max(peak, peakOf(running.pid, ofChild));
      } catch {
        // It has ended.
      }
    }, 50);
    await running.done.finally(() => clearInterval(watch));
    say(`${name}: ${peak.toFixed(0)} MB`);
    return peak;
  });
  if (!ours || !theirs) return [];
  const row = {
    work: 'memory of a training process, hidden 128',
    peer: 'PyTorch',
    unit: 'MB',
    goal: 1,
  } as const;
  return [compareWithBest(ours, [theirs], row)];
};
