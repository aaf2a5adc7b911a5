import type { Queue } from 'bullmq';
import { isObject } from '../../system/json.ts';
import { isJobKey } from './bring-files.ts';
import { keptSeconds } from './file-transfer.ts';
import { isQueueName, keys } from './protocol.ts';
import { queuedJob } from './queued-job.ts';
import { allDone, prefix, type RedisServer } from './redis.ts';

/** What `unroll cancel` did. */
export interface Cancelled {
  readonly removed: number;
  readonly stopped: number;
}

/** Takes the jobs of a sweep out of their queues, and ends those that are being trained. */
export const cancelJobs = async (
  { client, connection, packages }: RedisServer,
  sweepId: string,
): Promise<Cancelled> => {
  const members = await client.smembers(keys.sweep(sweepId));
  const done = { removed: 0, stopped: 0 };
  const cancel = async (queue: Queue, key: string): Promise<keyof Cancelled | undefined> => {
    const job = await queuedJob(queue, key);
    if (!job || job === 'unreadable' || job.finishedOn !== undefined) return undefined;
    const cancelled = keys.cancelled(sweepId);
    await allDone(client.pipeline().sadd(cancelled, key).expire(cancelled, keptSeconds));
    // The command of another sweep has queued it and waits for it, too.
    if (sweepOf(job.data) !== sweepId) return undefined;
    const isRemoved = await job.remove().then(
      () => true,
      () => false,
    );
    if (isRemoved) return 'removed';
    await client.publish(keys.cancellations, key);
    return 'stopped';
  };
  // One queue after another: each has a connection of its own, and Redis may name any number of queues.
  for (const [name, jobs] of jobsByQueue(members)) {
    const queue = new packages.bullmq.Queue(name, { connection, prefix, skipVersionCheck: true });
    // Its own commands reject, too.
    queue.on('error', () => undefined);
    try {
      for (const key of jobs) {
        const what = await cancel(queue, key);
        if (what) done[what]++;
      }
    } finally {
      await queue.close();
    }
  }
  return done;
};

/** The jobs that `submit` has listed, by queue. What anyone else has added is left out. */
const jobsByQueue = (members: readonly string[]): ReadonlyMap<string, readonly string[]> => {
  const jobs = new Map<string, string[]>();
  for (const member of members) {
    const [name = '', key = '', ...more] = member.split(' ');
    if (!isQueueName(name) || !isJobKey(key) || more.length > 0) continue;
    const known = jobs.get(name);
    if (known) known.push(key);
    else jobs.set(name, [key]);
  }
  return jobs;
};

const sweepOf = (job: unknown): unknown => (isObject(job) ? job['sweep'] : undefined);
