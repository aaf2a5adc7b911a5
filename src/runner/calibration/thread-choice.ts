import type { Plan } from '../../plan/plan.ts';
import type { Kept } from './kept.ts';
import type { Work } from './work.ts';

/** How many threads a run gets, and how many runs train at once with them. */
export interface Arrangement {
  readonly threads: number;
  /** Processes that train side by side. */
  readonly side: number;
}

/** What must be compared before the threads of a run are settled: the arithmetic's arrangement first. */
export interface ThreadQuestion {
  /** The heaviest work of the plan. */
  readonly work: Work;
  /** Under which name the answer is kept. */
  readonly key: string;
  readonly arrangements: readonly Arrangement[];
}

/**
 * A plan of fewer operations, which train in about two minutes on two cores, keeps to the arithmetic: loading the
 * processes of another arrangement and measuring takes seconds. It follows from the plan alone.
 */
const worthMeasuringOperations = 1e13;

/** More processes than this are not started for a measurement. */
const mostProcesses = 32;

/**
 * What there is to measure of the threads of a plan whose spec leaves them to us: where runs are fewer than cores,
 * whether each makes use of its share; where they are more, whether fewer runs of two threads get more done.
 */
export const threadQuestion = (
  works: readonly Work[],
  { execution, runs: known, search }: Plan,
  { cores }: { readonly cores: number },
): ThreadQuestion | undefined => {
  const runs = Math.max(known.length, search?.points ?? 0);
  if (!execution.automatic || cores < 2) return undefined;
  const total = works.reduce((sum, { steps, operations }) => sum + steps * operations, 0);
  const [work] = [...works].sort((a, b) => b.operations - a.operations);
  if (!work || total < worthMeasuringOperations) return undefined;
  const { threadsPerRun: usual } = execution;
  const threads = runs < cores ? [usual, ...powersOfTwoBelow(usual)] : [1, 2];
  const arrangements = threads.map((count) => ({
    threads: count,
    side: Math.min(runs, Math.floor(cores / count)),
  }));
  const processes = arrangements.reduce((sum, { side }) => sum + side, 0);
  if (threads.length < 2 || processes > mostProcesses) return undefined;
  return { work, key: `${work.key}; ${runs < cores ? runs : 'many'} runs on ${cores} cores`, arrangements };
};

const powersOfTwoBelow = (bound: number): number[] =>
  [1, 2, 4, 8, 16].filter((count) => count < bound).reverse();

/** The answer that is kept of an earlier measurement. */
export const keptThreads = ({ key, arrangements }: ThreadQuestion, kept: Kept): number | undefined => {
  const threads = kept.threads[key]?.threads;
  return arrangements.some((one) => one.threads === threads) ? threads : undefined;
};
