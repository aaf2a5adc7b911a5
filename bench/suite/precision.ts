import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import type { Precision } from '../../src/tensorflow/kernels/kernel.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { compilePeak, runPeak, timeOf, type PeakFound } from './peak.ts';
import { peersFolder, pythonOf } from './peers.ts';
import { oneThread, say, start, startWorker, succeed, type Worker } from './processes.ts';
import { alternate, compareWithBest, median, spreadOf, type Row, type Timed } from './statistics.ts';
import {
  gigaflops,
  lstm,
  productsOf,
  repetitionsOf,
  type StepRequest,
  type StepTimes,
  type StepWork,
} from './step-work.ts';

/** GFLOPS of the matrix products in one precision, the best of many. */
export interface PrecisionPeak {
  readonly precision: Precision;
  /** Of multiply-adds that never leave the registers. */
  readonly registers: number;
  /** Of our blocks of sums, whose operands come from the first- or the second-level cache. */
  readonly firstCache: number;
  readonly secondCache: number;
  readonly products: readonly { readonly hidden: number; readonly gflops: readonly number[] }[];
  readonly limits: readonly PrecisionLimit[];
}

/** What both passes of a layer consist of, in milliseconds, the best of many. */
export interface PrecisionLimit {
  readonly hidden: number;
  /** The products at the speeds of the registers and of the second-level cache, and as they are. */
  readonly floor: number;
  readonly cached: number;
  readonly products: number;
  /** Gates and their derivatives. */
  readonly gates: number;
  /** What passes through memory beyond the second-level cache at least, at the speed of reading it. */
  readonly memory: number;
  readonly passes: number;
}

export interface PrecisionResult {
  /** How bfloat16 products were computed. */
  readonly products: string;
  /** Training steps in bfloat16, beside ours in float32 and PyTorch's. */
  readonly steps: readonly Row[];
  /** Forward and backward pass of the recurrent layer alone, beside libxsmm's. */
  readonly passes: readonly Row[];
  readonly peaks: readonly PrecisionPeak[];
}

const precisions = ['float32', 'bfloat16'] as const;
const works = [128, 256, 512].map((hidden) => lstm(128, hidden));

/** libxsmm's bfloat16 needs multiples of 16 features, and with others its float32 is many times slower. */
const forLibxsmm = (work: StepWork): StepWork => ({ ...work, features: 32 });

const inBfloat16 = (work: StepWork): StepWork => ({
  ...work,
  name: `${work.name}, bfloat16`,
  precision: 'bfloat16',
});

/** The largest ratios that are aimed at, by hidden size. */
const goals: Readonly<Record<number, { readonly float32: number; readonly torch?: number }>> = {
  128: { float32: 0.75 },
  256: { float32: 0.6, torch: 0.5 },
  512: { float32: 0.6, torch: 0.5 },
};

interface Contestant {
  readonly name: string;
  readonly work: StepWork;
  readonly mode: string;
  readonly worker: Worker;
}

const measureSteps = async (rounds: number): Promise<readonly Row[]> => {
  const options = { cores: '0', env: oneThread };
  const unroll = startWorker({
    words: [process.execPath, process.argv[1] ?? '', '--serve', 'unroll'],
    ...options,
  });
  const torch = startWorker({ words: [pythonOf('torch'), join(peersFolder, 'torch_steps.py')], ...options });
  const rows: Row[] = [];
  for (const work of works) {
    const ours = inBfloat16(work);
    const contestants: readonly Contestant[] = [
      { name: 'Unroll', work: ours, mode: '', worker: unroll },
      { name: 'Unroll in float32', work, mode: '', worker: unroll },
      { name: 'float32, fused Adam', work, mode: 'fused', worker: torch },
      { name: 'float32, torch.compile', work, mode: 'compiled', worker: torch },
      { name: 'autocast(bfloat16), fused Adam', work, mode: 'autocast', worker: torch },
      { name: 'autocast(bfloat16), torch.compile', work, mode: 'autocast compiled', worker: torch },
    ];
    const takeSteps = async (one: Contestant): Promise<number> => {
      const request: StepRequest = {
        do: 'steps',
        work: one.work,
        mode: one.mode,
        repetitions: repetitionsOf(work),
      };
      return median((await one.worker.ask<StepTimes>(request)).cpu);
    };
    const [bfloat16, float32, ...peers] = await alternate(contestants, rounds, takeSteps, { warmUp: true });
    const goal = goals[work.hidden];
    if (!bfloat16 || !float32 || !goal) continue;
    const add = (peer: string, ways: readonly Timed[], most: number): void => {
      const row = compareWithBest(bfloat16, ways, { work: ours.name, peer, unit: 'ms', goal: most });
      rows.push(row);
      say(
        `${row.work}: ${row.ours.median} ms, ${row.peer} ${row.theirs.median} ms, ratio ${row.ratio.median}`,
      );
    };
    add('Unroll in float32', [float32], goal.float32);
    if (goal.torch !== undefined) add('PyTorch', peers, goal.torch);
  }
  await Promise.all([unroll.stop(), torch.stop()]);
  return rows;
};

const libxsmmGoals: Readonly<Record<Precision, number>> = { float32: 0.8, bfloat16: 0.7 };

