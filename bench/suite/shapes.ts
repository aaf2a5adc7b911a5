import { oneThread, say, startWorker, type Worker } from './processes.ts';
import { alternate, median, spreadOf, type Spread } from './statistics.ts';
import { gigaflops, lstm, type StepRequest, type StepTimes, type StepWork } from './step-work.ts';

/** One shape beside another one of our own. */
export interface ShapeRow {
  readonly work: string;
  readonly than: string;
  /** Milliseconds of a step. */
  readonly ours: Spread;
  readonly theirs: Spread;
  /** Of times, or of times for each useful operation, round by round. */
  readonly ratio: Spread;
  readonly goal: number;
}

export interface ShapesResult {
  /** For each useful operation, against the next multiple of 16 hidden units. */
  readonly sizes: readonly ShapeRow[];
  /** A step, against one of twice the rows. */
  readonly batches: readonly ShapeRow[];
  /** By the clock: two threads against one. */
  readonly threads: readonly ShapeRow[];
}

const sizes = [50, 65, 100, 130, 200, 300];
const fewRows = [1, 2, 4, 8];

const stacked: StepWork = { ...lstm(128, 256), name: 'two LSTM layers of 256, batch 128', layers: 2 };

interface Contestant {
  readonly name: string;
  readonly work: StepWork;
  readonly worker: Worker;
  readonly time: 'cpu' | 'wall';
}

/** Enough steps for a tenth of a second. */
const repetitionsOf = (work: StepWork): number =>
  Math.round(Math.min(60, Math.max(3, 5 / (gigaflops(work) * (work.layers ?? 1)))));

const compare = async (
  [ours, theirs]: readonly [Contestant, Contestant],
  rounds: number,
  { goal, perOperation }: { readonly goal: number; readonly perOperation: boolean },
): Promise<ShapeRow> => {
  const takeSteps = async ({ worker, work, time }: typeof ours): Promise<number> => {
    const request: StepRequest = { do: 'steps', work, mode: '', repetitions: repetitionsOf(work) };
    return median((await worker.ask<StepTimes>(request))[time]);
  };
  const measured = await alternate([ours, theirs], rounds, takeSteps, { warmUp: true });
  const [mine = [], other = []] = measured.map(({ values }) => values);
  const useful = perOperation ? gigaflops(ours.work) / gigaflops(theirs.work) : 1;
  const row = {
    work: ours.name,
    than: theirs.name,
    ours: spreadOf(mine),
    theirs: spreadOf(other),
    ratio: spreadOf(mine.map((value, round) => value / (other[round] ?? Number.NaN) / useful)),
    goal,
  };
  say(`${row.work}: ${row.ours.median} ms, ${row.than} ${row.theirs.median} ms, ratio ${row.ratio.median}`);
  return row;
};

/** Shapes that panels and tiles do not divide, few rows, and threads: Unroll beside itself. */
export const measureShapes = async (rounds: number): Promise<ShapesResult> => {
  const words = [process.execPath, process.argv[1] ?? '', '--serve', 'unroll'];
  const one = startWorker({ words, cores: '0', env: oneThread });
  const two = startWorker({
    words,
    cores: '0,1',
    env: { ...oneThread, TF_NUM_INTRAOP_THREADS: '2', OMP_NUM_THREADS: '2' },
  });
  const of = (work: StepWork): Contestant => ({ name: work.name, work, worker: one, time: 'cpu' });
  const result: { [Key in keyof ShapesResult]: ShapeRow[] } = { sizes: [], batches: [], threads: [] };
  for (const batch of [128, 32])
    for (const hidden of sizes) {
      const pair = [of(lstm(batch, hidden)), of(lstm(batch, Math.ceil(hidden / 16) * 16))] as const;
      result.sizes.push(await compare(pair, rounds, { goal: 1.5, perOperation: true }));
    }
  for (const hidden of [128, 256])
    for (const batch of fewRows) {
      const pair = [of(lstm(batch, hidden)), of(lstm(2 * batch, hidden))] as const;
      result.batches.push(await compare(pair, rounds, { goal: 1, perOperation: false }));
    }
  const by = (worker: Worker, threads: string): Contestant => ({
    name: `${stacked.name}, ${threads}`,
    work: stacked,
    worker,
    time: 'wall',
  });
  const pair = [by(two, 'two threads'), by(one, 'one thread')] as const;
  result.threads.push(await compare(pair, rounds, { goal: 0.6, perOperation: false }));
  await Promise.all([one.stop(), two.stop()]);
  return result;
};
