import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Diagnostic } from '../../diagnostic/diagnostic.ts';
import type { Plan } from '../../plan/plan.ts';
import type { RunListener } from '../../record/events.ts';
import { readStatus } from '../../record/read-runs.ts';
import { StoreError } from '../../store/backend.ts';
import { systemErrorOf } from '../../system/system-error.ts';
import type { TrainRequest } from '../../training/protocol.ts';
import type { Executor, RunTask, TrainResult } from '../executor.ts';
import type { SharedStore } from './fitness.ts';
import { cancelJobs } from './cancel.ts';
import { claimJob, claimOf, giveUp } from './claims.ts';
import { commitRun, readSent } from './commit.ts';
import { keptSeconds } from './file-transfer.ts';
import {
  done,
  endOfJob,
  exited,
  isEmpty,
  isInterrupted,
  reportOf,
  resultOf,
  unreadableReason,
  type End,
} from './job-ends.ts';
import { jobKeyOf, jobOfRequest } from './job-of-request.ts';
import { closingMs, whileAnswered } from './leaving.ts';
import { passOn, type Ended, type Pending } from './pending.ts';
import { listWorkers, serves, slotsOf } from './presence.ts';
import {
  cancelledReason,
  filesLostReason,
  fromText,
  keys,
  parseProgress,
  parseUnfit,
  queueName,
  type Unfit,
} from './protocol.ts';
import { isUnreadable, queuedJob } from './queued-job.ts';
import { queueProblem } from './queue-keys.ts';
import { prefix, type RedisServer, refusalOf } from './redis.ts';
import { hostsShower, trainedOn, watchConnection } from './reports.ts';
import type { ShareData } from './shared-data.ts';
import { transportOf, transportThrough } from './transport.ts';

export interface SubmitOptions {
  readonly resourceClass: string;
  /** The most runs that train at once; undefined for as many as there are slots. */
  readonly maxParallel: number | undefined;
  /** From 1, which is first. */
  readonly priority: number;
  /** The store that this command uses. */
  readonly store: Pick<SharedStore, 'id' | 'parcels'> | undefined;
  /** Puts the data of a run into the store; undefined where workers must have it. */
  readonly shareData?: ShareData | undefined;
  readonly listener: RunListener;
}

const sweepCancelled = 'the sweep was cancelled';

/** How many jobs are watched at once; fewer keep all workers busy. */
const mostWatched = 1000;

/** How often the states of jobs are read, since events may be lost while Redis is down. */
const lookEveryMs = 2000;

/** How many states are read at a time. */
const lookedAt = 200;

const hostsEveryMs = 2000;

const outOfTime = 'the time of the sweep was over before this run began';

/** How often a job that Redis has lost, or its files, is sent again. */
const mostTries = 3;

