import type { Queue } from 'bullmq';
import type { RunOutcome } from '../../record/events.ts';
import type { TrainResult } from '../executor.ts';
import { fromText, parseResult, type JobResult, type Progress } from './protocol.ts';
import { queuedJob } from './queued-job.ts';

/** How a job ended, as its events or its state show. */
export type End =
  | { readonly type: 'completed'; readonly value: unknown }
  | { readonly type: 'failed'; readonly reason: string }
  /** Redis does not have the job. */
  | { readonly type: 'gone' }
  | { readonly type: 'left'; readonly message: string };

export const unreadableReason = 'Redis has a job in its place that BullMQ cannot read';

/** How a job has ended; undefined while it has not. */
export const endOfJob = async (queue: Queue, key: string): Promise<End | undefined> => {
  const job = await queuedJob(queue, key);
  if (!job) return { type: 'gone' };
  if (job === 'unreadable') return { type: 'failed', reason: unreadableReason };
  if (job.finishedOn === undefined) return undefined;
  return job.failedReason
    ? { type: 'failed', reason: job.failedReason }
    : { type: 'completed', value: job.returnvalue };
};

/** Where BullMQ lists the jobs that have not ended. */
const listed = ['wait', 'prioritized', 'delayed', 'active', 'waiting-children'] as const;

/** Whether a queue has no job that waits or is trained. */
export const isEmpty = async (queue: Queue): Promise<boolean> =>
  (await queue.getJobCountByTypes(...listed)) === 0;

/** Ended in order, with a checkpoint, and not because of the system. */
export const isInterrupted = (result: TrainResult | 'again'): boolean =>
  result !== 'again' &&
  result.type === 'done' &&
  result.outcome.reason === 'interrupted' &&
  result.outcome.systemError === undefined;

export const resultOf = (value: unknown): JobResult | undefined =>
  typeof value === 'string' ? parseResult(fromText(value)) : undefined;

/** What a worker had not reported before the end of a run. */
export const reportOf = (end: End): Progress | undefined =>
  end.type === 'completed' ? resultOf(end.value)?.report : undefined;

export const done = (outcome: RunOutcome): TrainResult => ({
  type: 'done',
  events: [],
  outcome,
  residentBytes: 0,
});

export const exited = (lastWords: string): TrainResult => ({
  type: 'exited',
  code: 1,
  signal: null,
  killedByUs: false,
  lastWords,
});
