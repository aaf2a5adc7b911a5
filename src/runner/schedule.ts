import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import PQueue from 'p-queue';
import type { Execution } from '../language/config.ts';
import type { Executor } from '../executor/executor.ts';
import { stopGraceMs } from '../executor/local/pool.ts';
import type { Plan, Run } from '../plan/plan.ts';
import type { FindWeights } from '../plan/starting-weights.ts';
import { startFileOf } from '../record/starting-weights.ts';
import { counted, formatDuration } from '../terminal/format.ts';
import type { OutcomeReason, RunListener, RunOutcome } from '../record/events.ts';
import { acquireLock, holderNote, type Lock } from '../system/lock.ts';
import { afterMs } from '../system/long-timer.ts';
import type { ProcessIdentity } from '../system/process-identity.ts';
import { interruptionOf, stopsEveryRun } from '../system/system-error.ts';
import { readStatus } from '../record/read-runs.ts';
import { fileNames, type HostEnvironment } from '../record/run-files.ts';
import { recordLoss, runDirectory } from '../record/run-recorder.ts';
import { outcomeOfExit } from '../executor/exit-reason.ts';
import { orderOfWork } from './estimate.ts';
import { isSettled, type RunStanding } from './select.ts';

/** What the scheduler is given besides the plan. */
export interface ScheduleOptions {
  readonly runsDirectory: string;
  readonly environment: Promise<HostEnvironment>;
  /** Where the runs train; it is closed with the schedule. */
  readonly executor: Executor;
  /** The kernel that a run trains with; the default of its process where undefined. */
  readonly kernelOf: (run: Run) => Promise<string | undefined>;
  /** Whether each run writes where its time went. */
  readonly profile: boolean;
  /** Where relative paths of the datasets start. */
  readonly baseDirectory: string;
  /** The folder with the code of the user's own entries; undefined without a config. */
  readonly bundle: string | undefined;
  /** Whether the record of a run is removed before it is trained. */
  readonly fromTheStart: boolean;
  readonly listener: RunListener;
  /** Brings a finished run from elsewhere into its directory, whose lock is held; returns whether it did. */
  readonly take?: ((run: Run) => Promise<boolean>) | undefined;
  /** Finds the weights that `train.from` names, for points that a search chooses. */
  readonly findWeights?: FindWeights | undefined;
  /** Aborted by the first Ctrl-C: running runs end in order, no other begins. */
  readonly stop: AbortSignal;
  /** Aborted by the second: everything ends at once. */
  readonly kill: AbortSignal;
}

/** How the runs ended. */
export interface Scheduled {
  readonly outcomes: Readonly<Record<string, RunOutcome>>;
  /** Ids of the runs that are not done only because the budget's time was over. */
  readonly outOfTime: ReadonlySet<string>;
}

/** Outcomes worth retrying. A NaN loss or a mistake in the data would only come back. */
const worthRetrying: readonly string[] = ['crashed', 'out-of-memory'];

/** Ends after which the sweep continues even if the spec stops on errors. */
const endedWell: ReadonlySet<OutcomeReason> = new Set<OutcomeReason>(['completed', 'pruned']);

/** How often the state of a run that another process trains is checked. */
const lookAgainMs = 250;

/** A run that another living process has taken. */
interface Held {
  readonly heldBy: ProcessIdentity;
}

interface HowToTrain {
  /** The step to stop at with a checkpoint; null trains to the end. */
  readonly pauseAt: number | null;
  /** Whether the record of the run is removed before it is trained. */
  readonly fromTheStart: boolean;
}

