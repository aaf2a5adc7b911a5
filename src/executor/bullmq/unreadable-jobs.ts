import { queuedJob } from './queued-job.ts';
import { allDone, prefix, type RedisServer } from './redis.ts';

interface Served {
  readonly queue: string;
  /** The jobs that this worker has, by id. */
  readonly active: Pick<ReadonlySet<string>, 'has'>;
  readonly print: (line: string) => void;
}

/**
 * Removes the jobs that workers were given and that BullMQ cannot read: they would go from worker to worker. Who waits for
 * one queues it anew.
 */
export const removeUnreadable = async (
  { client, connection, packages }: Pick<RedisServer, 'client' | 'connection' | 'packages'>,
  { queue: name, active, print }: Served,
): Promise<void> => {
  const queue = new packages.bullmq.Queue(name, { connection, prefix, skipVersionCheck: true });
  queue.on('error', () => undefined);
  const at = (key: string) => `${prefix}:${name}:${key}`;
  try {
    for (const key of await client.lrange(at('active'), 0, -1)) {
      if (active.has(key) || (await queuedJob(queue, key)) !== 'unreadable') continue;
      const remove = client.multi().lrem(at('active'), 0, key).srem(at('stalled'), key);
      remove.del(at(key), at(`${key}:lock`));
      await allDone(remove.xadd(at('events'), '*', 'event', 'removed', 'jobId', key, 'prev', 'active'));
      print(`removed the job ${key}: BullMQ cannot read it`);
    }
  } finally {
    await queue.close();
  }
};
