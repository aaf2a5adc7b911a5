import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';

/** How long a leaving command waits for a Redis that does not answer. */
export const closingMs = 2000;

/** How often it waits as long for one that does. */
const mostWaits = 30;

/** Waits for work as long as Redis answers, and no longer than a minute. Whether the work succeeds does not matter. */
export const whileAnswered = async (client: Redis, work: Promise<unknown>): Promise<void> => {
  const over = work.then(
    () => true,
    () => true,
  );
  for (let waits = 0; waits < mostWaits && client.status === 'ready'; waits++) {
    const answer = client.ping().catch(() => undefined);
    if (await Promise.race([over, delay(closingMs, false)])) return;
    // What has not come by now comes too late.
    if ((await Promise.race([answer, Promise.resolve()])) === undefined) return;
  }
};
