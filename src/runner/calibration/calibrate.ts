import PQueue from 'p-queue';
import type { Execution } from '../../language/config.ts';
import type { Plan, Run } from '../../plan/plan.ts';
import { expectedKernels } from '../../tensorflow/expected-kernels.ts';
import { counted } from '../../terminal/format.ts';
import type { RunListener } from '../../record/events.ts';
import { coreCount } from '../../record/environment.ts';
import { frozenExecution, withThreads } from '../../record/frozen-plan.ts';
import { createPool, type Pool } from '../../executor/local/pool.ts';
import type { MeasureRequest, Measured } from '../../training/protocol.ts';
import { chooseKernelOf, fastest, keptKey, type Settled } from './kernel-choice.ts';
import { keep, readKept, type Kept } from './kept.ts';
import { keptThreads, threadQuestion, type Arrangement, type ThreadQuestion } from './thread-choice.ts';
import { worksOf, type Work } from './work.ts';

export interface CalibrationOptions {
  readonly runsDirectory: string;
  /** The folder with the code of the user's own entries; undefined without a config. */
  readonly bundle: string | undefined;
  /** How many runs will be trained. */
  readonly toTrain: number;
  /** Whether they will be trained in processes of this machine. */
  readonly trainsHere: boolean;
  /** Whether processes may compute here, to measure: not on the login node of a cluster, which many share. */
  readonly mayMeasure: boolean;
  readonly listener: RunListener;
  readonly stop: AbortSignal;
  readonly kill: AbortSignal;
}

/** A plan whose threads and kernels are settled, and the processes that settled them, ready to train. */
export interface Calibrated {
  readonly plan: Plan;
  readonly pool: Pool;
}

/**
 * Settles with how many threads a plan's runs train, and with which kernel each kind of work: as the frozen plan has it,
 * else as was measured earlier on this machine, else by a measurement where the plan is worth one. What comes of it is
 * frozen with the plan, because it decides the last bits of the numbers.
 */
export const calibrate = async (plan: Plan, options: CalibrationOptions): Promise<Calibrated> => {
  const frozen = frozenExecution(plan, options.runsDirectory);
  if (options.toTrain === 0) {
    const execution = withThreads(plan.execution, (frozen ?? plan.execution).threadsPerRun);
    return { plan: { ...plan, execution }, pool: poolOf(execution.threadsPerRun, options) };
  }
  const works = await worksOf(plan.runs, plan);
  const { execution, pool } = await settleThreads(plan, { frozen, works, options });
  // All load TensorFlow while the first is asked.
  if (options.trainsHere) pool.warm(Math.min(execution.concurrency, options.toTrain));
  const kill = () => pool.killAll();
  options.kill.addEventListener('abort', kill);
  const kernels = await settleKernels(works, { execution, pool, options });
  options.kill.removeEventListener('abort', kill);
  return { plan: { ...plan, execution: { ...execution, kernels } }, pool };
};

const poolOf = (threads: number, { bundle }: CalibrationOptions): Pool =>
  createPool({ threads, ownCode: bundle !== undefined });

interface Calibrating {
  readonly options: CalibrationOptions;
}

const settleThreads = async (
  plan: Plan,
  {
    frozen,
    works,
    options,
  }: Calibrating & { readonly frozen: Execution | undefined; readonly works: readonly Work[] },
): Promise<{ readonly execution: Execution; readonly pool: Pool }> => {
  const { execution } = plan;
  const settled = (threads: number, pool = poolOf(threads, options)) => ({
    execution: { ...withThreads(execution, threads), ...(frozen?.kernels && { kernels: frozen.kernels }) },
    pool,
  });
  if (frozen) return settled(frozen.threadsPerRun);
  const question = threadQuestion(works, plan, { cores: coreCount() });
  if (!question) return settled(execution.threadsPerRun);
  const known = keptThreads(question, readKept());
  if (known !== undefined) return settled(known);
  if (!options.mayMeasure) return settled(execution.threadsPerRun);
  options.listener(note(`measuring once whether runs of ${threadWords(question)} get more done`));
  const { threads, pool } = await measureThreads(question, options);
  return settled(threads, pool);
};

const note = (message: string) => ({ type: 'note', level: 'info', message }) as const;

const warning =
  ({ listener }: CalibrationOptions) =>
  (message: string): void =>
    listener({ type: 'note', level: 'warning', message });

const threadWords = ({ arrangements }: ThreadQuestion): string =>
  arrangements.map(({ threads }) => counted(threads, 'thread')).join(' or ');

