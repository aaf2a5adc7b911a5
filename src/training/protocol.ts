import { Type } from '@sinclair/typebox';
import type { SequenceShape } from '../data/dataset.ts';
import { runSchema } from '../plan/plan.ts';
import { runOutcomeSchema, trainerEventSchema } from '../record/events.ts';
import { hostEnvironmentSchema } from '../record/run-files.ts';
import { anyNumber, oneOf, parserOf, type Described } from '../system/schema.ts';

/**
 * What passes between the runner and a child process, both ways. A child trains one run at a time:
 *
 *     runner: train ─────────────▶ child
 *             ◀──── ready, waiting?, begun, events*, done   (or the process exits: the runner then writes the end)
 *     runner: measure ───────────▶ child          (between runs)
 *             ◀──── measured
 *     runner: stop ──────────────▶ child          (finish the step, write a checkpoint, done: interrupted)
 *     runner: threads ───────────▶ child          (compute on as many from the next step on)
 *
 * Both sides parse what they receive: when Unroll is updated while a sweep is active, its next child is of another version.
 */
const trainRequestSchema = Type.Object({
  type: Type.Literal('train'),
  run: runSchema,
  /** The step to pause at with a checkpoint, so that the sweep can decide; null trains to the end. */
  pauseAt: Type.Union([Type.Number(), Type.Null()]),
  attempt: Type.Number(),
  /** Whether the record of the run is removed first. */
  fromTheStart: Type.Boolean(),
  /** The run's own directory. */
  directory: Type.String(),
  /** Where relative paths of the dataset start. */
  baseDirectory: Type.String(),
  environment: hostEnvironmentSchema,
  threads: Type.Number(),
  /** The kernel that the plan was frozen with; absent if there was no choice. */
  kernel: Type.Optional(Type.String()),
  /** The folder with the code of the user's own entries; absent without a config. */
  bundle: Type.Optional(Type.String()),
  /** The file with the weights that the run starts from; absent where they are drawn. */
  startFile: Type.Optional(Type.String()),
  /** Whether to write `profile.json`. */
  profile: Type.Boolean(),
});

export type TrainRequest = Described<typeof trainRequestSchema>;

const measureRequestSchema = Type.Object({
  type: Type.Literal('measure'),
  /** `look`: what can run here; `kernels`: which one is the fastest; `threads`: steps beside other processes. */
  purpose: oneOf(['look', 'kernels', 'threads']),
  run: runSchema,
  shape: Type.Unsafe<SequenceShape>(
    Type.Object({
      steps: Type.Number(),
      input: Type.Object({ kind: Type.String() }),
      variableLength: Type.Boolean(),
      task: Type.Object({ kind: Type.String() }),
    }),
  ),
  /** Names, the default first; of these those that can run here are timed. */
  kernels: Type.Array(Type.String()),
  bundle: Type.Optional(Type.String()),
});

/** Asks how fast a run's training steps are in this process. */
export type MeasureRequest = Described<typeof measureRequestSchema>;

const measuredSchema = Type.Object({
  type: Type.Literal('measured'),
  /** Names of all kernels that can run in this process; none without native TensorFlow. */
  runnable: Type.Array(Type.String()),
  /** By kernel; empty if something went wrong. */
  msPerStep: Type.Record(Type.String(), anyNumber),
});

export type Measured = Described<typeof measuredSchema>;

const stopReason = oneOf(['interrupted', 'timed-out']);

/** Why a child must end its run early. */
export type StopReason = Described<typeof stopReason>;

const childRequestSchema = Type.Union([
  trainRequestSchema,
  measureRequestSchema,
  Type.Object({ type: Type.Literal('stop'), reason: stopReason }),
  /** More threads than the run was promised, while cores are idle, for what has the same bits on any number. */
  Type.Object({ type: Type.Literal('threads'), count: Type.Number() }),
  /** The process ends once it is idle. */
  Type.Object({ type: Type.Literal('exit') }),
]);

export type ChildRequest = Described<typeof childRequestSchema>;

export const parseChildRequest = parserOf(childRequestSchema);

const doneSchema = Type.Object({
  type: Type.Literal('done'),
  events: Type.Array(trainerEventSchema),
  outcome: runOutcomeSchema,
  residentBytes: Type.Number(),
});

/** The run has ended and its files are closed. `residentBytes` shows whether the process has grown. */
export type Done = Described<typeof doneSchema>;

const childResponseSchema = Type.Union([
  /** Sent once, when the child receives messages. */
  Type.Object({ type: Type.Literal('ready'), version: Type.String() }),
  /** Another process still writes the run's directory. */
  Type.Object({ type: Type.Literal('waiting'), pid: Type.Number() }),
  /** No other process writes the run's directory. */
  Type.Object({ type: Type.Literal('begun') }),
  measuredSchema,
  /** `residentBytes`: the memory that the process takes now. */
  Type.Object({
    type: Type.Literal('events'),
    events: Type.Array(trainerEventSchema),
    residentBytes: Type.Number(),
  }),
  doneSchema,
]);

export type ChildResponse = Described<typeof childResponseSchema>;

export const parseChildResponse = parserOf(childResponseSchema);
