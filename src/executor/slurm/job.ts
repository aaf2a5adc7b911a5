import { join } from 'node:path';
import { machineFacts } from '../../record/environment.ts';
import type { RunOutcome } from '../../record/events.ts';
import { readStatus } from '../../record/read-runs.ts';
import { recordLoss } from '../../record/run-recorder.ts';
import { appendRegular, writeJson } from '../../system/files.ts';
import { afterMs } from '../../system/long-timer.ts';
import { packageVersion } from '../../system/package-root.ts';
import { counted } from '../../terminal/format.ts';
import type { StopReason, TrainRequest } from '../../training/protocol.ts';
import { outcomeOfExit } from '../exit-reason.ts';
import { createPool, type Pool } from '../local/pool.ts';
import { clockFault } from './clock.ts';
import { moreMemory } from './memory.ts';
import { codeFault } from './code.ts';
import { limitSignal, slurm, submit } from './commands.ts';
import {
  inBatch,
  isOver,
  noteLine,
  readBatch,
  readResult,
  readTask,
  slurmProtocol,
  writeResult,
  type Batch,
  type JobNote,
} from './folder.ts';
import { parseSlurmTime, stopMarginMs } from './time.ts';

/** Why a job ends before its runs: its time is up, or it was cancelled or preempted. */
type Ending = 'limit' | 'signal';

interface Job {
  readonly folder: string;
  readonly task: number;
  readonly batch: Batch;
  readonly print: (line: string) => void;
}

/**
 * The program of a job: trains the runs of a task that have no result yet, each in its run directory by the usual child
 * programs. Near its time limit it lets them write checkpoints and submits the task again. Returns whether it could train.
 */
export const runJob = async (
  folder: string,
  task: number,
  print: (line: string) => void,
): Promise<boolean> => {
  const batch = readBatch(folder);
  const requests = readTask(folder, task);
  if (!batch || !requests) {
    print(`${join(folder, inBatch.task(task))} cannot be read on this node.`);
    return false;
  }
  const { host } = machineFacts();
  const refusal =
    refusalOf(batch, host) ?? (batch.code ? codeFault(join(folder, inBatch.code), batch.code) : undefined);
  if (refusal !== undefined) {
    print(refusal);
    writeJson(join(folder, inBatch.refused(task)), { message: refusal });
    return false;
  }
  const startedAt = Date.now();
  writeJson(join(folder, inBatch.started(task)), { host, pid: process.pid, startedAt });
  await trainTask({ folder, task, batch, print }, requests);
  return true;
};

const refusalOf = ({ protocol, version, submittedAt }: Batch, host: string): string | undefined => {
  if (protocol !== slurmProtocol || version !== packageVersion)
    return `Node ${host} has Unroll ${packageVersion}, and the jobs were submitted by ${version}. Install the same version for both.`;
  return clockFault({ earlier: submittedAt, later: Date.now() }, { here: host, there: 'the submitter' });
};

const trainTask = async (job: Job, requests: readonly TrainRequest[]): Promise<void> => {
  const { folder, batch, print } = job;
  const left = requests.filter(({ run }) => readResult(folder, run.id) === undefined);
  const pool = createPool({ threads: batch.threads, ownCode: batch.code !== null });
  const stopping = listenForEnd(pool, batch, await timeLeft(batch));
  let progressed: boolean | undefined;
  const trainNext = async (): Promise<void> => {
    for (let request = left.shift(); request; request = left.shift()) {
      if (stopping.ending() !== undefined || isOver(folder)) {
        left.unshift(request);
        return;
      }
      const { outcome, steps } = await trainOne(request, { job, pool, stopping });
      progressed = progressed === true || steps > 0;
      if (outcome.reason === 'interrupted' && stopping.ending() !== undefined) {
        left.push(request);
        return;
      }
      writeResult(folder, request.run.id, outcome);
      progressed = true;
      print(`${request.run.id} ${outcome.reason} at step ${outcome.step}`);
    }
  };
  await Promise.all(Array.from({ length: runsAtOnce(batch) }, trainNext));
  await pool.close();
  stopping.release();
  const ending = stopping.ending();
  if (left.length === 0 || ending !== 'limit' || isOver(folder)) return;
  if (progressed === true) await submitAgain(job, left.length);
  else for (const request of left) giveUp(job, request);
};

/** How much time the job has left: from Slurm, since its limit may have been changed; otherwise from its own request. */
const timeLeft = async ({ timeMs }: Batch): Promise<number> => {
  const id = process.env['SLURM_JOB_ID'];
  if (id === undefined) return timeMs;
  const { stdout } = await slurm('squeue', ['--noheader', `--jobs=${id}`, '--format=%L'], {
    timeoutMs: 3000,
  });
  return Math.min(parseSlurmTime(stdout.trim()) ?? timeMs, 2 ** 31 - 1);
};

/** As many runs as the job's cores allow: a whole node may have more than one run needs. */
const runsAtOnce = ({ cpusPerRun }: Batch): number => {
  const cpus = Number(process.env['SLURM_CPUS_ON_NODE'] ?? cpusPerRun);
  return Math.max(1, Math.floor(cpus / cpusPerRun));
};

