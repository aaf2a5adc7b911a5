import type { TrainerEvent } from '../record/events.ts';
import { useKernelThreads } from '../tensorflow/kernels/own-library.ts';
import { loadTensorFlow } from '../tensorflow/load.ts';
import { packageVersion } from '../system/package-root.ts';
import { systemErrorOf } from '../system/system-error.ts';
import { writeText } from '../terminal/output.ts';
import { measure } from './calibration/measure.ts';
import { trainInDirectory } from '../training/train-in-directory.ts';
import {
  parseChildRequest,
  type ChildResponse,
  type StopReason,
  type TrainRequest,
} from '../training/protocol.ts';

/**
 * The child program: one run at a time, until its runner asks it to exit or is gone. A vanished runner counts as an
 * interruption: the step is finished and a checkpoint written, so that nothing is lost.
 */
const send = (response: ChildResponse) => {
  // With a callback, a runner that dies during a message causes no uncaught error: the run ends in order.
  if (process.connected) process.send?.(response, undefined, undefined, () => undefined);
};

/** Events are sent in groups, so that logging every step costs no message a step; the last ones go with the run's end. */
const flushEveryMs = 100;

/** Reading it walks through the counters of all threads, which takes as long as a small step. */
const sizeEveryMs = 500;

let size = { bytes: 0, at: -Infinity };

const residentBytes = (): number => {
  const now = performance.now();
  if (now - size.at >= sizeEveryMs) size = { bytes: process.memoryUsage.rss(), at: now };
  return size.bytes;
};

let stopReason: StopReason | undefined;
let training = false;

const train = async (request: TrainRequest) => {
  training = true;
  stopReason = process.connected ? undefined : 'interrupted';
  let waiting: TrainerEvent[] = [];
  let sentAt = 0;
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    send({ type: 'events', events: waiting, residentBytes: residentBytes() });
    waiting = [];
    sentAt = Date.now();
  };
  const outcome = await trainInDirectory(request, {
    listen: (event) => {
      waiting.push(event);
      if (Date.now() - sentAt >= flushEveryMs) flush();
      else timer ??= setTimeout(flush, flushEveryMs);
    },
    onWait: (pid) => send({ type: 'waiting', pid }),
    onBegin: () => send({ type: 'begun' }),
    stopRequested: () => stopReason,
  });
  clearTimeout(timer);
  training = false;
  send({ type: 'done', events: waiting, outcome, residentBytes: residentBytes() });
  if (!process.connected) process.exit(0);
};

process.on('message', (message) => {
  const request = parseChildRequest(message);
  if (!request) throw new Error('The runner sent a message that this version of Unroll does not know.');
  switch (request.type) {
    case 'train':
      void train(request);
      break;
    case 'measure':
      void measure(request)
        .catch(() => ({ runnable: [], msPerStep: {} }))
        .then((found) => send({ type: 'measured', ...found }));
      break;
    case 'stop':
      stopReason ??= request.reason;
      break;
    case 'threads':
      useKernelThreads(request.count);
      break;
    case 'exit':
      process.exit(0);
  }
});

process.on('disconnect', () => {
  if (!training) process.exit(0);
  stopReason ??= 'interrupted';
});

// The runner shows the last line of what a process wrote before it ended.
process.on('uncaughtException', (error) => {
  const trouble = systemErrorOf(error);
  // Writing to a pipe is synchronous here.
  const words = trouble ? `${trouble.message}. ${trouble.advice}` : `${error.stack ?? ''}\n${error.message}`;
  writeText(process.stderr, `${words}\n`);
  process.exit(1);
});

// Its pipes die with the runner; what was written there is in the run's log.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

// The runner alone decides: a group signal from a terminal must not cut a step in two.
process.on('SIGINT', () => undefined);
// Slurm sends it to every process of a job, which the program of the job ends in order.
if (process.env['SLURM_JOB_ID'] !== undefined) process.on('SIGTERM', () => undefined);
send({ type: 'ready', version: packageVersion });

// Ahead of the first run, which asks again and reports what goes wrong.
loadTensorFlow().catch(() => undefined);
