import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import {
  fromText,
  keys,
  parseAnswer,
  parseWorker,
  spokenVersion,
  toText,
  type Answer,
  type Needed,
  type Question,
  type WorkerFacts,
} from './protocol.ts';
import { allDone } from './redis.ts';

/** A worker that is silent for this long counts as lost. */
export const silentMs = 15_000;

/** How long lost workers are shown. */
const rememberedMs = 3_600_000;

export interface ListedWorker extends WorkerFacts {
  readonly isAlive: boolean;
}

/** Announces a worker; repeat it well within `silentMs`. */
export const showWorker = async (client: Redis, facts: WorkerFacts): Promise<void> => {
  await allDone(
    client
      .pipeline()
      .hset(keys.workers, facts.id, toText(facts))
      .set(keys.alive(facts.id), '1', 'PX', silentMs),
  );
};

export const hideWorker = async (client: Redis, id: string): Promise<void> => {
  await allDone(client.pipeline().hdel(keys.workers, id).del(keys.alive(id)));
};

/** All present and recently lost workers, by host. */
export const listWorkers = async (client: Redis): Promise<readonly ListedWorker[]> => {
  const found = await client.hgetall(keys.workers);
  const facts = Object.values(found).flatMap((text) => parseWorker(fromText(text)) ?? []);
  if (facts.length === 0) return [];
  const alive = await client.mget(facts.map(({ id }) => keys.alive(id)));
  const listed = facts.map((one, index) => ({ ...one, isAlive: alive[index] === '1' }));
  const old = listed.filter((one) => !one.isAlive && Date.now() - one.clock > rememberedMs);
  if (old.length > 0) await client.hdel(keys.workers, ...old.map(({ id }) => id));
  return listed
    .filter((one) => !old.includes(one))
    .sort((a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : a.pid - b.pid));
};

/** Whether a worker takes the jobs of this version of a class. */
export const serves = (worker: ListedWorker, resourceClass: string): boolean =>
  worker.class === resourceClass && worker.speaks === spokenVersion;

export const slotsOf = (workers: readonly ListedWorker[]): number =>
  workers.filter(({ isAlive }) => isAlive).reduce((sum, one) => sum + one.slots, 0);

const answerMs = 2500;

/** Asks the workers of a class what keeps them from training a sweep. Those that are silent are left out. */
export const askWorkers = async (
  client: Redis,
  resourceClass: string,
  { needed, workers }: { readonly needed: Needed; readonly workers: readonly WorkerFacts[] },
): Promise<readonly Answer[]> => {
  const question: Question = { id: randomUUID(), class: resourceClass, needed };
  await client.publish(keys.questions, toText(question));
  const until = performance.now() + answerMs;
  const wanted = new Set(workers.map(({ id }) => id));
  for (;;) {
    const texts = await client.lrange(keys.answers(question.id), 0, -1);
    const answers = texts.flatMap((text) => parseAnswer(fromText(text)) ?? []);
    const known = answers.filter(({ worker }) => wanted.has(worker));
    if (known.length >= wanted.size || performance.now() > until) return known;
    await delay(20);
  }
};

/** Answers a question. */
export const answerQuestion = async (client: Redis, question: string, answer: Answer): Promise<void> => {
  await allDone(
    client.pipeline().rpush(keys.answers(question), toText(answer)).expire(keys.answers(question), 60),
  );
};
