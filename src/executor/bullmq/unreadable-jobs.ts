import type { Redis } from 'ioredis';
import { queuedJob } from './queued-job.ts';
import { allDone, prefix, type RedisServer } from './redis.ts';

interface Served {
  readonly queue: string;
  /** The jobs that this worker has, by id. */
  readonly active: Pick<ReadonlySet<string>, 'has'>;
  readonly print: (line: string) => void;
}

/** What BullMQ counts with. */
const numbers = ['ats', 'atm', 'stc', 'priority', 'delay', 'timestamp'] as const;

/** What makes a job one of a schedule or of another job; no job of Unroll is. */
const foreign = ['rjk', 'parentKey', 'parent'] as const;

/** What BullMQ keeps beside jobs that have children; no job of Unroll has. */
const ofChildren = ['dependencies', 'unsuccessful', 'processed', 'failed'] as const;

/** Whether BullMQ can read a job and cannot work with it. */
const isDamaged = async (client: Redis, key: string): Promise<boolean> => {
  const [values, others, children] = await allDone(
    client
      .pipeline()
      .hmget(key, ...numbers)
      .hmget(key, ...foreign)
      .exists(ofChildren.map((one) => `${key}:${one}`)),
  );
  const isWrong = (one: string | null) => one !== null && !/^\d+$/.test(one);
  return (
    children !== 0 ||
    (values as readonly (string | null)[]).some(isWrong) ||
    (others as readonly (string | null)[]).some((one) => one !== null)
  );
};

/**
 * Removes the jobs that workers were given and that BullMQ cannot use: they would go from worker to worker. Who waits for
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
      if (active.has(key)) continue;
      if ((await queuedJob(queue, key)) !== 'unreadable' && !(await isDamaged(client, at(key)))) continue;
      const remove = client.multi().lrem(at('active'), 0, key).srem(at('stalled'), key);
      remove.del(at(key), ...['lock', ...ofChildren].map((one) => at(`${key}:${one}`)));
      await allDone(remove.xadd(at('events'), '*', 'event', 'removed', 'jobId', key, 'prev', 'active'));
      print(`removed the job ${key}: BullMQ cannot read it`);
    }
  } finally {
    await queue.close();
  }
};
