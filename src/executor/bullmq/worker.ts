import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Job as QueuedJob } from 'bullmq';
import { captureEnvironment, coreCount } from '../../record/environment.ts';
import type { RunOutcome, TrainerEvent } from '../../record/events.ts';
import { systemErrorOf } from '../../system/system-error.ts';
import { packRun } from '../../record/packed-run.ts';
import { readStatus } from '../../record/read-runs.ts';
import { recordLoss, runDirectory } from '../../record/run-recorder.ts';
import { outcomeOfExit } from '../exit-reason.ts';
import { formatDuration } from '../../terminal/format.ts';
import { createPool, type Pool } from '../local/pool.ts';
import { isTakenBack } from './claims.ts';
import { bringFiles, FilesLost, isJobKey, namesFolders } from './bring-files.ts';
import { fitJob, kernelProblem, storeProblem, unfitFor, type Equipment, type Fit } from './fitness.ts';
import { answerQuestion, hideWorker, listWorkers, showWorker, silentMs } from './presence.ts';
import {
  cancelledReason,
  filesLostReason,
  fromText,
  keys,
  parseJob,
  parseQuestion,
  queueName,
  spokenVersion,
  toText,
  type Job,
  type JobResult,
  type Progress,
  type Unfit,
  type WorkerFacts,
} from './protocol.ts';
import { prefix, refusalOf, type RedisServer } from './redis.ts';
import { keepStates } from './kept-states.ts';
import { transportOf, transportThrough } from './transport.ts';
import { removeUnreadable } from './unreadable-jobs.ts';
import { createThreadBudget } from './thread-budget.ts';
import { checkIntervalMs, fenceMs, lockMs } from './timing.ts';

export interface WorkerOptions {
  readonly resourceClass: string;
  /** Runs at a time; `auto` as many as the cores allow with the threads of the runs. */
  readonly slots: number | 'auto';
  readonly equipment: Equipment;
  readonly commandLine: string;
  readonly print: (line: string) => void;
}

export interface RunningWorker {
  readonly facts: () => WorkerFacts;
  /** Takes no more jobs and ends when the active runs have ended. */
  readonly drain: () => Promise<void>;
  /** Ends active runs with a checkpoint and gives them back to the queue. */
  readonly giveBack: () => void;
}

/** How many crashes of workers a job survives; one that brings down every worker must end. */
const mostStalls = 5;

/** How often what a run reports is sent on. */
const reportEveryMs = 500;

/** When the beginning of a run is reported: what ends sooner reports all with its result. */
const firstReportMs = 100;

/** How long a worker that lacks something leaves the queue to others. */
const stepAsideMs = 5000;

/** A run that is being trained here. */
interface Active {
  readonly stop: AbortController;
  readonly kill: AbortController;
  readonly name: string;
  /** Why it is ended before its end. */
  ending?: 'cancelled' | 'fenced' | 'given-back';
  /** How long its child had it, in milliseconds. */
  trainedMs: number;
  /** When the lock of its job was last asked to be renewed with success, by `performance.now`. */
  renewedAt: number;
}

/**
 * Serves a queue: trains its runs in child processes, never in its own loop, which has locks to renew. A worker that cannot
 * renew the lock of a job kills its child before the job can pass on to another worker.
 */
