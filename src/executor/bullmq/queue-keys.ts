import type { Diagnostic } from '../../diagnostic/diagnostic.ts';
import { queueName } from './protocol.ts';
import { allDone, foreignKeys, prefix, type RedisServer } from './redis.ts';

/** The types of what BullMQ keeps of a queue, besides its jobs. */
const types = {
  ...{ wait: 'list', paused: 'list', active: 'list' },
  ...{ prioritized: 'zset', delayed: 'zset', completed: 'zset', failed: 'zset', marker: 'zset' },
  ...{ 'waiting-children': 'zset', repeat: 'zset' },
  ...{ id: 'string', pc: 'string', limiter: 'string', 'stalled-check': 'string' },
  ...{ stalled: 'set', events: 'stream', meta: 'hash' },
} as const;

/**
 * What is wrong with the keys of a class of workers. A key of another type keeps a queue from passing on jobs, and no
 * command of who waits for them need ever meet it.
 */
export const queueProblem = async (
  { client, address }: Pick<RedisServer, 'client' | 'address'>,
  resourceClass: string,
): Promise<Diagnostic | undefined> => {
  const expected = Object.entries(types).map(
    ([name, type]) => [`${prefix}:${queueName(resourceClass)}:${name}`, type] as const,
  );
  const asked = client.pipeline();
  for (const [key] of expected) asked.type(key);
  const found = await allDone(asked);
  const at = expected.findIndex(([, type], index) => found[index] !== type && found[index] !== 'none');
  const [key, type] = expected[at] ?? [];
  return key === undefined
    ? undefined
    : foreignKeys(address, `${key} is a ${String(found[at])}, not a ${String(type)}`);
};