interface Stopping {
  readonly ending: () => Ending | undefined;
  readonly release: () => void;
}

const signals = { [`SIG${limitSignal}`]: 'limit', SIGTERM: 'signal' } as const;

/** Ends the runs in order when the time of the job is almost over, or when Slurm sends its signal. */
const listenForEnd = (pool: Pool, { timeMs }: Batch, leftMs: number): Stopping => {
  let ending: Ending | undefined;
  const marginMs = stopMarginMs(timeMs);
  const end = (reason: Ending) => {
    ending ??= reason;
    const why: StopReason = 'interrupted';
    pool.stopAll(why, marginMs);
  };
  const cancel = afterMs(leftMs - marginMs, () => end('limit'));
  const listeners = Object.entries(signals).map(([signal, reason]) => [signal, () => end(reason)] as const);
  for (const [signal, listener] of listeners) process.on(signal, listener);
  return {
    ending: () => ending,
    release: () => {
      cancel();
      for (const [signal, listener] of listeners) process.off(signal, listener);
    },
  };
};

interface Training {
  readonly job: Job;
  readonly pool: Pool;
  readonly stopping: Stopping;
}

/** Returns how the run ended, and how many steps this job has trained of it. */
const trainOne = async (
  request: TrainRequest,
  { job: { folder, task, batch }, pool, stopping }: Training,
): Promise<{ readonly outcome: RunOutcome; readonly steps: number }> => {
  const { run, directory } = request;
  const before = readStatus(directory)?.attempt ?? 0;
  // A job that Slurm starts again has begun the run before.
  const isFirst = before < request.attempt;
  const attempt = isFirst ? request.attempt : before + 1;
  const startedAt = Date.now();
  const notes = openNotes(join(folder, inBatch.events(task)));
  const { host } = machineFacts();
  let fromStep = 0;
  let step = 0;
  const result = await pool.train(
    {
      ...request,
      attempt,
      fromTheStart: request.fromTheStart && isFirst,
      environment: { ...request.environment, ...machineFacts() },
    },
    {
      timeoutMs: batch.timeoutMs,
      onWait: (pid) => notes.add({ run: run.id, waitsFor: pid }),
      onStart: (pid) => notes.add({ run: run.id, begun: pid, host }),
      onEvent: (event, residentBytes) => {
        if (event.type === 'training-started') step = fromStep = event.fromStep;
        if (event.type === 'step-logged') step = event.step;
        notes.add({ run: run.id, event, residentBytes });
      },
    },
  );
  notes.close();
  if (result.type === 'done')
    return { outcome: result.outcome, steps: Math.max(0, result.outcome.step - fromStep) };
  const killed = stopping.ending() !== undefined;
  const exit = outcomeOfExit(result, { killedByUser: false, timeoutMs: batch.timeoutMs });
  const outcome: RunOutcome = {
    ...exit,
    ...(exit.reason === 'out-of-memory' && { message: `${exit.message}; ${moreMemory}` }),
    // It was killed with its job.
    ...(killed && { reason: 'interrupted' }),
    step,
    elapsedMs: Date.now() - startedAt,
    metrics: {},
  };
  recordLoss(directory, run, { outcome, attempt });
  return { outcome, steps: 0 };
};

/** Notes reach the file in groups, so that logging every step costs the shared file system little. */
const flushEveryMs = 500;

const openNotes = (path: string) => {
  let waiting = '';
  const flush = () => {
    if (waiting !== '') appendRegular(path, waiting);
    waiting = '';
  };
  const timer = setInterval(flush, flushEveryMs);
  return {
    add: (note: JobNote) => {
      waiting += noteLine(note);
    },
    close: () => {
      clearInterval(timer);
      flush();
    },
  };
};

const submitAgain = async ({ folder, task, batch, print }: Job, runs: number): Promise<void> => {
  const submitted = await submit(batch.arguments, {
    tasks: String(task),
    script: join(folder, inBatch.script),
    ownCode: batch.code !== null,
  });
  print(
    'job' in submitted
      ? `The time limit is near: job ${submitted.job} trains what is left: ${counted(runs, 'run')}.`
      : `The time limit is near, and this node cannot submit a job: ${submitted.refused}`,
  );
};

/** Jobs that make no step would be resubmitted for ever. */
const giveUp = ({ folder, batch }: Job, { run, directory, attempt }: TrainRequest): void => {
  const minutes = Math.ceil(batch.timeMs / 60_000);
  const message = `the time limit of its Slurm job, ${minutes} min, is too short: no run made a step in it; set a longer run.slurm.time`;
  const outcome: RunOutcome = { reason: 'timed-out', message, step: 0, elapsedMs: 0, metrics: {} };
  recordLoss(directory, run, { outcome, attempt: Math.max(attempt, readStatus(directory)?.attempt ?? 0) });
  writeResult(folder, run.id, outcome);
};
