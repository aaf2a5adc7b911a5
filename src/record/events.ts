import { Type } from '@sinclair/typebox';
import { anyNumber, oneOf, type Described } from '../system/schema.ts';
import type { Run } from '../plan/plan.ts';

const metricsSchema = Type.Record(Type.String(), anyNumber);

/** Named numbers at one step: `train/loss`, `test/accuracy`. NaN and infinities are allowed. */
export type Metrics = Described<typeof metricsSchema>;

/** Why a run ended. The first cause wins. */
export const outcomeReasons = [
  /** Every step was done and the end evaluation is recorded. */
  'completed',
  /** The sweep's pruning let it go no further (so far): a checkpoint is kept. */
  'pruned',
  /** Loss or weights became NaN or infinite. */
  'diverged',
  /** The run's own code or data reported an error. */
  'failed',
  /** The process died of a signal, or with an exit code, for no known reason. */
  'crashed',
  /** The process was killed for memory, or an allocation failed. */
  'out-of-memory',
  'timed-out',
  /** Ctrl-C: a checkpoint is written where there was a step to keep. */
  'interrupted',
  /** Killed by the second Ctrl-C. */
  'killed',
  /** Never begun, because the sweep stopped first. */
  'not-started',
] as const;

export type OutcomeReason = (typeof outcomeReasons)[number];

export const runOutcomeSchema = Type.Object({
  reason: oneOf(outcomeReasons),
  /** One sentence for people. */
  message: Type.String(),
  /** Steps that are recorded. */
  step: Type.Number(),
  /** Milliseconds of training in this process. */
  elapsedMs: Type.Number(),
  /**
   * Of a completed run the step whose weights it keeps: the last one, or that of the best evaluation where the spec
   * restores it. Runs recorded by earlier versions may lack it.
   */
  keptStep: Type.Optional(Type.Number()),
  /**
   * The value of each metric: of a completed run that of the weights it keeps, otherwise the last one recorded. Of `train`
   * it is that of the last minibatch recorded up to `keptStep`.
   */
  metrics: metricsSchema,
  /** The code of the operating system's error that interrupted it, such as `ENOSPC`. */
  systemError: Type.Optional(Type.String()),
});

/** How a run ended. */
export type RunOutcome = Described<typeof runOutcomeSchema>;

const time = Type.Number();

export const trainerEventSchema = Type.Union([
  Type.Object({
    type: Type.Literal('training-started'),
    time,
    backend: Type.String(),
    kernel: Type.String(),
    parameterCount: Type.Number(),
    totalSteps: Type.Number(),
    /** 0, or the step of the checkpoint that the run resumes from. */
    fromStep: Type.Number(),
  }),
  /** A recorded file is damaged or was changed, and is not used. `message` names it, and what happens instead. */
  Type.Object({ type: Type.Literal('record-distrusted'), time, message: Type.String() }),
  Type.Object({
    type: Type.Literal('step-logged'),
    time,
    step: Type.Number(),
    examples: Type.Number(),
    metrics: metricsSchema,
  }),
  Type.Object({ type: Type.Literal('evaluated'), time, step: Type.Number(), metrics: metricsSchema }),
  Type.Object({ type: Type.Literal('checkpoint-written'), time, step: Type.Number() }),
  Type.Object({ type: Type.Literal('training-ended'), time, outcome: runOutcomeSchema }),
]);

/** What a trainer reports, in the order it happens. Times are integer milliseconds since 1970. */
export type TrainerEvent = Described<typeof trainerEventSchema>;

/** What the runner reports about a whole sweep, and its only output. Console, run directories and MLflow are listeners. */
export type RunEvent =
  | {
      readonly type: 'sweep-started';
      readonly time: number;
      readonly runCount: number;
      readonly toRun: number;
      /** Ids of the runs that need no training, because they ended before. */
      readonly endedBefore: readonly string[];
      /** Runs that the search had added to its plan before. */
      readonly addedBefore?: readonly Run[];
      /** How the runs that need no training ended, by id. */
      readonly outcomesBefore?: Readonly<Record<string, RunOutcome>>;
      readonly concurrency: number;
      readonly threadsPerRun: number;
    }
  /** How long the runs to train are beside one another, by id, in no unit; sent if some have to wait. */
  | { readonly type: 'work-estimated'; readonly work: Readonly<Record<string, number>> }
  /** The sweep has chosen further points: these runs belong to its plan from now on. */
  | { readonly type: 'runs-added'; readonly time: number; readonly runs: readonly Run[] }
  | {
      readonly type: 'run-started';
      readonly time: number;
      readonly runId: string;
      readonly pid: number;
      readonly attempt: number;
      /** The other host that trains it. */
      readonly host?: string;
    }
  /** The hosts that train runs of the sweep, those that were lost included. */
  | { readonly type: 'hosts-changed'; readonly hosts: readonly TrainingHost[] }
  | {
      readonly type: 'run-progressed';
      readonly runId: string;
      readonly event: TrainerEvent;
      /** What the run's process takes of the memory. */
      readonly residentBytes: number;
    }
  | {
      readonly type: 'run-ended';
      readonly time: number;
      readonly runId: string;
      readonly outcome: RunOutcome;
      readonly willRetry: boolean;
    }
  | { readonly type: 'note'; readonly level: 'info' | 'warning'; readonly message: string }
  | {
      readonly type: 'sweep-ended';
      readonly time: number;
      readonly outcomes: Readonly<Record<string, RunOutcome>>;
    };

/** A host that trains runs. */
export interface TrainingHost {
  readonly host: string;
  /** Runs that it can train at a time. */
  readonly slots: number;
  readonly busy: number;
  readonly isLost: boolean;
}

export type RunListener = (event: RunEvent) => void;
