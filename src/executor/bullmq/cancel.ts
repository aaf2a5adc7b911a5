import { keptSeconds } from './file-transfer.ts';
import { isObject } from '../../system/json.ts';
import { keys } from './protocol.ts';
import { prefix, type RedisServer } from './redis.ts';

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
  const names = new Set(members.map((one) => one.split(' ')[0] ?? ''));
  const queues = new Map(
    [...names].map((name) => [
      name,
      new packages.bullmq.Queue(name, { connection, prefix, skipVersionCheck: true }),
    ]),
  );
  let removed = 0;
  let stopped = 0;
  for (const member of members) {
    const [name = '', key = ''] = member.split(' ');
    const job = await queues.get(name)?.getJob(key);
    if (!job || job.finishedOn !== undefined) continue;
    await client
      .pipeline()
      .sadd(keys.cancelled(sweepId), key)
      .expire(keys.cancelled(sweepId), keptSeconds)
      .exec();
    // The command of another sweep has queued it and waits for it, too.
    if (sweepOf(job.data) !== sweepId) continue;
    if (
      await job.remove().then(
        () => true,
        () => false,
      )
    )
      removed++;
    else {
      await client.publish(keys.cancellations, key);
      stopped++;
    }
  }
  await Promise.all([...queues.values()].map((queue) => queue.close()));
  return { removed, stopped };
};

const sweepOf = (job: unknown): unknown => (isObject(job) ? job['sweep'] : undefined);
