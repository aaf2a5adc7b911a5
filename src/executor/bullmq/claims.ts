import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { Redis } from 'ioredis';
import { keptSeconds } from './file-transfer.ts';
import { keys } from './protocol.ts';
import { allDone } from './redis.ts';

/**
 * Who waits for the result of a job: a sweep, and the place that records it. Several sweeps may have the same run, and it is
 * trained once for all of them. A claim stays while its command is away, so a sweep that comes back finds its runs.
 */
export const claimOf = (sweep: string, directory: string): string => {
  // Only whether two places are the same matters, and no path leaves this machine.
  const place = `${hostname()} ${resolve(dirname(dirname(directory)))}`;
  return `${sweep} ${createHash('sha256').update(place).digest('hex').slice(0, 16)}`;
};

const isOfSweep = (claim: string, sweep: string): boolean => claim.startsWith(`${sweep} `);

/** Claims a job of a queue for a sweep. Returns whether the queue has it. */
export const claimJob = async (
  client: Redis,
  { queue, key, jobKey }: { readonly queue: string; readonly key: string; readonly jobKey: string },
  { sweep, claim }: { readonly sweep: string; readonly claim: string },
): Promise<boolean> => {
  const answers = await allDone(
    client
      .pipeline()
      .srem(keys.cancelled(sweep), key)
      .sadd(keys.sweep(sweep), `${queue} ${key}`)
      .expire(keys.sweep(sweep), keptSeconds)
      .sadd(keys.claims(key), claim)
      .expire(keys.claims(key), keptSeconds)
      .exists(jobKey),
  );
  return answers.at(-1) === 1;
};

/** Gives claims on a job up, and returns whether nobody else has one. Of several at once the last finds none. */
export const giveUp = async (client: Redis, key: string, claims: readonly string[]): Promise<boolean> => {
  const all = client.multi();
  if (claims.length > 0) all.srem(keys.claims(key), ...claims);
  const answers = await allDone(all.scard(keys.claims(key)));
  return answers.at(-1) === 0;
};

/** Gives the claims of a sweep on a job up, wherever it was submitted. Returns whether nobody else has one. */
export const cancelClaims = async (client: Redis, key: string, sweep: string): Promise<boolean> => {
  const [, , claims] = await allDone(
    client
      .pipeline()
      .sadd(keys.cancelled(sweep), key)
      .expire(keys.cancelled(sweep), keptSeconds)
      .smembers(keys.claims(key)),
  );
  return await giveUp(
    client,
    key,
    (claims as readonly string[]).filter((one) => isOfSweep(one, sweep)),
  );
};

/** Whether the sweep that queued a job has taken it back, and nobody else waits for it. */
export const isTakenBack = async (client: Redis, key: string, sweep: string): Promise<boolean> => {
  const [isCancelled, isClaimed] = await allDone(
    client.pipeline().sismember(keys.cancelled(sweep), key).exists(keys.claims(key)),
  );
  return isCancelled === 1 && isClaimed === 0;
};
