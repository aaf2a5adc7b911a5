import { join } from 'node:path';
import { peersFolder, pythonOf } from './peers.ts';
import { oneThread, say, startWorker, type Worker } from './processes.ts';
import { alternate, compareWithBest, median, spreadOf, type Row, type Spread } from './statistics.ts';
import { gigaflops, stepWorks, type StepRequest, type StepTimes, type StepWork } from './step-work.ts';

/** What bounds the step from below: its products at the speed that the machine's own library reaches. */
export interface Limit {
  readonly work: string;
  /** Thousands of millions of floating-point operations in a step's matrix products. */
  readonly gigaflops: number;
  /** A second, over the whole step with gates, loss and update. */
  readonly unroll: number;
  /** A second, of the forward product alone by PyTorch's library (oneDNN or MKL), its best of many. */
  readonly product: number;
  /** What the ratio to the peer would be with nothing but the products, at the best speed seen on this machine. */
  readonly ratioOfProductsAlone: number;
}

export interface StepResult {
  readonly kernel: string;
  /** GFLOPS of a product of 1024 by 1024, the best of many. */
  readonly peak: number;
  readonly rows: readonly Row[];
  readonly limits: readonly Limit[];
}

interface Contestant {
  readonly name: string;
  readonly peer: 'Unroll' | 'PyTorch' | 'Keras' | 'tfjs-layers';
  readonly mode: string;
  readonly worker: Worker;
}

export interface StepOptions {
  readonly rounds: number;
  /** Only works whose name holds this. */
  readonly only: string | undefined;
}

/** Long enough for a steady figure, short enough for eleven works and seven contestants. */
const repetitionsOf = (work: StepWork): number => Math.round(Math.min(50, Math.max(3, 40 / gigaflops(work))));

/** Training steps on one core with one thread, in processes that take turns. */
export const measureSteps = async ({ rounds, only }: StepOptions): Promise<StepResult> => {
  const own = (what: string) => [process.execPath, process.argv[1] ?? '', '--serve', what];
  const start = (words: readonly string[]) => startWorker({ words, cores: '0', env: oneThread });
  const unroll = start(own('unroll'));
  const layers = start(own('layers'));
  const torch = start([pythonOf('torch'), join(peersFolder, 'torch_steps.py')]);
  const keras = start([pythonOf('keras'), join(peersFolder, 'keras_steps.py')]);
  const contestants: readonly Contestant[] = [
    { name: 'Unroll', peer: 'Unroll', mode: '', worker: unroll },
    { name: 'eager, default Adam', peer: 'PyTorch', mode: 'default', worker: torch },
    { name: 'eager, fused Adam', peer: 'PyTorch', mode: 'fused', worker: torch },
    { name: 'torch.compile, fused Adam', peer: 'PyTorch', mode: 'compiled', worker: torch },
    { name: 'compiled function', peer: 'Keras', mode: 'function', worker: keras },
    { name: 'XLA', peer: 'Keras', mode: 'xla', worker: keras },
    { name: 'tfjs-layers', peer: 'tfjs-layers', mode: '', worker: layers },
  ];
  const product = async (shape: readonly number[]) =>
    (await torch.ask<{ gflops: number }>({ do: 'product', shape })).gflops;

  const peak = await product([1024, 1024, 1024]);
  const rows: Row[] = [];
  const speeds: { work: StepWork; product: number; ours: Spread; theirs: Spread }[] = [];
  let kernel = '';
  for (const work of stepWorks.filter(({ name }) => only === undefined || name.includes(only))) {
    const entered = contestants.filter(({ peer }) => peer === 'Unroll' || work.goals[peer] !== undefined);
    const times = await alternate(entered, rounds, async ({ worker, mode, peer }) => {
      // tfjs-layers is several times slower than the others.
      const repetitions = peer === 'tfjs-layers' ? 3 : repetitionsOf(work);
      const request: StepRequest = { do: 'steps', work, mode, repetitions };
      const taken = await worker.ask<StepTimes>(request);
      kernel ||= taken.kernel ?? '';
      return median(taken.cpu);
    });
    const [ours] = times;
    if (!ours) continue;
    for (const [peer, goal] of Object.entries(work.goals)) {
      const ways = times.filter((_, index) => entered[index]?.peer === peer);
      const row = compareWithBest(ours, ways, { work: work.name, peer, unit: 'ms', goal });
      rows.push(row);
      say(
        `${row.work}: ${row.ours.median} ms, ${row.peer} ${row.theirs.median} ms, ratio ${row.ratio.median}`,
      );
      if (peer !== 'PyTorch') continue;
      const gates = work.model === 'gru' ? 3 : 4;
      const shape = [work.batch, work.features + work.hidden, gates * work.hidden];
      speeds.push({ work, product: await product(shape), ours: row.ours, theirs: row.theirs });
    }
  }
  await Promise.all([unroll, layers, torch, keras].map((worker) => worker.stop()));
  const fastest = Math.max(peak, ...speeds.map((speed) => speed.product));
  const limits = speeds
    .filter(({ work }) => !work.variableLength && !work.bidirectional)
    .map(({ work, product, ours, theirs }): Limit => ({
      work: work.name,
      gigaflops: spreadOf([gigaflops(work)]).median,
      unroll: spreadOf([(1000 * gigaflops(work)) / ours.median]).median,
      product: spreadOf([product]).median,
      ratioOfProductsAlone: spreadOf([(1000 * gigaflops(work)) / fastest / theirs.median]).median,
    }));
  return { kernel, peak: spreadOf([peak]).median, rows, limits };
};
