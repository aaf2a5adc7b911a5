import type { TrainerEvent } from '../record/events.ts';
import type { Done, StopReason, TrainRequest } from '../training/protocol.ts';

/** Where the runs of a sweep may train: in processes of this machine, on workers that share a Redis, or in Slurm jobs. */
export const executorNames = ['local', 'bullmq', 'slurm'] as const;

export type ExecutorName = (typeof executorNames)[number];

/**
 * Where and when runs train. Everything else is decided by the scheduler and the search above it, in one process, so that
 * a sweep decides the same on one machine and on many.
 */
export interface Executor {
  readonly name: ExecutorName;
  /** How many runs to ask for at once, given the concurrency of the plan. */
  readonly runsAtOnce: (concurrency: number) => number;
  /**
   * Trains a run. Whatever place trains it, the files are in `request.directory` when this resolves with `done`. The caller
   * holds the lock of that directory. Never rejects because a run failed.
   */
  readonly train: (request: TrainRequest, task: RunTask) => Promise<TrainResult>;
  /** Gets ready for this many runs. */
  readonly warm: (count: number) => void;
  /**
   * Shares this many threads among the active runs, the earliest first; none gets fewer than at its start. `atLeast` runs
   * get a share, those that have not begun included. Only for runs of this machine.
   */
  readonly shareThreads: (total: number, atLeast: number) => void;
  /** Asks every active run for an orderly end; an executor of other machines may leave them (`left`). */
  readonly stopAll: (reason: StopReason, graceMs: number) => void;
  /** Ends every active run at once; an executor of other machines may leave them (`left`). */
  readonly killAll: () => void;
  /**
   * Leaves active runs to the other machines that train them. One that has this is still asked to train runs after the user
   * has stopped the sweep: it queues them there, and leaves them, too.
   */
  readonly detach?: () => void;
  /** Takes back what is queued elsewhere and has not begun: no other run begins, and those that train go to their end. */
  readonly startNoMore?: () => void;
  /** How many runs can train at a time on all machines; where absent, the concurrency of the plan. */
  readonly slots?: () => number;
  /** Gives back what it holds. To be called when no run is active. */
  readonly close: () => Promise<void>;
}

/** Called while a run is trained. */
export interface RunTask {
  readonly timeoutMs: number | null;
  /** Another process, with this id, still writes the run. */
  readonly onWait: (pid: number) => void;
  /** The run begins in a process of this id, on another host where one is given. */
  readonly onStart: (pid: number, host?: string) => void;
  readonly onEvent: (event: TrainerEvent, residentBytes: number) => void;
  /** Aborted to end this run alone in order, with a checkpoint. */
  readonly stop?: AbortSignal;
  /** Aborted to end this run alone at once. */
  readonly kill?: AbortSignal;
}

/** How an attempt at a run ended: with a result, without one, or it was left to the place where it trains. */
export type TrainResult = Done | Exited | Left;

/** Its process exited without reporting a result. */
export interface Exited {
  readonly type: 'exited';
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it could not be started. */
  readonly error?: Error;
  /** True when we sent the signal. */
  readonly killedByUs: boolean;
  /** Why it was ended by us: it is of another version of Unroll than this process. */
  readonly refused?: string | undefined;
  /** The last lines the process wrote to its standard error. */
  readonly lastWords: string;
}

/** The run is queued or trains elsewhere, and this process no longer waits for it: nothing is recorded here. */
export interface Left {
  readonly type: 'left';
  /** Where it is, in a sentence. */
  readonly message: string;
}
