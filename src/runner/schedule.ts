import { join } from 'node:path';
import PQueue from 'p-queue';
import type { Execution, Plan, Run } from '../spec/plan.ts';
import type { OutcomeReason, RunListener, RunOutcome } from '../tracking/events.ts';
import { readJson } from '../tracking/files.ts';
import { acquireLock } from '../tracking/lock.ts';
import { fileNames, type StatusFile } from '../tracking/run-files.ts';
import { recordLoss, runDirectory } from '../tracking/run-recorder.ts';
import { outcomeOfExit } from './exit-reason.ts';
import type { HostEnvironment } from './environment.ts';
import { createPool, type Pool } from './pool/pool.ts';

/** What the scheduler is given besides the plan. */
export interface ScheduleOptions {
  readonly runsDirectory: string;
  readonly environment: HostEnvironment;
  /** Where relative paths of the datasets start. */
  readonly baseDirectory: string;
  readonly listener: RunListener;
  /** Aborted by the first Ctrl-C: running runs end in order, no other begins. */
  readonly stop: AbortSignal;
  /** Aborted by the second: everything ends at once. */
  readonly kill: AbortSignal;
}

export type Outcomes = Readonly<Record<string, RunOutcome>>;

/** What may go better at another try. A NaN loss or a mistake in the data comes back every time. */
const worthRetrying: ReadonlySet<OutcomeReason> = new Set<OutcomeReason>(['crashed', 'out-of-memory']);

/** After the first Ctrl-C: a step of the largest networks and a checkpoint fit in this. */
const stopGraceMs = 60_000;

/**
 * Trains runs side by side, in the order of the plan. A run that fails never harms another; its reason is in its
 * outcome. Resolves when every run has ended or was left out, and never rejects for a run's sake.
 */
export const scheduleRuns = async (
  plan: Plan,
  runs: readonly Run[],
  options: ScheduleOptions,
): Promise<Outcomes> => {
  const { execution } = plan;
  const pool = createPool(execution.threadsPerRun);
  const queue = new PQueue({ concurrency: execution.concurrency });
  const outcomes: Record<string, RunOutcome> = {};
  const failed = new AbortController();
  const noMore = AbortSignal.any([options.stop, options.kill, failed.signal]);
  options.stop.addEventListener('abort', () => pool.stopAll('interrupted', stopGraceMs));
  options.kill.addEventListener('abort', () => pool.killAll());

  await Promise.all(
    runs.map((run) =>
      queue.add(async () => {
        const outcome = noMore.aborted
          ? notStarted(noMore)
          : await trainWithRetries(run, { execution, pool, options });
        outcomes[run.id] = outcome;
        if (outcome.reason !== 'completed' && execution.onError === 'stop') failed.abort();
      }),
    ),
  );
  await pool.close();
  return outcomes;
};

const notStarted = (signal: AbortSignal): RunOutcome => ({
  reason: 'not-started',
  message: signal.aborted ? 'the sweep was stopped before this run began' : 'never begun',
  step: 0,
  elapsedMs: 0,
  metrics: {},
});

interface Attempting {
  readonly execution: Execution;
  readonly pool: Pool;
  readonly options: ScheduleOptions;
}

const trainWithRetries = async (run: Run, { execution, pool, options }: Attempting): Promise<RunOutcome> => {
  const directory = runDirectory(options.runsDirectory, run);
  const lock = acquireLock(join(directory, 'lock'));
  if ('heldBy' in lock) {
    return {
      ...notStarted(options.stop),
      message: `process ${lock.heldBy.pid} on ${lock.heldBy.host} is training this run`,
    };
  }
  try {
    const before = readJson<StatusFile>(join(directory, fileNames.status));
    for (let tried = 0; ; tried++) {
      const attempt = (before?.attempt ?? 0) + tried + 1;
      const outcome = await trainOnce(run, attempt, { execution, pool, options });
      const stopped = options.stop.aborted || options.kill.aborted;
      const willRetry = worthRetrying.has(outcome.reason) && tried < execution.retries && !stopped;
      options.listener({ type: 'run-ended', time: Date.now(), runId: run.id, outcome, willRetry });
      if (!willRetry) return outcome;
    }
  } finally {
    lock.release();
  }
};

const trainOnce = async (
  run: Run,
  attempt: number,
  { execution, pool, options }: Attempting,
): Promise<RunOutcome> => {
  const directory = runDirectory(options.runsDirectory, run);
  const startedAt = Date.now();
  const { listener, environment, baseDirectory, kill } = options;
  let step = 0;
  const result = await pool.train(
    { type: 'train', run, attempt, directory, baseDirectory, environment, threads: execution.threadsPerRun },
    {
      timeoutMs: execution.timeoutMs,
      onStart: (pid) => listener({ type: 'run-started', time: Date.now(), runId: run.id, pid, attempt }),
      onEvent: (event) => {
        if (event.type === 'step-logged') step = event.step;
        listener({ type: 'run-progressed', runId: run.id, event });
      },
    },
  );
  if (result.type === 'done') return result.outcome;
  const outcome: RunOutcome = {
    ...outcomeOfExit(result, { killedByUser: kill.aborted, timeoutMs: execution.timeoutMs }),
    step,
    elapsedMs: Date.now() - startedAt,
    metrics: {},
  };
  recordLoss(directory, outcome, attempt);
  return outcome;
};