/** Trains the runs of a sweep on the workers that serve a queue. */
export const createBullmqExecutor = async (
  server: RedisServer,
  { sweepId }: Pick<Plan, 'sweepId'>,
  { resourceClass, maxParallel, priority, store, shareData, listener }: SubmitOptions,
): Promise<Executor> => {
  const { client, connection, packages } = server;
  const name = queueName(resourceClass);
  const settings = { connection, prefix, skipVersionCheck: true };
  const queue = new packages.bullmq.Queue(name, settings);
  const events = new packages.bullmq.QueueEvents(name, settings);
  const nonce = randomUUID();
  const pending = new Map<string, Pending>();
  /** Why no other run is submitted and none is waited for. */
  let left: string | undefined;
  /** Why no other run is submitted. */
  let refused: string | undefined;
  let isOutOfTime = false;
  let slots = 1;

  const note = (level: 'info' | 'warning', message: string) => listener({ type: 'note', level, message });

  const reporting = { note, store: store?.id };

  const through = {
    store,
    onTrouble: ({ message }: StoreError) => note('warning', `${message} Files pass through Redis instead.`),
  };
  const transport = transportThrough(client, through);

  const leave = (message: string) => {
    left ??= message;
    for (const one of pending.values()) one.end({ type: 'left', message: left });
  };

  const isCut = watchConnection(server, note);
  queue.on('error', isCut);
  events.on('error', isCut);
  events.on('completed', ({ jobId, returnvalue }) =>
    pending.get(jobId)?.end({ type: 'completed', value: returnvalue }),
  );
  events.on('failed', ({ jobId, failedReason }) =>
    pending.get(jobId)?.end({ type: 'failed', reason: failedReason }),
  );
  events.on('removed', ({ jobId }) => {
    const one = pending.get(jobId);
    if (one?.isQueued)
      void endOfJob(queue, jobId).then(
        (end) => end && one.end(end),
        () => undefined,
      );
  });
  events.on('stalled', ({ jobId }) => {
    const one = pending.get(jobId);
    if (one) note('warning', `Run ${one.request.run.id}: its worker was lost. Another one starts it again.`);
  });
  events.on('progress', ({ jobId, data }) => {
    const one = pending.get(jobId);
    if (one && typeof data === 'string') passOn(one, parseProgress(fromText(data)), reporting);
  });
  await events.waitUntilReady();

  const jobKey = (key: string): string => `${prefix}:${name}:${key}`;

  const isCancelled = async (key: string): Promise<boolean> =>
    (await client.sismember(keys.cancelled(sweepId), key)) === 1;

  /** The jobs that this command has queued, and what queues others now. */
  const queued = new Set<string>();
  const submitting = new Set<Promise<unknown>>();

  /** Submits no more once `unroll cancel` has taken runs back, and takes back what was queued while it did. */
  const heedCancellation = async ({ isLast = false } = {}) => {
    const cancelled = await client.smembers(keys.cancelled(sweepId));
    if ((isLast || refused === undefined) && cancelled.some((key) => queued.has(key))) {
      refused ??= sweepCancelled;
      await cancelJobs(server, sweepId);
    }
    for (const key of cancelled) {
      const one = pending.get(key);
      if (one?.isQueued) one.end({ type: 'failed', reason: cancelledReason });
    }
  };

  const refuse = ({ message, help = '' }: Pick<Diagnostic, 'message' | 'help'>) => {
    if (refused === undefined) note('warning', `${message} ${help}`);
    refused ??= message;
  };

  /** Looks for ends whose events were lost, and for runs of this sweep that another one keeps in the queue. */
  const look = async () => {
    await heedCancellation();
    const foreign = await queueProblem(server, resourceClass);
    if (foreign) {
      refuse({ ...foreign, message: `${foreign.message} ${foreign.got ?? ''}.` });
      for (const [, one] of pending) if (one.isQueued) one.end({ type: 'left', message: foreign.message });
      return;
    }
    // A worker that was just beginning a run has not heard of it.
    if (isOutOfTime) await takeBack(outOfTime);
    const old = [...pending]
      .filter(([, { since, isQueued }]) => isQueued && performance.now() - since > lookEveryMs)
      .slice(0, lookedAt);
    if (old.length === 0) return;
    // Two fields only, and one answer for all: reading every waiting job whole took an eighth of the command's time.
    const asked = client.pipeline();
    for (const [key] of old) asked.hmget(jobKey(key), 'timestamp', 'finishedOn');
    const answers = (await asked.exec()) ?? [];
    for (const [index, [key, one]] of old.entries()) {
      const [error, fields] = answers[index] ?? [];
      if (isUnreadable(error)) one.end({ type: 'failed', reason: unreadableReason });
      if (error || !Array.isArray(fields)) continue;
      const [timestamp, finishedOn] = fields as readonly unknown[];
      const end = timestamp === null || finishedOn !== null ? await endOfJob(queue, key) : undefined;
      if (end) one.end(end);
      // The others come first next time.
      else if (pending.delete(key)) pending.set(key, one);
    }
    // Jobs that are in no list of the queue are never begun.
    if (!(await isEmpty(queue))) return;
    for (const [key, one] of old) {
      const end = await endOfJob(queue, key);
      if (!end) await queue.remove(key);
      one.end(end ?? { type: 'gone' });
    }
  };
  let looking = false;
  const watch = setInterval(() => {
    if (looking || pending.size === 0) return;
    looking = true;
    void look()
      .catch(() => undefined)
      .finally(() => (looking = false));
  }, lookEveryMs);

  const showHosts = hostsShower(listener);
  const countSlots = async () => {
    const workers = (await listWorkers(client)).filter((one) => serves(one, resourceClass));
    slots = slotsOf(workers);
    showHosts(workers);
  };
  const hosts = setInterval(() => void countSlots().catch(() => undefined), hostsEveryMs);
  await countSlots();

  /** Whether a result can still be recorded. A disk that was full has no result. */
  const isUsable = async (value: unknown, key: string): Promise<boolean> => {
    const { record, outcome } = resultOf(value) ?? {};
    if (!record) return outcome !== undefined && outcome.systemError === undefined;
    const manifest = readSent(record.manifest);
    const from = transportOf(client, record.store, { ...through, job: key });
    // Whoever uses that store can still record it.
    return !from || !manifest.ok || (await from.areThere(Object.values(manifest.value.files)));
  };

  /** A run that another command has queued waits no longer than the others of this one. */
  const hasten = async (key: string): Promise<void> => {
    const job = await queuedJob(queue, key);
    if (job && job !== 'unreadable' && job.priority > priority) await job.changePriority({ priority });
  };

  /**
   * Queues a job unless it is there. One that failed or whose files are gone is queued anew. Returns how it ended, if it had
   * ended before with a result.
   */
  const submit = async (key: string, request: TrainRequest, task: RunTask): Promise<End | undefined> => {
    const submission = { request, task, sweep: sweepId, store: store?.id, shareData };
    const claim = claimOf(sweepId, request.directory);
    const isThere = await claimJob(
      client,
      { queue: name, key, jobKey: jobKey(key) },
      { sweep: sweepId, claim },
    );
    queued.add(key);
    if (isThere) {
      const end = await endOfJob(queue, key);
      if (!end) await hasten(key);
      if (!end || (end.type === 'completed' && (await isUsable(end.value, key)))) return end;
      await queue.remove(key);
    }
    await queue.add('train', await jobOfRequest(transport, submission), {
      jobId: key,
      priority,
      removeOnComplete: { age: keptSeconds },
      removeOnFail: { age: keptSeconds },
      stackTraceLimit: 1,
    });
    return undefined;
  };

  /** Leaving waits until the runs are queued, but not for a Redis that does not answer. */
  const patience = () => (client.status === 'ready' ? delay(closingMs) : undefined);

  /** Read again after a wait, because it may have changed. */
  const refusedByNow = (): string | undefined => refused;

  const train = async (given: TrainRequest, task: RunTask): Promise<TrainResult> => {
    let request = given;
    let isAgain = false;
    for (let tries = 1; ; tries++) {
      if (refused !== undefined) return { type: 'left', message: refused };
      if (left !== undefined && maxParallel !== undefined) return { type: 'left', message: left };
      const key = jobKeyOf({ request, task, sweep: sweepId, store: store?.id, shareData }, nonce);
      const ended = new Promise<End>((end) =>
        pending.set(key, {
          request,
          task,
          end,
          since: performance.now(),
          starts: 0,
          isQueued: false,
          isAgain,
        }),
      );
      try {
        const leaving = left === undefined ? ended : Promise.resolve();
        const submitted = submit(key, request, task).finally(() => submitting.delete(submitted));
        submitting.add(submitted);
        const before = await Promise.race([submitted, leaving.then(patience)]);
        if (left !== undefined) return { type: 'left', message: left };
        const refusedSince = refusedByNow();
        const one = pending.get(key);
        if (one) one.isQueued = true;
        const isLate = refusedSince !== undefined && !before;
        const takenBack = one && isLate ? await takeBackOne(key, one, refusedSince) : undefined;
        const end = before ?? takenBack ?? (await ended);
        if (one && !before) passOn(one, reportOf(end), reporting);
        const result = await resultOfEnd(end, { key, request, isLast: tries >= mostTries });
        isAgain = result === 'again';
        // A run that is left still has this sweep that wants it.
        if (result !== 'again' && result.type !== 'left') settle(key, request);
        if (isInterrupted(result) && refusedByNow() === undefined && tries < mostTries) {
          note('info', trainedOn(request.run.id));
          request = { ...request, attempt: request.attempt + 1 };
        } else if (result !== 'again') return result;
        else if (tries >= mostTries)
          return exited(
            'runs or their files are lost on their way; is the memory of Redis full, or does a worker use another store?',
          );
      } catch (error) {
        // The scheduler reports errors of the system.
        if (systemErrorOf(error)) throw error;
        const refusal = refusalOf(error, server.address);
        if (refusal) {
          refuse(refusal);
          return { type: 'left', message: refusedByNow() ?? refusal.message };
        }
        // The result is kept until a command collects it.
        if (error instanceof StoreError) return { type: 'left', message: error.message };
        return exited(error instanceof Error ? error.message : String(error));
      } finally {
        pending.delete(key);
      }
    }
  };

  /** What lets the files of recorded runs go. */
  const recorded = new Map<string, () => Promise<void>>();
  const settling = new Set<Promise<void>>();

  /** This sweep has the result of a job. If nobody else waits for it, Redis need not keep its files. */
  const settle = (key: string, { directory }: TrainRequest): void => {
    const release = recorded.get(key);
    recorded.delete(key);
    const settled: Promise<void> = giveUp(client, key, [claimOf(sweepId, directory)])
      .then((isLast) => (isLast ? release?.() : undefined))
      .catch(() => undefined)
      .finally(() => settling.delete(settled));
    settling.add(settled);
  };

  let isElsewhereNoted = false;
  const inOtherStore = (): TrainResult => {
    if (!isElsewhereNoted)
      note(
        'warning',
        'Results are in a store that this command does not use. Add the --store of the command that submitted them.',
      );
    isElsewhereNoted = true;
    return { type: 'left', message: 'its result is in another store' };
  };

  let isLossNoted = false;
  /** Redis has lost everything, or another command has taken the job back for a sweep of its own. */
  const lost = (): 'again' => {
    if (!isLossNoted && refused === undefined)
      note('warning', 'Redis no longer has runs that were queued. They are queued again.');
    isLossNoted = true;
    return 'again';
  };

  const resultOfEnd = async (end: End, { key, request, isLast }: Ended): Promise<TrainResult | 'again'> => {
    /** What Redis has of the run is not as a worker or this command wrote it. */
    const damaged = async (what: string): Promise<TrainResult | 'again'> => {
      if (isLast) return exited(what);
      note('warning', `Run ${request.run.id}: ${what.replace(/\.$/, '')}. It is queued again.`);
      await queue.remove(key);
      return 'again';
    };
    if (end.type === 'left') return end;
    if (end.type === 'gone' || (end.type === 'failed' && end.reason === cancelledReason)) {
      if (!(await isCancelled(key))) return lost();
      refused ??= sweepCancelled;
      return { type: 'left', message: refused };
    }
    if (end.type === 'failed') {
      const unfit = parseUnfit(fromText(end.reason));
      if (end.reason === unreadableReason || unfit?.kind === 'damaged')
        return await damaged(unfit?.message ?? unreadableReason);
      return failedResult(end.reason, unfit);
    }
    const result = resultOf(end.value);
    if (!result) return await damaged('a worker reported a result that this version of Unroll does not know');
    if (!result.record) return done(result.outcome);
    const from = transportOf(client, result.record.store, { ...through, job: key });
    if (!from) return inOtherStore();
    const manifest = readSent(result.record.manifest);
    if (!manifest.ok) return await damaged(manifest.errors[0]?.message ?? '');
    const files = Object.values(manifest.value.files);
    const open = await from.openAll(files);
    if (!open) return 'again';
    const committed = await commitRun(manifest.value, open, request);
    if (!committed.ok) return await damaged(committed.errors[0]?.message ?? '');
    recorded.set(key, () => from.release(files));
    return done(readStatus(request.directory)?.outcome ?? result.outcome);
  };

  const failedResult = (reason: string, unfit: Unfit | undefined): TrainResult | 'again' => {
    if (reason === filesLostReason) return 'again';
    if (!unfit) return exited(reason);
    // No worker is left that could train the others.
    refuse(unfit);
    return { type: 'left', message: refusedByNow() ?? unfit.message };
  };

  return {
    name: 'bullmq',
    runsAtOnce: () => maxParallel ?? mostWatched,
    slots: () => Math.max(1, Math.min(slots, maxParallel ?? Infinity)),
    train,
    warm: () => undefined,
    shareThreads: () => undefined,
    detach: () => leave('it is queued for the workers'),
    stopAll: () => {
      isOutOfTime = true;
      void takeBack(outOfTime).catch(() => undefined);
    },
    startNoMore: () => {
      void takeBack('the sweep was stopped before this run began').catch(() => undefined);
    },
    killAll: () => leave('it was left to the workers'),
    close: async () => {
      clearInterval(watch);
      clearInterval(hosts);
      // The last runs may have been queued while `unroll cancel` took the others back.
      const last = () => Promise.allSettled(submitting).then(() => heedCancellation({ isLast: true }));
      if (queued.size > 0) await whileAnswered(client, last());
      const closing = Promise.allSettled([...settling, events.close(), queue.close()]);
      await Promise.race([closing, delay(closingMs)]);
      client.disconnect();
    },
  };

  /** Takes back the runs that no worker has begun; once the time is over, also interrupts the others. */
  async function takeBack(message: string): Promise<void> {
    refused ??= message;
    const wanted = [...pending].filter(([, one]) => one.isQueued && (isOutOfTime || one.starts === 0));
    await Promise.all(
      wanted.map(async ([key, one]) => {
        const end = await takeBackOne(key, one, message);
        if (end) one.end(end);
      }),
    );
  }

  /** Returns how a run ends here; undefined while it trains. One that another sweep waits for, too, is left to it. */
  async function takeBackOne(
    key: string,
    { request, starts }: Pending,
    message: string,
  ): Promise<End | undefined> {
    const end = await endOfJob(queue, key);
    if (end) return end;
    const claim = claimOf(sweepId, request.directory);
    if (!(await giveUp(client, key, [claim])))
      return {
        type: 'left',
        message: 'it was left to the workers, because another command waits for it, too',
      };
    if (starts === 0 && (await queue.remove(key).catch(() => 0)) === 1) return { type: 'left', message };
    if (isOutOfTime) await client.publish(keys.interruptions, key);
    else await client.sadd(keys.claims(key), claim);
    return undefined;
  }
};
