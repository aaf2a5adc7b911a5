import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RunOutcome, TrainingHost } from '../../record/events.ts';
import { readStatus } from '../../record/read-runs.ts';
import { recordLoss } from '../../record/run-recorder.ts';
import { counted } from '../../terminal/format.ts';
import type { TrainRequest } from '../../training/protocol.ts';
import type { Executor, TrainResult } from '../executor.ts';
import { askForNoMore, askToEnd } from './cancel.ts';
import { clockFault } from './clock.ts';
import { queueOf, submit } from './commands.ts';
import {
  inBatch,
  isOver,
  listBatches,
  readBatch,
  readRefused,
  readResult,
  readStarted,
  readTask,
  type Batch,
} from './folder.ts';
import { readNotes, startFault, type Followed, type Wanted } from './followed.ts';
import { moreMemory, wasEndedForMemory } from './memory.ts';
import { hostsOf, obstacleOf, type QueuedTask } from './queue.ts';
import { submitBatch, type BatchOptions, type RunClass } from './submit-batch.ts';

export interface SlurmExecutorOptions extends BatchOptions {
  readonly note: (level: 'info' | 'warning', message: string) => void;
  /** Called with the training nodes whenever they change. */
  readonly showHosts: (hosts: readonly TrainingHost[]) => void;
  /** How many runs the cluster could train at a time. */
  readonly slots: number;
  /** Whether runs are asked for one by one, as the results of others decide, so that an array has one task. */
  readonly isSearch: boolean;
}

/** Runs that are asked for at once: all of them, so that they can be packed, within what one job array may have. */
const mostAtOnce = 1000;

/** Requests that come within this belong into one array. */
const gatherMs = 100;

/** How often the files of the jobs are read. */
const lookMs = 500;

/** How often Slurm is asked: often while jobs begin, which is when most goes wrong, seldom afterwards. */
const askMs = (sinceSubmissionMs: number): number => (sinceSubmissionMs < 30_000 ? 2000 : 10_000);

/** How long to wait before submitting again what Slurm has refused while other jobs are active. */
const askAgainMs = 30_000;

/** How long the files of a batch without jobs are kept: its log may be needed, or it may be about to be submitted. */
const keptMs = 3_600_000;

/** A job has ended if Slurm does not know it twice in a row; the first time it may be restarting. */
const missesBeforeLost = 2;

/** How often a task is submitted again without any progress since. */
const mostResubmissions = 3;