/** Trains runs one by one as they are asked for, as many at a time as the plan allows. */
export interface Scheduler {
  /** Starts the processes of as many runs, so that they load TensorFlow while the runner gets ready. */
  readonly warm: (runs: number) => void;
  /** Trains a run to its end, or up to a step; returns its outcome, or who holds it. Never rejects because a run failed. */
  readonly train: (standing: RunStanding, how: HowToTrain) => Promise<RunOutcome | Held>;
  /** Aborted once no other run will begin: after Ctrl-C, or after a failure if the spec stops on errors. */
  readonly noMore: AbortSignal;
  /** Aborted when the time of the budget is over. */
  readonly spent: AbortSignal;
  /** Ends the processes; to be called when no training is under way. */
  readonly close: () => Promise<void>;
}

export const createScheduler = ({ execution }: Plan, options: ScheduleOptions): Scheduler => {
  const { executor } = options;
  const runsAtOnce = executor.runsAtOnce(execution.concurrency);
  const queue = new PQueue({ concurrency: runsAtOnce });
  const failed = new AbortController();
  const budget = startBudget(execution, { executor, listener: options.listener });
  const noMore = AbortSignal.any([options.stop, options.kill, failed.signal, budget.spent]);
  const onStop = executor.detach ?? (() => executor.stopAll('interrupted', stopGraceMs));
  options.stop.addEventListener('abort', onStop);
  failed.signal.addEventListener('abort', () => executor.startNoMore?.());
  /** After Ctrl-C the rest of a sweep is queued on other machines. */
  const isQueued = () =>
    executor.detach !== undefined && !AbortSignal.any([options.kill, failed.signal, budget.spent]).aborted;
  options.kill.addEventListener('abort', () => executor.killAll());
  const idleCores = lendIdleCores(execution, { executor, queue });
  const train: Scheduler['train'] = (standing, how) =>
    queue.add(async () => {
      if (noMore.aborted && !isQueued()) return notStarted('the sweep was stopped before this run began');
      const outcome = await trainUnlessHeld(standing, { execution, options, ...how }).catch(
        (error: unknown) => {
          const unbegun = notBegun(error);
          const { id: runId } = standing.run;
          options.listener({
            type: 'run-ended',
            time: Date.now(),
            runId,
            outcome: unbegun,
            willRetry: false,
          });
          return unbegun;
        },
      );
      if ('heldBy' in outcome) return outcome;
      const stopHere = !endedWell.has(outcome.reason) && execution.onError === 'stop';
      if (stopHere || stopsEveryRun(outcome.systemError)) failed.abort();
      return outcome;
    });
  const close = async () => {
    budget.cancel();
    idleCores.cancel();
    await executor.close();
  };
  const warm = (runs: number) => executor.warm(Math.min(runsAtOnce, runs));
  return { warm, train, noMore, spent: budget.spent, close };
};

/**
 * Trains runs side by side, the longest first. A run that fails never harms another; its reason is in its
 * outcome. Other processes may train the same plan: what they hold is left to them, and taken up when they let go of it
 * undone. Resolves when every run has ended or was left out, and never rejects for a run's sake.
 */
export const scheduleRuns = async (
  plan: Plan,
  standings: readonly RunStanding[],
  options: ScheduleOptions,
): Promise<Scheduled> => {
  const scheduler = createScheduler(plan, options);
  scheduler.warm(standings.length);
  const { noMore, spent } = scheduler;
  const outcomes: Record<string, RunOutcome> = {};

  /** Trains what is free, and answers what others hold. */
  const trainFree = async (some: readonly RunStanding[]): Promise<readonly (RunStanding & Held)[]> => {
    const held: (RunStanding & Held)[] = [];
    await Promise.all(
      some.map(async (standing) => {
        const { run } = standing;
        const outcome = await scheduler.train(standing, {
          pauseAt: null,
          fromTheStart: options.fromTheStart,
        });
        if ('heldBy' in outcome) {
          held.push({ ...standing, ...outcome });
          outcomes[run.id] = notStarted(`${nameOf(outcome.heldBy)} is training this run`);
        } else outcomes[run.id] = outcome;
      }),
    );
    return held;
  };

  const { concurrency } = plan.execution;
  const execution = { ...plan.execution, concurrency: options.executor.slots?.() ?? concurrency };
  let held = await trainFree(await orderOfWork({ ...plan, execution }, standings, options));
  if (held.length > 0 && !noMore.aborted) options.listener(heldNote(held));
  while (held.length > 0 && !noMore.aborted) {
    await delay(lookAgainMs, undefined, { signal: noMore }).catch(() => undefined);
    held = await trainFree(held);
  }
  await scheduler.close();
  const unfinished = Object.entries(outcomes).filter(
    ([, { reason }]) => reason === 'not-started' || reason === 'interrupted',
  );
  const outOfTime = spent.aborted && !options.stop.aborted ? unfinished.map(([id]) => id) : [];
  return { outcomes, outOfTime: new Set(outOfTime) };
};

