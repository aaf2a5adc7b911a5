import type { Job, Queue } from 'bullmq';
import { isWrongType } from './redis.ts';

/** A job of a queue; undefined if it is not there, `unreadable` if it is not as BullMQ writes one. */
export const queuedJob = async (queue: Queue, key: string): Promise<Job | 'unreadable' | undefined> => {
  try {
    return await queue.getJob(key);
  } catch (error) {
    if (isUnreadable(error)) return 'unreadable';
    throw error;
  }
};

/** Whether BullMQ could not read a job: it parses JSON and expects hashes. */
export const isUnreadable = (error: unknown): boolean =>
  error instanceof SyntaxError || error instanceof TypeError || isWrongType(error);
