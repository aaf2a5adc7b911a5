import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';

/** How long a leaving command waits for a Redis that does not answer. */
export const closingMs = 2000;

/** How often it waits as long for one that does. */
const mostWaits = 30;

/** Waits for work as long as Redis is there, and no longer than a minute. */
export const whileAnswered = async (client: Redis, work: Promise<void>): Promise<void> => {
  const over = work.then(() => true);
  for (let waits = 0; waits < mostWaits; waits++)
    if ((await Promise.race([over, delay(closingMs, false)])) || client.status !== 'ready') return;
};