const notStarted = (message: string): RunOutcome => ({
  reason: 'not-started',
  message,
  step: 0,
  elapsedMs: 0,
  metrics: {},
});

/** A run that the operating system kept from beginning. */
const notBegun = (error: unknown): RunOutcome => {
  const trouble = interruptionOf(error);
  if (!trouble) throw error;
  const { code, message, advice } = trouble;
  return { ...notStarted(`${message}. ${advice}`), reason: 'interrupted', systemError: code };
};

const nameOf = ({ pid, host }: ProcessIdentity): string => `process ${pid} on ${host}`;

const heldNote = (held: readonly Held[]): Parameters<RunListener>[0] => {
  const holders = [...new Map(held.map(({ heldBy }) => [nameOf(heldBy), holderNote(heldBy)])).values()];
  const message =
    `${counted(held.length, 'run')} of this sweep ${held.length === 1 ? 'is' : 'are'} being trained by ${holders.join(', ')}. ` +
    'Waiting for the results, or to train what is left. Ctrl-C ends the waiting and does not touch that process.';
  return { type: 'note', level: 'warning', message };
};

interface Attempting extends HowToTrain {
  readonly execution: Execution;
  readonly options: ScheduleOptions;
}

const trainUnlessHeld = async (
  { run, attempt: known }: RunStanding,
  attempting: Attempting,
): Promise<RunOutcome | Held> => {
  const { execution, options } = attempting;
  const directory = runDirectory(options.runsDirectory, run);
  const lock = acquireLock(join(directory, fileNames.lock), { folder: dirname(directory) });
  if ('heldBy' in lock) return lock;
  try {
    const recorded = readStatus(directory);
    const canBeTaken = !attempting.fromTheStart && !(recorded && isSettled(recorded, directory));
    const isTaken = canBeTaken && (await options.take?.(run)) === true;
    const before = isTaken ? readStatus(directory) : recorded;
    const attempted = before?.attempt ?? 0;
    if (
      !attempting.fromTheStart &&
      before?.outcome &&
      (isTaken || attempted > known) &&
      isSettled(before, directory)
    ) {
      // It came from elsewhere, or another process has trained it since this one looked.
      const { outcome } = before;
      options.listener({ type: 'run-ended', time: Date.now(), runId: run.id, outcome, willRetry: false });
      return outcome;
    }
    for (let tried = 0; ; tried++) {
      const outcome = await trainOnce(run, {
        ...attempting,
        attempt: attempted + tried + 1,
        lock,
        fromTheStart: attempting.fromTheStart && tried === 0,
      });
      const stopped = options.stop.aborted || options.kill.aborted;
      const retryOn: readonly string[] = execution.retryOn ?? worthRetrying;
      const mayHelp = retryOn.includes(outcome.reason);
      const willRetry = mayHelp && tried < execution.retries && !stopped;
      options.listener({ type: 'run-ended', time: Date.now(), runId: run.id, outcome, willRetry });
      if (!willRetry) return outcome;
    }
  } finally {
    lock.release();
  }
};

interface Attempt extends Attempting {
  readonly lock: Lock;
  readonly attempt: number;
}