/** Compares arrangements in processes that train side by side as the runs will, in turns. */
const measureThreads = async (
  { work, key, arrangements }: ThreadQuestion,
  options: CalibrationOptions,
): Promise<{ readonly threads: number; readonly pool: Pool }> => {
  const [usual] = arrangements as readonly [Arrangement, ...Arrangement[]];
  const pools = new Map(arrangements.map(({ threads }) => [threads, poolOf(threads, options)]));
  const kill = () => pools.forEach((pool) => pool.killAll());
  options.kill.addEventListener('abort', kill);
  const side = async ({ threads, side: count }: Arrangement, purpose: MeasureRequest['purpose']) => {
    const pool = pools.get(threads);
    const request = requestFor(work, { purpose, kernels: expected(work).slice(0, 1), options });
    const found = await Promise.all(Array.from({ length: count }, async () => await pool?.measure(request)));
    return found.reduce((sum, one) => sum + 1000 / (Object.values(one?.msPerStep ?? {})[0] ?? Infinity), 0);
  };
  // All are loaded before the first is timed.
  await Promise.all(arrangements.map((one) => side(one, 'look')));
  const most = new Map<number, number>();
  for (let turn = 0; turn < threadTurns; turn++) {
    for (const one of arrangements) {
      if (options.stop.aborted) break;
      most.set(one.threads, Math.max(most.get(one.threads) ?? 0, await side(one, 'threads')));
    }
  }
  options.kill.removeEventListener('abort', kill);
  const msPerStep = Object.fromEntries([...most].map(([threads, rate]) => [String(threads), 1000 / rate]));
  const isWhole = !options.stop.aborted && [...most.values()].every((rate) => rate > 0);
  let threads = isWhole
    ? Number(
        fastest(
          arrangements.map((one) => String(one.threads)),
          msPerStep,
        ),
      )
    : usual.threads;
  if (isWhole) {
    const stepsPerSecond = Object.fromEntries(most);
    threads =
      keep({ threads: { [key]: { threads, stepsPerSecond } } }, warning(options)).threads[key]?.threads ??
      threads;
  }
  const chosen = pools.get(threads) ?? poolOf(threads, options);
  await Promise.all([...pools.values()].filter((pool) => pool !== chosen).map((pool) => pool.close()));
  return { threads, pool: chosen };
};

/** How often each arrangement is timed. */
const threadTurns = 2;

const expected = ({ kernels }: Work): readonly string[] => {
  const names = expectedKernels();
  return kernels.filter((name) => names.includes(name));
};

const requestFor = (
  { runs, shape }: Work,
  { purpose, kernels, options }: Calibrating & Pick<MeasureRequest, 'purpose' | 'kernels'>,
): MeasureRequest => {
  const [run] = runs as readonly [Run];
  const { bundle } = options;
  return { type: 'measure', purpose, run, shape, kernels, ...(bundle !== undefined && { bundle }) };
};

interface Settling extends Calibrating {
  readonly execution: Execution;
  readonly pool: Pool;
}

/** The kernel of each work that has a choice, by its key. */
const settleKernels = async (
  works: readonly Work[],
  settling: Settling,
): Promise<NonNullable<Execution['kernels']>> => {
  const { execution, options } = settling;
  const kernels: Record<string, string> = { ...execution.kernels };
  const open = works.filter((work) => kernels[work.key] === undefined && work.kernels.length > 1);
  if (open.length === 0 || expectedKernels().length === 0) return kernels;
  const settled = await lookAround(open, settling);
  const toMeasure: Work[] = [];
  for (const work of open) {
    const choice = chooseKernelOf(work, settled);
    if (choice.how === 'measure' && options.mayMeasure) toMeasure.push(work);
    else if (choice.how === 'measure') kernels[work.key] = choice.kernels[0];
    else if (choice.how !== 'free') kernels[work.key] = choice.kernel;
  }
  if (toMeasure.length === 0) return kernels;
  options.listener(
    note(`measuring once which kernel is the fastest for ${counted(toMeasure.length, 'kind')} of work`),
  );
  const queue = new PQueue({ concurrency: execution.concurrency });
  await queue.addAll(
    toMeasure.map((work) => async () => {
      if (!options.stop.aborted) kernels[work.key] = await measureKernels(work, { ...settling, settled });
    }),
  );
  return kernels;
};

/** What is kept of this machine, and which kernels run here: asked of a process unless that is kept, too. */
const lookAround = async (
  [work]: readonly Work[],
  { execution, pool, options }: Settling,
): Promise<Settled> => {
  const kept: Kept = readKept();
  if (kept.runnable || !work) return { execution, kept, runnable: kept.runnable ?? [] };
  if (!options.mayMeasure) return { execution, kept, runnable: expectedKernels() };
  const found = await pool.measure(requestFor(work, { purpose: 'look', kernels: [], options }));
  const runnable = found?.runnable ?? [];
  // A process without native TensorFlow, or one that died, does not predict the next one.
  return { execution, kept: runnable.length > 0 ? keep({ runnable }, warning(options)) : kept, runnable };
};

const measureKernels = async (
  work: Work,
  { execution, pool, options, settled }: Settling & { readonly settled: Settled },
): Promise<string> => {
  const kernels = work.kernels.filter((name) => settled.runnable.includes(name));
  const found: Measured | undefined = await pool.measure(
    requestFor(work, { purpose: 'kernels', kernels, options }),
  );
  const [usual = ''] = kernels;
  // Not kept: the process died, or had no memory for one of them.
  if (!found || Object.keys(found.msPerStep).length < kernels.length) return usual;
  const { msPerStep } = found;
  const key = keptKey(work, execution);
  const kept = keep(
    { kernels: { [key]: { kernel: fastest(kernels, msPerStep), msPerStep } } },
    warning(options),
  );
  return kept.kernels[key]?.kernel ?? usual;
};