export const serveQueue = async (server: RedisServer, options: WorkerOptions): Promise<RunningWorker> => {
  const { resourceClass, slots, equipment, print } = options;
  const { client, connection, packages } = server;
  const { UnrecoverableError, WaitingError, Worker } = packages.bullmq;
  const host = hostname();
  const id = `${host}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const startedAt = Date.now();
  const cores = coreCount();
  const active = new Map<string, Active>();
  const pools = new Map<number, Pool>();
  const budget = slots === 'auto' ? createThreadBudget(cores) : undefined;
  const environment = captureEnvironment(equipment.dataDirectory, options.commandLine);
  const kept = keepStates(equipment.store, print);
  const through = { store: equipment.store, onTrouble: kept.onTrouble };
  let closing = false;

  const facts = (): WorkerFacts => ({
    id,
    host,
    pid: process.pid,
    speaks: spokenVersion,
    class: resourceClass,
    slots: worker.concurrency,
    cores,
    busy: active.size,
    ...(equipment.store && { store: equipment.store.id }),
    startedAt,
    clock: Date.now(),
  });

  const folderOf = ({ id: key = '' }: QueuedJob): string =>
    join(equipment.workDirectory, isJobKey(key) ? key : 'unnamed');

  const poolOf = (threads: number): Pool => {
    const known = pools.get(threads);
    if (known) return known;
    // Idle processes of other plans would keep their memory.
    for (const other of pools.values()) void other.close();
    const { bundle } = equipment;
    const pool = createPool({ threads, ownCode: bundle !== undefined, diesWithParent: true });
    pools.set(threads, pool);
    return pool;
  };

  /** Another worker may have what this one lacks; the last one ends the job. */
  const decline = async (queued: QueuedJob, token: string, unfit: Unfit): Promise<never> => {
    const message = `Worker on ${host}: ${unfit.message}.`;
    print(message);
    const others = (await listWorkers(client)).filter(
      (one) => one.isAlive && one.id !== id && one.class === resourceClass && one.speaks === spokenVersion,
    );
    if (others.length === 0 || unfit.kind === 'unreadable')
      throw new UnrecoverableError(toText({ ...unfit, message }));
    await worker.pause(true);
    setTimeout(() => void worker.resume(), stepAsideMs).unref();
    await queued.moveToWait(token);
    throw new WaitingError();
  };

  const work = async (queued: QueuedJob, token = ''): Promise<string> => {
    const key = queued.id ?? '';
    const job = parseJob(queued.data);
    if (!job || !namesFolders(key, job.run)) {
      const message = `Worker on ${host} cannot read the job.`;
      print(`${message} (${key})`);
      throw new UnrecoverableError(
        toText({ kind: 'damaged', message, help: 'Submit it with this version of Unroll.' }),
      );
    }
    const own: Active = {
      stop: new AbortController(),
      kill: new AbortController(),
      name: `${job.run.experiment}/${job.run.id}`,
      renewedAt: performance.now(),
      trainedMs: 0,
    };
    // From here on it hears of a cancellation, which may come while its data is read.
    active.set(key, own);
    let give: (() => void) | undefined;
    try {
      const [takenBack, fit] = await Promise.all([
        isTakenBack(client, key, job.sweep),
        storeProblem(job, equipment.store) ??
          kernelProblem(job.kernel === undefined ? [] : [job.kernel]) ??
          fitJob(job, equipment),
      ]);
      if (takenBack) throw new UnrecoverableError(cancelledReason);
      if (!('run' in fit)) return await decline(queued, token, fit);
      if (budget) worker.concurrency = Math.max(1, Math.floor(cores / Math.min(cores, job.threads)));
      give = await budget?.take(job.threads);
      const begunAt = performance.now();
      const result = await trainHere({ job, fit, own, queued }).catch((error: unknown) => {
        if (error instanceof FilesLost) throw new UnrecoverableError(filesLostReason);
        const trouble = systemErrorOf(error);
        if (!trouble) throw error;
        const { message, advice, code } = trouble;
        return { host, outcome: unbegun(`on ${host}: ${message}. ${advice}`, code) };
      });
      if (own.ending === 'cancelled') throw new UnrecoverableError(cancelledReason);
      if (own.ending !== undefined) {
        // Once the lock has passed on, the job is another worker's.
        await queued.moveToWait(token).catch(() => undefined);
        throw new WaitingError();
      }
      const besides = performance.now() - begunAt - own.trainedMs;
      print(
        `ended ${own.name}: ${result.outcome.reason}, ${result.outcome.step} steps; ` +
          `${spanOf(own.trainedMs)} of training, ${besides.toFixed(1)} ms for files and the queue`,
      );
      return toText(result);
    } catch (error) {
      const refusal = refusalOf(error, server.address);
      if (!refusal) throw error;
      const message = `Worker on ${host}: ${refusal.message}`;
      print(message);
      throw new UnrecoverableError(toText({ kind: 'unreadable', message, help: refusal.help ?? '' }));
    } finally {
      give?.();
      active.delete(key);
    }
  };

  const trainHere = async ({
    job,
    fit: { run, baseDirectory },
    own,
    queued,
  }: {
    readonly job: Job;
    readonly fit: Fit;
    readonly own: Active;
    readonly queued: QueuedJob;
  }): Promise<JobResult> => {
    const { bundle } = equipment;
    const directory = runDirectory(folderOf(queued), run);
    const startFile = await bringFiles((place) => transportOf(client, place, through), job, directory);
    const key = queued.id ?? '';
    await kept.bring(job, { key, directory, start: queued.attemptsStarted });
    const saver = kept.saverOf(job, { key, directory });
    const report = reporter(queued, { host, start: queued.attemptsStarted });
    print(`began ${own.name}${queued.attemptsStarted > 1 ? ` again (start ${queued.attemptsStarted})` : ''}`);
    const { kernel, threads, timeoutMs, pauseAt, attempt, profile } = job;
    const startedAt = performance.now();
    const result = await poolOf(threads).train(
      {
        type: 'train',
        run,
        pauseAt,
        attempt,
        // Nothing but what the job brought is there.
        fromTheStart: false,
        directory,
        baseDirectory,
        environment: await environment,
        threads,
        profile,
        ...(kernel !== undefined && { kernel }),
        ...(bundle !== undefined && { bundle }),
        ...(startFile !== undefined && { startFile }),
      },
      {
        timeoutMs,
        onWait: () => undefined,
        onStart: report.begin,
        onEvent: (event, bytes) => {
          report.add(event, bytes);
          if (event.type === 'checkpoint-written') saver?.save();
        },
        stop: own.stop.signal,
        kill: own.kill.signal,
      },
    );
    own.trainedMs = performance.now() - startedAt;
    const unsent = report.end();
    const rest = unsent && { report: unsent };
    if (own.ending === 'given-back') await saver?.finish();
    // Without a network it would wait for ever.
    else if (own.ending !== 'fenced') await saver?.stop();
    let outcome: RunOutcome;
    if (result.type === 'done') outcome = result.outcome;
    else {
      outcome = {
        ...outcomeOfExit(result, { killedByUser: false, timeoutMs }),
        step: readStatus(directory)?.outcome?.step ?? 0,
        elapsedMs: Math.round(own.trainedMs),
        metrics: {},
      };
      if (own.ending === undefined) recordLoss(directory, run, { outcome, attempt });
    }
    if (own.ending !== undefined) return { host, outcome };
    const packed = await packRun(directory, { checkpoints: true, keep: true });
    if (!packed.ok)
      return { host, outcome: { ...outcome, message: `on ${host}: ${outcome.message}` }, ...rest };
    const transport = transportThrough(client, { ...through, store: kept.sharedWith(job), job: key });
    const place = await transport.send(packed.value.files, { areFinal: outcome.reason === 'completed' });
    return { host, outcome, record: { manifest: packed.value.manifest, ...place }, ...rest };
  };

  /** Notes when locks are renewed. */
  class FencedWorker extends Worker {
    override async extendJobLocks(ids: string[], tokens: string[], duration: number): Promise<string[]> {
      const askedAt = performance.now();
      const lost = await super.extendJobLocks(ids, tokens, duration);
      for (const one of ids) {
        const run = active.get(one);
        if (run && lost.includes(one)) fence(run);
        else if (run) run.renewedAt = askedAt;
      }
      return lost;
    }
  }

  const fence = (run: Active) => {
    if (run.ending === 'fenced') return;
    run.ending = 'fenced';
    print(`killed ${run.name}: its lock could not be renewed, so another worker may train it`);
    run.kill.abort();
  };

  const worker = new FencedWorker(queueName(resourceClass), work, {
    connection,
    prefix,
    name: id,
    concurrency: slots === 'auto' ? cores : slots,
    lockDuration: lockMs,
    stalledInterval: checkIntervalMs,
    maxStalledCount: mostStalls,
    drainDelay: 5,
    skipVersionCheck: true,
  });
  let isRemoving = false;
  let isCut = false;
  let lastRefusal = '';
  worker.on('error', (error) => {
    // What BullMQ cannot use is an error of any kind.
    if (client.status === 'ready' && !isRemoving) {
      isRemoving = true;
      void removeUnreadable(server, { queue: queueName(resourceClass), active, print })
        .catch(() => undefined)
        .finally(() => (isRemoving = false));
    }
    const refusal = refusalOf(error, server.address);
    if (refusal && refusal.message !== lastRefusal) print(`${refusal.message} ${refusal.help ?? ''}`);
    lastRefusal = refusal?.message ?? lastRefusal;
    if (isCut || closing || client.status === 'ready') return;
    isCut = true;
    print(`Redis at ${server.address} does not answer; trying again`);
  });
  client.on('ready', () => {
    if (isCut) print(`Redis at ${server.address} answers again`);
    isCut = false;
  });
  const forget = (queued: QueuedJob) => {
    void rm(folderOf(queued), { recursive: true, force: true });
    kept.drop(parseJob(queued.data), queued.id ?? '');
  };
  worker.on('completed', forget);
  worker.on('failed', (queued) => {
    if (queued) forget(queued);
  });

  const watch = setInterval(() => {
    const now = performance.now();
    for (const run of active.values()) if (now - run.renewedAt > fenceMs) fence(run);
  }, lockMs / 60);
  const show = () => void showWorker(client, facts()).catch(() => undefined);
  const heartbeat = setInterval(show, silentMs / 5);

  const listener = client.duplicate();
  listener.on('error', () => undefined);
  listener.on('message', (channel: string, text: string) => {
    if (channel === keys.cancellations || channel === keys.interruptions) {
      const run = active.get(text);
      if (!run || run.ending !== undefined) return;
      if (channel === keys.cancellations) run.ending = 'cancelled';
      print(`stopping ${run.name}: ${run.ending ?? 'the time of its sweep is over'}`);
      run.stop.abort();
    }
    const question = channel === keys.questions ? parseQuestion(fromText(text)) : undefined;
    if (question?.class === resourceClass)
      void unfitFor(question.needed, equipment)
        .then((unfit) => answerQuestion(client, question.id, { worker: id, clock: Date.now(), unfit }))
        .catch(() => undefined);
  });
  await listener.subscribe(keys.questions, keys.cancellations, keys.interruptions);
  await worker.waitUntilReady();
  await showWorker(client, facts());

  return {
    facts,
    drain: async () => {
      closing = true;
      await worker.close();
      clearInterval(watch);
      clearInterval(heartbeat);
      for (const pool of pools.values()) await pool.close();
      await hideWorker(client, id).catch(() => undefined);
      listener.disconnect();
      client.disconnect();
    },
    giveBack: () => {
      for (const run of active.values()) {
        run.ending ??= 'given-back';
        run.stop.abort();
      }
    },
  };
};

/** Tiny runs take milliseconds. */
const spanOf = (ms: number): string => (ms < 1000 ? `${ms.toFixed(0)} ms` : formatDuration(ms));

const unbegun = (message: string, systemError: string): RunOutcome => ({
  reason: 'interrupted',
  message,
  step: 0,
  elapsedMs: 0,
  metrics: {},
  systemError,
});

/** Sends a run's reports, no more often than people can read them. */
const reporter = (queued: QueuedJob, about: { readonly host: string; readonly start: number }) => {
  let waiting: TrainerEvent[] = [];
  let pid = 0;
  let residentBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  const take = (): Progress => {
    clearTimeout(timer);
    timer = undefined;
    const progress = { ...about, pid, residentBytes, events: waiting };
    waiting = [];
    return progress;
  };
  const flushAfter = (ms: number) => {
    // The record, which is sent at the end, has what is lost here.
    timer ??= setTimeout(() => void queued.updateProgress(toText(take())).catch(() => undefined), ms);
  };
  return {
    begin: (of: number) => {
      pid = of;
      flushAfter(firstReportMs);
    },
    add: (event: TrainerEvent, bytes: number) => {
      waiting.push(event);
      residentBytes = bytes;
      flushAfter(reportEveryMs);
    },
    /** What was not sent; undefined for nothing. */
    end: (): Progress | undefined => (timer ? take() : undefined),
  };
};
