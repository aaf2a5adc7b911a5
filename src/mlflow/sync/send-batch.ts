import { randomInt } from 'node:crypto';
import { backoffMs, wait } from '../client/backoff.ts';
import { limits } from '../client/limits.ts';
import { success } from '../../diagnostic/diagnostic.ts';
import { type Answer, isPassing, type Problem } from '../client/problem.ts';
import type { WireBatch, WireMetric, WirePair } from '../client/wire.ts';
import type { SyncContext } from './context.ts';
import { openHistories } from './history.ts';

type Entity =
  | { readonly kind: 'param'; readonly value: WirePair }
  | { readonly kind: 'tag'; readonly value: WirePair }
  | { readonly kind: 'metric'; readonly value: WireMetric };

/** How many entities go into one request: below the server's 1,000, so that a header of params still fits. */
export const batchEntities = 900;

const toEntities = ({ params = [], tags = [], metrics = [] }: WireBatch): Entity[] => [
  ...params.map((value) => ({ kind: 'param', value }) as const),
  ...tags.map((value) => ({ kind: 'tag', value }) as const),
  ...metrics.map((value) => ({ kind: 'metric', value }) as const),
];

const toBatch = (entities: readonly Entity[]): WireBatch => ({
  params: entities.flatMap((one) => (one.kind === 'param' ? [one.value] : [])),
  tags: entities.flatMap((one) => (one.kind === 'tag' ? [one.value] : [])),
  metrics: entities.flatMap((one) => (one.kind === 'metric' ? [one.value] : [])),
});

/** Cuts what must be sent into requests within every limit, in order. */
export const cutBatches = (batch: WireBatch): readonly WireBatch[] => {
  const batches: Entity[][] = [];
  let counts = { param: 0, tag: 0, metric: 0 };
  let bytes = 0;
  for (const entity of toEntities(batch)) {
    const size = Buffer.byteLength(JSON.stringify(entity.value)) + 1;
    const full =
      counts.param + counts.tag + counts.metric >= batchEntities ||
      (entity.kind === 'param' && counts.param >= limits.batchParams) ||
      (entity.kind === 'tag' && counts.tag >= limits.batchTags) ||
      bytes + size > limits.batchBytes;
    if (batches.length === 0 || full) {
      batches.push([]);
      counts = { param: 0, tag: 0, metric: 0 };
      bytes = 0;
    }
    batches.at(-1)?.push(entity);
    counts[entity.kind]++;
    bytes += size;
  }
  return batches.map(toBatch);
};

/** After this many refused parts of one batch the rest is refused as well: the reason is not in a single entity. */
const mostSplits = 60;

/**
 * Sends one request's worth until the server has it. What it refuses is cut in halves until the offender is alone,
 * which is kept in a file; the rest arrives. Passing failures are repeated as the context allows; the last one is
 * returned, and then nothing is known of the batch.
 */
export const sendBatch = async (
  context: SyncContext,
  runId: string,
  whole: WireBatch,
): Promise<Answer<{ readonly rejected: number }>> => {
  let splits = 0;
  let rejected = 0;

  const reject = (entities: readonly Entity[], problem: Problem) => {
    rejected += entities.length;
    context.reject({ runId, reason: problem.message, batch: toBatch(entities) });
  };

  /** Drops the metrics that the server has. */
  const withoutKnown = async (entities: readonly Entity[]): Promise<Answer<readonly Entity[]>> => {
    const metrics = entities.flatMap((one) => (one.kind === 'metric' ? [one.value] : []));
    const compared = await openHistories(context.client, runId).missing(metrics);
    if (!compared.ok) return compared;
    const left = new Set<unknown>(compared.value.points);
    return success(entities.filter((one) => one.kind !== 'metric' || left.has(one.value)));
  };

  const send = async (given: readonly Entity[]): Promise<Answer<undefined>> => {
    let entities = given;
    let compared = false;
    let dropped = false;
    for (let failures = 1; entities.length > 0;) {
      const result = await context.client.logBatch(runId, toBatch(entities), { newConnection: dropped });
      if (result.ok) return result;
      const [problem] = result.errors;
      const repeated: boolean = problem.kind === 'duplicate' && !compared;
      if (!repeated && !isPassing(problem)) {
        if (
          problem.kind === 'refused' ||
          problem.kind === 'duplicate' ||
          problem.kind === 'too-large' ||
          problem.kind === 'invalid'
        )
          return split(entities, problem);
        return result;
      }
      if (problem.kind === 'dropped' && !dropped) {
        // The server may have closed the idle connection: that is no failure.
        dropped = true;
      } else if (isPassing(problem)) {
        if (failures > context.batchRetries) return result;
        const ms = backoffMs(failures, context.backoff, problem.retryAfterMs, randomInt(1000) / 1000);
        if (!(await wait(ms, context.signal))) return result;
        failures++;
      }
      // A store that takes a repeated point twice must be asked before each repetition.
      if (repeated || (problem.unclear && !context.dedupes)) {
        const left = await withoutKnown(entities);
        if (!left.ok) return left;
        entities = left.value;
        compared = repeated;
      }
    }
    return success(undefined);
  };

  const split = async (entities: readonly Entity[], problem: Problem): Promise<Answer<undefined>> => {
    if (entities.length === 1 || ++splits > mostSplits) {
      reject(entities, problem);
      return success(undefined);
    }
    // Kinds first: a refused parameter must not hold up metrics.
    const metrics = entities.filter(({ kind }) => kind === 'metric');
    const others = entities.filter(({ kind }) => kind !== 'metric');
    const half = entities.length >>> 1;
    const parts =
      metrics.length > 0 && others.length > 0
        ? [others, metrics]
        : [entities.slice(0, half), entities.slice(half)];
    for (const part of parts) {
      const sent = await send(part);
      if (!sent.ok) return sent;
    }
    return success(undefined);
  };

  const sent = await send(toEntities(whole));
  return sent.ok ? success({ rejected }) : sent;
};