/** libxsmm's driver; undefined where the system has no libxsmm. */
const compileLibxsmm = (folder: string): string | undefined => {
  const program = join(folder, 'libxsmm');
  const libraries = ['xsmm', 'openblas', 'pthread', 'dl', 'm', 'rt'].map((name) => `-l${name}`);
  try {
    succeed('gcc', ['-O2', join(peersFolder, 'libxsmm_lstm.c'), '-o', program, ...libraries]);
    return program;
  } catch {
    say("libxsmm is not measured: it needs gcc and Debian's libxsmm-dev and libopenblas-dev");
    return undefined;
  }
};

const passesOf = ({ forward, backward }: Pick<PeakFound, 'forward' | 'backward'>): number =>
  forward + backward;

/**
 * Bytes that both passes of an LSTM move at least where they do not fit into the second-level cache: gates, which are written
 * and read; their gradients, written and read once more; in bfloat16 these rounded, written and read; and at each step the
 * kernel of each pass.
 */
const bytesMoved = (precision: Precision, { batch, hidden, steps, features }: StepWork): number => {
  const size = precision === 'bfloat16' ? 2 : 4;
  const rounded = precision === 'bfloat16' ? 2 * size : 0;
  return steps * 4 * hidden * (batch * (8 + 8 + rounded) + size * (features + 2 * hidden));
};

const rounded = (value: number): number => spreadOf([value]).median;

const most = (found: readonly PeakFound[], figure: keyof PeakFound): number =>
  Math.max(...found.map((one) => one[figure]));

const limitOf = (precision: Precision, work: StepWork, found: readonly PeakFound[]): PrecisionLimit => {
  const least = (figure: (one: PeakFound) => number) => Math.min(...found.map(figure));
  const products = productsOf(work);
  const atSpeed = (figure: 'registers' | 'secondCache') =>
    rounded((1000 * gigaflops(work)) / most(found, figure));
  return {
    hidden: work.hidden,
    floor: atSpeed('registers'),
    cached: atSpeed('secondCache'),
    products: rounded(products.reduce((sum, product) => sum + least((one) => timeOf(product, one)), 0)),
    gates: rounded(least(({ gates, derivatives }) => gates + derivatives)),
    memory: rounded(bytesMoved(precision, work) / 1e6 / most(found, 'memory')),
    passes: rounded(least(passesOf)),
  };
};

const runLibxsmm = async (
  program: string,
  precision: Precision,
  work: StepWork,
  block: number,
): Promise<number> => {
  const sizes = [work.batch, work.steps, work.features, work.hidden, block].map(String);
  const type = precision === 'bfloat16' ? 'bf16' : 'f32';
  const { stdout } = await start({ words: [program, type, ...sizes], cores: '0', env: oneThread }).done;
  return passesOf(JSON.parse(stdout) as PeakFound);
};

const measurePasses = async (rounds: number): Promise<Pick<PrecisionResult, 'passes' | 'peaks'>> => {
  const folder = mkdtempSync(join(tmpdir(), 'unroll-bench-'));
  const passes: Row[] = [];
  const peaks: PrecisionPeak[] = [];
  try {
    const libxsmm = compileLibxsmm(folder);
    for (const precision of precisions) {
      const program = join(folder, precision);
      await compilePeak(program, precision);
      const all: PeakFound[] = [];
      const products: PrecisionPeak['products'][number][] = [];
      const limits: PrecisionLimit[] = [];
      for (const work of works.map(forLibxsmm)) {
        const found: PeakFound[] = [];
        const measures = [
          {
            name: 'Unroll',
            measure: async () => {
              const one = await runPeak(program, work);
              found.push(one);
              return passesOf(one);
            },
          },
          ...(libxsmm === undefined
            ? []
            : [32, 64].map((block) => ({
                name: `blocks of ${block}`,
                measure: () => runLibxsmm(libxsmm, precision, work, block),
              }))),
        ];
        const [ours, ...theirs] = await alternate(measures, rounds, ({ measure }) => measure());
        all.push(...found);
        products.push({
          hidden: work.hidden,
          gflops: productsOf(work).map((product) => {
            const least = Math.min(...found.map((one) => timeOf(product, one)));
            return spreadOf([(1000 * product.gigaflops) / least]).median;
          }),
        });
        limits.push(limitOf(precision, work, found));
        if (!ours || theirs.length === 0) continue;
        const row = compareWithBest(ours, theirs, {
          work: `both passes of ${precision === 'bfloat16' ? inBfloat16(work).name : work.name}`,
          peer: 'libxsmm',
          unit: 'ms',
          goal: libxsmmGoals[precision],
        });
        passes.push(row);
        say(`${row.work}: ${row.ours.median} ms, ${row.peer} ${row.theirs.median} ms`);
      }
      const speed = (figure: 'registers' | 'firstCache' | 'secondCache') => rounded(most(all, figure));
      peaks.push({
        precision,
        registers: speed('registers'),
        firstCache: speed('firstCache'),
        secondCache: speed('secondCache'),
        products,
        limits,
      });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { passes, peaks };
};

/** Training in bfloat16 on one core, beside float32, PyTorch and libxsmm. */
export const measurePrecision = async (rounds: number): Promise<PrecisionResult> => {
  await loadTensorFlow();
  const kernels = fusedKernels();
  return {
    products: kernels.available ? kernels.bfloat16 : 'none',
    steps: await measureSteps(rounds),
    ...(await measurePasses(rounds)),
  };
};
