import { unreachable } from '../diagnostic/diagnostic.ts';
import type { Run } from '../plan/plan.ts';
import { join } from 'node:path';
import { isHolding } from '../system/lock.ts';
import type { Metrics, OutcomeReason } from './events.ts';
import { fileNames, type StatusFile } from './run-files.ts';

/** A run as it is recorded in its directory, without the history of its metrics. */
export interface RecordedRun {
  readonly directory: string;
  readonly run: Run;
  /** Null before the first attempt. */
  readonly status: StatusFile | null;
  readonly state: RunState;
  /** One sentence about the state; empty when there is nothing to add. */
  readonly reason: string;
  /** The values of the weights that it keeps; before the end of the training the last ones; empty while it runs. */
  readonly metrics: Metrics;
}

/** How people speak of a run: the few states that tables show and `plan` counts. */
export type RunState =
  /** Nothing is trained yet. */
  | 'new'
  /** A living process trains it. */
  | 'running'
  /** Every step is done and the end evaluation is recorded. */
  | 'done'
  /** Its sweep gave its steps to better runs; it resumes from its checkpoint once it is promoted. */
  | 'pruned'
  /** It failed by itself: a retry may or may not help. */
  | 'failed'
  /** It was stopped from outside, or its process is gone: `unroll resume` continues it. */
  | 'interrupted'
  /** Done with other data or other code than today's: it would not come out the same again. */
  | 'stale';

/** States in the order in which people want to see them counted. */
export const runStates = [
  'done',
  'running',
  'pruned',
  'failed',
  'interrupted',
  'stale',
  'new',
] as const satisfies RunState[];

/** What a run's end means to people. */
export const stateOfReason = (reason: OutcomeReason): RunState => {
  switch (reason) {
    case 'completed':
      return 'done';
    case 'pruned':
      return 'pruned';
    case 'diverged':
    case 'failed':
    case 'crashed':
    case 'out-of-memory':
    case 'timed-out':
      return 'failed';
    case 'interrupted':
    case 'killed':
      return 'interrupted';
    case 'not-started':
      return 'new';
    default:
      return unreachable(reason);
  }
};

/** The state of a run with this status file, or without one. `running` is believed only while its process lives. */
export const stateOf = (status: StatusFile | null, directory: string): RunState => {
  if (!status) return 'new';
  if (status.state === 'ended') return status.outcome ? stateOfReason(status.outcome.reason) : 'interrupted';
  return status.holder && isTraining(directory, status.holder) ? 'running' : 'interrupted';
};

const isTraining = (directory: string, holder: NonNullable<StatusFile['holder']>): boolean =>
  isHolding(join(directory, fileNames.writer), holder);

/** Why a run is in its state, in one sentence; empty when there is nothing to add. */
export const reasonOf = (status: StatusFile | null, directory: string): string => {
  if (!status) return '';
  if (status.outcome) return status.outcome.reason === 'completed' ? '' : status.outcome.message;
  if (status.state === 'ended') return 'It ended without saying why.';
  const holder = status.holder;
  if (!holder) return 'No process is recorded as training it.';
  return isTraining(directory, holder)
    ? `Process ${holder.pid} on ${holder.host} trains it.`
    : `Process ${holder.pid} exited without reporting a result.`;
};

/** The words of the command that trains what is left of an experiment or sweep. What failed is trained again only when asked. */
export const resumeWords = (what: string, state: RunState): readonly string[] => [
  ...['resume', what],
  ...(state === 'failed' ? ['--retry-failed'] : []),
];
