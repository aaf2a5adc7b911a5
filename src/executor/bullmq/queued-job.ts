import type { Job, Queue } from 'bullmq';

/** A job of a queue; undefined if it is not there, `unreadable` if it is not as BullMQ writes one. */
export const queuedJob = async (queue: Queue, key: string): Promise<Job | 'unreadable' | undefined> => {
  try {
    return await queue.getJob(key);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return 'unreadable';
    throw error;
  }
};
