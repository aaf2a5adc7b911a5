import type { Measured, MeasureRequest, StopReason, TrainRequest } from '../../training/protocol.ts';
import {
  startWorker,
  type Worker,
  type WorkerResult,
  type WorkerSettings,
  type WorkerTask,
} from './worker.ts';

/** Warm child processes, each training one run at a time. */
export interface Pool {
  /** Trains in an idle process, or in a new one. The caller keeps to the concurrency. */
  readonly train: (request: TrainRequest, task: RunTask) => Promise<WorkerResult>;
  /** Measures in an idle process, or in a new one; undefined when that process died. */
  readonly measure: (request: MeasureRequest) => Promise<Measured | undefined>;
  /** Starts processes ahead of their first runs. */
  readonly warm: (count: number) => void;
  /**
   * Shares so many threads out among the busy processes, the first begun first; none gets fewer than it began with.
   * `atLeast` processes get a share, those that are not there yet included.
   */
  readonly shareThreads: (total: number, atLeast: number) => void;
  /** Asks every busy process for an orderly end. */
  readonly stopAll: (reason: StopReason, graceMs: number) => void;
  /** Ends every process at once. */
  readonly killAll: () => void;
  /** Lets all processes end. */
  readonly close: () => Promise<void>;
}

export interface RunTask extends Omit<WorkerTask, 'onBegin'> {
  readonly onStart: (pid: number) => void;
  readonly timeoutMs: number | null;
}

/** TensorFlow's own processes leak a little; one that has grown this far beyond its first run is replaced. */
const growthLimitBytes = 1_000_000_000;

/** For an orderly end on demand: a step of the largest networks and a checkpoint fit in this. */
export const stopGraceMs = 60_000;

/** How long a run past its time limit may take to write its checkpoint. */
const timeoutGraceMs = 15_000;

/** `total` in `parts` that differ by one at most, the largest first. */
export const shareOut = (total: number, parts: number): readonly number[] =>
  Array.from({ length: parts }, (_, index) => Math.ceil((total - index) / parts));

export const createPool = (settings: WorkerSettings): Pool => {
  const { threads: threadsPerRun } = settings;
  const idle: Worker[] = [];
  const busy = new Set<Worker>();
  const firstSize = new Map<Worker, number>();

  /** A process is used again only after a run that ended well and while it has not grown. */
  const giveBack = (worker: Worker, result: WorkerResult) => {
    if (result.type === 'exited') return;
    const first = firstSize.get(worker) ?? result.residentBytes;
    firstSize.set(worker, first);
    const { reason } = result.outcome;
    const healthy =
      (reason === 'completed' || reason === 'pruned') && result.residentBytes - first < growthLimitBytes;
    if (healthy && worker.alive()) idle.push(worker);
    else void worker.retire();
  };

  const takeIdle = (): Worker | undefined => {
    for (let worker = idle.pop(); worker; worker = idle.pop()) if (worker.alive()) return worker;
    return undefined;
  };

  /** A process with the threads that every run is promised. */
  const take = (): Worker => {
    const worker = takeIdle() ?? startWorker(settings);
    worker.useThreads(threadsPerRun);
    busy.add(worker);
    return worker;
  };

  return {
    train: async (request, { onStart, onWait, onEvent, timeoutMs }) => {
      const worker = take();
      const timer =
        timeoutMs === null
          ? undefined
          : setTimeout(() => worker.stop('timed-out', timeoutGraceMs), timeoutMs);
      const result = await worker.train(request, { onBegin: () => onStart(worker.pid), onWait, onEvent });
      clearTimeout(timer);
      busy.delete(worker);
      giveBack(worker, result);
      return result;
    },
    measure: async (request) => {
      const worker = take();
      const measured = await worker.measure(request);
      busy.delete(worker);
      if (measured) idle.push(worker);
      return measured;
    },
    warm: (count) => {
      while (idle.length < count) idle.push(startWorker(settings));
    },
    shareThreads: (total, atLeast) => {
      const shares = shareOut(total, Math.max(atLeast, busy.size));
      [...busy].forEach((worker, index) => worker.useThreads(Math.max(threadsPerRun, shares[index] ?? 0)));
    },
    stopAll: (reason, graceMs) => busy.forEach((worker) => worker.stop(reason, graceMs)),
    killAll: () => [...busy, ...idle].forEach((worker) => worker.kill()),
    close: async () => {
      await Promise.all(idle.splice(0).map((worker) => worker.retire()));
    },
  };
};
