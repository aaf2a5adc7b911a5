import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { isJobKey } from './bring-files.ts';
import { cancelClaims } from './claims.ts';
import { isQueueName, keys } from './protocol.ts';
import { queuedJob } from './queued-job.ts';
import { allDone, prefix, type RedisServer } from './redis.ts';

/** What `unroll cancel` did. */
export interface Cancelled {
  readonly removed: number;
  readonly stopped: number;
  /** Jobs that another sweep waits for, too. */
  readonly left: number;
}

/** How many jobs are taken back at a time: each takes several answers of Redis. */
const together = 100;

/** Takes the jobs of a sweep out of their queues and ends those that are being trained, unless another sweep has them, too. */
export const cancelJobs = async (
  { client, connection, packages }: RedisServer,
  sweepId: string,
): Promise<Cancelled> => {
  const members = await stillThere(client, jobsIn(await client.smembers(keys.sweep(sweepId))));
  const done = { removed: 0, stopped: 0, left: 0 };
  const cancel = async (queue: Queue, key: string): Promise<keyof Cancelled | undefined> => {
    const job = await queuedJob(queue, key);
    if (!job || job === 'unreadable' || job.finishedOn !== undefined) return undefined;
    if (!(await cancelClaims(client, key, sweepId))) return 'left';
    const isRemoved = await job.remove().then(
      () => true,
      () => false,
    );
    if (isRemoved) return 'removed';
    await client.publish(keys.cancellations, key);
    return 'stopped';
  };
  // One queue after another: each has a connection of its own.
  for (const name of new Set(members.map(({ queue }) => queue))) {
    const queue = new packages.bullmq.Queue(name, { connection, prefix, skipVersionCheck: true });
    // Its own commands reject, too.
    queue.on('error', () => undefined);
    try {
      const ofQueue = members.filter((one) => one.queue === name);
      for (let from = 0; from < ofQueue.length; from += together) {
        const some = ofQueue.slice(from, from + together);
        for (const what of await Promise.all(some.map(({ key }) => cancel(queue, key))))
          if (what) done[what]++;
      }
    } finally {
      await queue.close();
    }
  }
  return done;
};

interface ListedJob {
  readonly queue: string;
  readonly key: string;
}

/** The jobs that `submit` has listed. What anyone else has added is left out. */
const jobsIn = (members: readonly string[]): readonly ListedJob[] =>
  members.flatMap((member) => {
    const [queue = '', key = '', ...more] = member.split(' ');
    return isQueueName(queue) && isJobKey(key) && more.length === 0 ? [{ queue, key }] : [];
  });

/** Those of jobs that Redis still has: the others may be of any number of queues. */
const stillThere = async (client: Redis, jobs: readonly ListedJob[]): Promise<readonly ListedJob[]> => {
  const asked = client.pipeline();
  for (const { queue, key } of jobs) asked.exists(`${prefix}:${queue}:${key}`);
  const found = await allDone(asked);
  return jobs.filter((_, at) => found[at] === 1);
};