const trainOnce = async (
  run: Run,
  { execution, options, pauseAt, attempt, fromTheStart, lock }: Attempt,
): Promise<RunOutcome> => {
  const directory = runDirectory(options.runsDirectory, run);
  const startedAt = Date.now();
  const { executor, listener, baseDirectory, bundle, kill, profile } = options;
  const { threadsPerRun: threads, timeoutMs } = execution;
  let step = 0;
  const environment = await options.environment;
  const kernel = await options.kernelOf(run);
  const startFile = startFileOf(run, options);
  const result = await executor.train(
    {
      type: 'train',
      run,
      pauseAt,
      attempt,
      fromTheStart,
      directory,
      baseDirectory,
      environment,
      threads,
      ...(kernel !== undefined && { kernel }),
      profile,
      ...(bundle !== undefined && { bundle }),
      ...(startFile !== undefined && { startFile }),
    },
    {
      timeoutMs,
      onWait: (pid) =>
        listener({
          type: 'note',
          level: 'warning',
          message: `Run ${run.id} waits until process ${pid} has stopped: its command was killed, and it still finishes a step.`,
        }),
      onStart: (pid, host) =>
        listener({
          type: 'run-started',
          time: Date.now(),
          runId: run.id,
          pid,
          attempt,
          ...(host !== undefined && { host }),
        }),
      onEvent: (event, residentBytes) => {
        if (event.type === 'step-logged') step = event.step;
        if (event.type === 'record-distrusted')
          listener({ type: 'note', level: 'warning', message: `Run ${run.id}: ${event.message}.` });
        listener({ type: 'run-progressed', runId: run.id, event, residentBytes });
      },
    },
  );
  if (result.type === 'done') {
    // What kept the process from recording its end may have passed.
    if (result.outcome.systemError !== undefined && lock.isHeld())
      recordLoss(directory, run, { outcome: result.outcome, attempt });
    return result.outcome;
  }
  if (result.type === 'left') return notStarted(result.message);
  const outcome: RunOutcome = {
    ...outcomeOfExit(result, { killedByUser: kill.aborted, timeoutMs }),
    step,
    elapsedMs: Date.now() - startedAt,
    metrics: {},
  };
  if (lock.isHeld()) recordLoss(directory, run, { outcome, attempt });
  return outcome;
};

/** Ends the running runs with a checkpoint when the budget's time is over. */
const startBudget = (
  { budget }: Execution,
  { executor, listener }: { readonly executor: Executor; readonly listener: RunListener },
): { readonly spent: AbortSignal; readonly cancel: () => void } => {
  const over = new AbortController();
  const spent = over.signal;
  const timeMs = budget?.timeMs ?? null;
  if (timeMs === null) return { spent, cancel: () => undefined };
  const end = () => {
    const message = `The budget of ${formatDuration(timeMs)} is spent: running runs end with a checkpoint, no other begins.`;
    listener({ type: 'note', level: 'info', message });
    over.abort();
    executor.stopAll('interrupted', stopGraceMs);
  };
  const cancel = afterMs(timeMs, end);
  return { spent, cancel };
};

/** Where one run follows another, or a search decides what comes next, nothing is idle for as long as this. */
const lendAfterMs = 100;

/**
 * Lets runs compute on cores that would be idle, too: those that cannot be divided among the runs, and at the end of a
 * sweep those of the runs that have ended. No bit of a result depends on it: only kernels that give the same bits on any
 * number of threads take part.
 */
const lendIdleCores = (
  { concurrency, threadsPerRun, cores = concurrency * threadsPerRun }: Execution,
  { executor, queue }: { readonly executor: Executor; readonly queue: PQueue },
): { readonly cancel: () => void } => {
  let timer: NodeJS.Timeout | undefined;
  const lend = () => executor.shareThreads(cores, queue.size > 0 ? concurrency : 0);
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(lend, lendAfterMs).unref();
  };
  queue.on('active', soon).on('next', soon);
  return { cancel: () => clearTimeout(timer) };
};