/** Trains runs in jobs of Slurm. The files of the batches decide what has ended; Slurm is asked only for what is lost. */
export const createSlurmExecutor = (options: SlurmExecutorOptions): Executor => {
  const { note } = options;
  const waiting: Wanted[] = [];
  const followed: Followed[] = [];
  const reported = new Set<string>();
  /** Batches that this command has submitted. */
  const own = new Set<string>();
  let shownHosts = '[]';
  /** Whether a job could start Unroll, so that one that cannot has a node to blame. */
  let anyStarted = false;
  let submittedAt = 0;
  let askedAt = 0;
  /** Why no run is submitted or waited for any more. */
  let over: string | undefined;
  /** Whether the user has left: what is still asked for is submitted and not waited for. */
  let isDetached = false;
  let gathering: NodeJS.Timeout | undefined;
  let looking: NodeJS.Timeout | undefined;
  let work: Promise<void> = Promise.resolve();

  /** Reads and submissions take turns, so that neither overtakes the other. */
  const next = (act: () => Promise<void>): void => {
    work = work
      .then(act)
      .catch((error: unknown) => end(error instanceof Error ? error.message : String(error)));
  };

  const once = (level: 'info' | 'warning', message: string) => {
    if (!reported.has(message)) note(level, message);
    reported.add(message);
  };

  const end = (message: string) => {
    over ??= message;
    clearTimeout(gathering);
    clearTimeout(looking);
    const left = [...waiting.splice(0), ...followed.splice(0).flatMap(({ runs }) => [...runs.values()])];
    for (const { resolve } of left) resolve({ type: 'left', message });
  };

  const fail = async (message: string) => {
    once('warning', message);
    const folders = followed.map(({ folder }) => folder);
    end(message);
    await askToEnd(folders);
  };

  const follow = (folder: string, batch: Batch, number: number, runs: readonly Wanted[]) => {
    if (isDetached) {
      for (const { resolve } of runs) resolve(leftToJob);
      return;
    }
    followed.push({
      folder,
      batch,
      number,
      runs: new Map(runs.map((one) => [one.request.run.id, one])),
      offset: 0,
      misses: 0,
      resubmissions: 0,
      hasStarted: false,
      furthest: new Map(),
    });
    submittedAt = askedAt = Date.now();
    looking ??= setTimeout(look, lookMs);
  };

  /** Follows the jobs of an earlier command that train some of the wanted runs; returns the others. */
  const adopt = async (wanted: readonly Wanted[]): Promise<readonly Wanted[]> => {
    const folders = listBatches(options.directory).filter((folder) => !own.has(folder));
    const batches = folders.flatMap((folder) => {
      const batch = readBatch(folder);
      return batch ? [{ folder, batch }] : [];
    });
    const queue = await queueOf(batches.map(({ batch }) => batch.name));
    // Without an answer nothing may be removed, and a job that trains a run makes a second one wait.
    if (!queue) return wanted;
    const rest = new Map(wanted.map((one) => [one.request.run.id, one]));
    let adopted = 0;
    for (const { folder, batch } of batches) {
      const live = queue.filter(({ name, phase }) => name === batch.name && phase !== 'ended');
      if (live.length === 0) {
        if (Date.now() - batch.submittedAt < keptMs) continue;
        rmSync(folder, { recursive: true, force: true });
        continue;
      }
      if (isOver(folder)) continue;
      for (const number of new Set(live.map(({ task }) => task))) {
        const runs = (readTask(folder, number) ?? []).flatMap((request) => {
          const one = rest.get(request.run.id);
          const isSame = one && request.pauseAt === one.request.pauseAt && !one.request.fromTheStart;
          return isSame && readResult(folder, request.run.id) === undefined ? [one] : [];
        });
        const isFollowed = followed.some((one) => one.folder === folder && one.number === number);
        if (runs.length === 0 || isFollowed) continue;
        for (const { request } of runs) rest.delete(request.run.id);
        adopted += runs.length;
        follow(folder, batch, number, runs);
      }
    }
    if (adopted > 0)
      note(
        'info',
        `${counted(adopted, 'run')} ${adopted === 1 ? 'is' : 'are'} in jobs that an earlier command has submitted.`,
      );
    return [...rest.values()];
  };

  const submitWaiting = async () => {
    gathering = undefined;
    const classes = new Map<string, Wanted[]>();
    for (const one of await adopt(waiting.splice(0))) {
      const key = JSON.stringify(classOf(one));
      classes.set(key, [...(classes.get(key) ?? []), one]);
    }
    for (const wanted of classes.values()) await submitClass(wanted);
  };

  const submitClass = async (wanted: readonly Wanted[]) => {
    const [first] = wanted;
    if (!first) return;
    const requests = wanted.map(({ request }) => request);
    const submitted =
      over === undefined ? await submitBatch(requests, classOf(first), options) : { refused: over };
    if ('refused' in submitted) {
      waiting.push(...wanted);
      if (over === undefined && followed.length > 0) {
        // A user may have only so many jobs at a time.
        once('warning', `Slurm takes no more jobs now, and is asked again: ${submitted.refused}`);
        gathering ??= setTimeout(() => next(submitWaiting), askAgainMs);
      } else await fail(over ?? `Slurm refuses the job: ${submitted.refused}`);
      return;
    }
    const { folder, batch, job, tasks } = submitted;
    own.add(folder);
    const byId = new Map(wanted.map((one) => [one.request.run.id, one]));
    for (const [number, content] of tasks.entries())
      follow(
        folder,
        batch,
        number,
        content.flatMap(({ run }) => byId.get(run.id) ?? []),
      );
    note(
      'info',
      `Submitted job ${job}: ${counted(wanted.length, 'run')} in ${counted(tasks.length, 'task')}.`,
    );
  };

  const look = () => {
    looking = undefined;
    next(async () => {
      for (const one of [...followed]) read(one);
      const now = Date.now();
      if (followed.length > 0 && now - askedAt >= askMs(now - submittedAt)) {
        askedAt = now;
        await ask();
      }
      if (followed.length > 0) looking ??= setTimeout(look, lookMs);
    });
  };

  /** Reads what a task has reported since, and gives the runs that have ended their results. */
  const read = (one: Followed) => {
    const { folder, number, runs } = one;
    const refused = readRefused(folder, number);
    if (refused !== undefined) {
      next(() => fail(refused));
      return;
    }
    const started = one.hasStarted ? undefined : readStarted(folder, number);
    if (started) {
      one.hasStarted = anyStarted = true;
      const fault = clockFault(
        { earlier: started.startedAt, later: Date.now() },
        { here: 'this machine', there: `node ${started.host}` },
      );
      if (fault !== undefined) {
        next(() => fail(fault));
        return;
      }
    }
    readNotes(one);
    for (const [id, { resolve }] of runs) {
      const outcome = readResult(folder, id);
      if (!outcome) continue;
      runs.delete(id);
      one.resubmissions = 0;
      resolve({ type: 'done', events: [], outcome, residentBytes: 0 });
    }
    if (runs.size === 0) followed.splice(followed.indexOf(one), 1);
  };

  /** Asks Slurm for the followed tasks, and handles those that it no longer has. */
  const ask = async () => {
    const queue = await queueOf([...new Set(followed.map(({ batch }) => batch.name))]);
    if (!queue) {
      once('warning', 'squeue does not answer; the files of the jobs are still followed.');
      return;
    }
    showHosts(queue);
    for (const one of [...followed]) {
      const known = queue.filter(({ name, task }) => name === one.batch.name && task === one.number);
      if (known.some(({ phase }) => phase !== 'ended')) {
        one.misses = 0;
        for (const task of known) {
          const obstacle = obstacleOf(task);
          if (obstacle !== undefined)
            once(
              'warning',
              `Job ${task.job} waits, and will not begin by itself, for Slurm's reason ${obstacle}.`,
            );
        }
        continue;
      }
      one.misses++;
      const last = known.sort((a, b) => Number(b.job) - Number(a.job))[0];
      if (one.misses >= missesBeforeLost && followed.includes(one)) await takeCareOf(one, last);
    }
  };

  const showHosts = (queue: readonly QueuedTask[]) => {
    const hosts = hostsOf(queue);
    if (JSON.stringify(hosts) === shownHosts) return;
    shownHosts = JSON.stringify(hosts);
    options.showHosts(hosts);
  };

  const takeCareOf = async (one: Followed, last: QueuedTask | undefined) => {
    read(one);
    const { folder, number, runs } = one;
    if (runs.size === 0 || over !== undefined) return;
    const job = last ? `job ${last.job}` : 'job';
    const place = last?.node ? `${job} on node ${last.node}` : job;
    if (existsSync(join(folder, inBatch.noMore))) leave(one, stoppedBefore);
    else if (existsSync(join(folder, inBatch.cancelled)) || last?.state === 'CANCELLED') {
      once('warning', `The ${job} was cancelled.`);
      leave(one, `its ${job} was cancelled`);
    } else if (last?.state === 'OUT_OF_MEMORY' || wasEndedForMemory(folder, number)) {
      const message = `its ${place} needed more memory than it asked for; ${moreMemory}`;
      giveUp(one, { reason: 'out-of-memory', message });
      if (runs.size > 0) await submitAgain(one, place, last);
    } else if (
      !one.hasStarted &&
      last?.state === 'FAILED' &&
      anyStarted &&
      one.resubmissions < mostResubmissions
    ) {
      once('warning', `The ${place} could not start Unroll. ${startFault(folder, number, last)}`);
      await submitAgain(one, place, last, [`--exclude=${last.node}`]);
    } else if (!one.hasStarted && last?.state === 'FAILED') {
      await fail(`The ${place} could not start Unroll. ${startFault(folder, number, last)}`);
    } else if (one.resubmissions >= mostResubmissions) {
      giveUp(one, {
        reason: 'crashed',
        message: `its jobs ended ${mostResubmissions + 1} times without progress, the last one with ${last?.state ?? 'no known state'}; see ${join(folder, inBatch.log(number))}`,
      });
      if (runs.size > 0) await submitAgain(one, place, last);
    } else await submitAgain(one, place, last);
  };

  const leave = (one: Followed, message: string) => {
    followed.splice(followed.indexOf(one), 1);
    for (const { resolve } of one.runs.values()) resolve({ type: 'left', message });
  };

  /** Ends the runs that the job was training; where it had begun none, all of its runs. */
  const giveUp = (one: Followed, end: Pick<RunOutcome, 'reason' | 'message'>) => {
    const begun = [...one.runs].filter(([id]) => one.furthest.has(id));
    const outcome: RunOutcome = { ...end, step: 0, elapsedMs: 0, metrics: {} };
    for (const [id, { request, resolve }] of begun.length > 0 ? begun : [...one.runs]) {
      const { directory, run, attempt } = request;
      const before = readStatus(directory)?.attempt ?? 0;
      recordLoss(directory, run, { outcome, attempt: Math.max(attempt, before) });
      one.runs.delete(id);
      resolve({ type: 'done', events: [], outcome, residentBytes: 0 });
    }
    if (one.runs.size === 0) followed.splice(followed.indexOf(one), 1);
  };

  const submitAgain = async (
    one: Followed,
    place: string,
    last: QueuedTask | undefined,
    more: readonly string[] = [],
  ) => {
    const { folder, batch, number, runs } = one;
    one.resubmissions++;
    one.misses = 0;
    const again = await submit([...batch.arguments, ...more], {
      tasks: String(number),
      script: join(folder, inBatch.script),
      ownCode: batch.code !== null,
    });
    if ('refused' in again) await fail(`Slurm refuses the job: ${again.refused}`);
    else
      note(
        'warning',
        `The ${place} has ended${last ? ` (${last.state})` : ''} before its runs; job ${again.job} trains the ${counted(runs.size, 'run')} that ${runs.size === 1 ? 'is' : 'are'} left.`,
      );
  };

  /** The files are followed until the jobs have ended: of what trains, or of writing checkpoints. */
  const stop = (ask: typeof askToEnd) =>
    next(async () => {
      for (const { resolve } of waiting.splice(0)) resolve({ type: 'left', message: stoppedBefore });
      const shared = await sharedFolders();
      for (const one of followed.filter(({ folder }) => shared.has(folder))) leave(one, leftToOthers);
      await ask(followed.map(({ folder }) => folder));
    });

  /** Batches of an earlier command with jobs that also train what this one does not want. */
  const sharedFolders = async (): Promise<ReadonlySet<string>> => {
    const adopted = new Map(
      followed.filter(({ folder }) => !own.has(folder)).map((one) => [one.folder, one]),
    );
    const queue = (await queueOf([...adopted.values()].map(({ batch }) => batch.name))) ?? [];
    const wanted = new Set(
      followed.flatMap(({ folder, runs }) => [...runs.keys()].map((id) => `${folder} ${id}`)),
    );
    const isElse = (folder: string, { run: { id } }: TrainRequest) =>
      !wanted.has(`${folder} ${id}`) && readResult(folder, id) === undefined;
    const shared = [...adopted.values()].filter(({ folder, batch }) =>
      queue
        .filter(({ name, phase }) => name === batch.name && phase !== 'ended')
        .some(({ task }) => readTask(folder, task)?.some((request) => isElse(folder, request))),
    );
    return new Set(shared.map(({ folder }) => folder));
  };

  const detach = () => {
    isDetached = true;
    clearTimeout(looking);
    for (const { runs } of followed.splice(0)) for (const { resolve } of runs.values()) resolve(leftToJob);
  };

  return {
    name: 'slurm',
    runsAtOnce: () => (options.isSearch ? (options.maxParallel ?? mostAtOnce) : mostAtOnce),
    train: (request, task) =>
      new Promise((resolve) => {
        if (over !== undefined) {
          resolve({ type: 'left', message: over });
          return;
        }
        waiting.push({ request, task, resolve });
        gathering ??= setTimeout(() => next(submitWaiting), gatherMs);
      }),
    warm: () => undefined,
    shareThreads: () => undefined,
    stopAll: () => stop(askToEnd),
    startNoMore: () => stop(askForNoMore),
    killAll: detach,
    detach,
    slots: () => options.slots,
    close: async () => {
      await work;
      clearTimeout(looking);
      clearTimeout(gathering);
    },
  };
};

const stoppedBefore = 'the sweep was stopped before this run was done';

const leftToOthers = 'it is left to its Slurm job, which trains runs of an earlier command, too';

const leftToJob: TrainResult = { type: 'left', message: 'it is left to its Slurm job' };

const classOf = ({ request: { threads, bundle }, task: { timeoutMs } }: Wanted): RunClass => ({
  threads,
  bundle,
  timeoutMs,
});
