import type { SequenceShape } from '../data/dataset.ts';
import type { Run } from '../plan/plan.ts';
import type { HostEnvironment } from '../record/environment.ts';
import type { RunOutcome, TrainerEvent } from '../record/events.ts';

/**
 * What passes between the runner and a child process, both ways. A child trains one run at a time:
 *
 *     runner: train ─────────────▶ child
 *             ◀──── ready, waiting?, begun, events*, done   (or the process exits: the runner then writes the end)
 *     runner: measure ───────────▶ child          (between runs)
 *             ◀──── measured
 *     runner: stop ──────────────▶ child          (finish the step, write a checkpoint, done: interrupted)
 *     runner: threads ───────────▶ child          (compute on as many from the next step on)
 */
export interface TrainRequest {
  readonly type: 'train';
  readonly run: Run;
  /** The step to stop at with a checkpoint, where the sweep then decides; null trains to the end. */
  readonly pauseAt: number | null;
  readonly attempt: number;
  /** Whether what is recorded of the run is removed first. */
  readonly fromTheStart: boolean;
  /** The run's own directory. */
  readonly directory: string;
  /** Where relative paths of the dataset start. */
  readonly baseDirectory: string;
  readonly environment: HostEnvironment;
  readonly threads: number;
  /** The kernel that the plan was frozen with; absent where there was no choice. */
  readonly kernel?: string;
  /** The folder with the code of the user's own entries; absent without a config. */
  readonly bundle?: string;
  /** Whether to write where the time went, as `profile.json`. */
  readonly profile: boolean;
}

/** Asks how fast a run's training steps are in this process. */
export interface MeasureRequest {
  readonly type: 'measure';
  /** `look`: what can run here; `kernels`: which one is the fastest; `threads`: steps beside other processes. */
  readonly purpose: 'look' | 'kernels' | 'threads';
  readonly run: Run;
  readonly shape: SequenceShape;
  /** Names, the default first; of these those that can run here are timed. */
  readonly kernels: readonly string[];
  readonly bundle?: string;
}

export interface Measured {
  readonly type: 'measured';
  /** Names of all kernels that can run in this process; none without native TensorFlow. */
  readonly runnable: readonly string[];
  /** By kernel; empty where something went wrong. */
  readonly msPerStep: Readonly<Record<string, number>>;
}

/** Why a child is asked to end its run early. */
export type StopReason = 'interrupted' | 'timed-out';

export type ChildRequest =
  | TrainRequest
  | MeasureRequest
  | { readonly type: 'stop'; readonly reason: StopReason }
  /** More threads than the run was promised where cores would be idle, for what has the same bits on any number. */
  | { readonly type: 'threads'; readonly count: number }
  /** The process ends once it is idle. */
  | { readonly type: 'exit' };

export type ChildResponse =
  /** Sent once, when messages are listened to. */
  | { readonly type: 'ready' }
  /** Another process still writes the run's directory. */
  | { readonly type: 'waiting'; readonly pid: number }
  /** No other process writes the run's directory. */
  | { readonly type: 'begun' }
  | Measured
  /** `residentBytes`: what the process takes of the memory now. */
  | { readonly type: 'events'; readonly events: readonly TrainerEvent[]; readonly residentBytes: number }
  /** The run has ended and its files are closed. `residentBytes` shows whether the process has grown. */
  | {
      readonly type: 'done';
      readonly events: readonly TrainerEvent[];
      readonly outcome: RunOutcome;
      readonly residentBytes: number;
    };
