// What saturates first with many workers: node bench/run.mjs distributed-simulation.ts [workers] [runs]
// A simulation with the costs that `distributed.ts` and a sweep of short runs have shown.
// Redis and the command that submitted the sweep each do one thing at a time; workers only wait for them.

/**
 * Milliseconds of processor time. Measured: `redisJob`, `submit` and `record`. What Redis does for a report, a renewal and a
 * sign of life is one short script, as for queueing a job, and is taken to cost as much. `report` and `redisMegabyte` are assumed.
 */
const costs = {
  /** Redis queues a job, hands it out, and takes its result: 1.7 measured for a whole run, less 0.3 taken for its files. */
  redisJob: 1.4,
  /** Redis takes or gives a megabyte of files. */
  redisMegabyte: 1.5,
  /** Redis takes a report of progress and passes it on. */
  redisReport: 0.09,
  /** Redis renews the lock of a run. */
  redisRenewal: 0.09,
  /** Redis takes the sign of life of a worker. */
  redisHeartbeat: 0.09,
  /** The submitter packs and queues a job, and reads its end. */
  submit: 0.56,
  /** The submitter checks and records a finished run. */
  record: 18.9,
  /** The submitter reads a report. */
  report: 0.1,
} as const;

const slotsPerWorker = 2;
const megabytesPerRun = 0.1;
const reportsPerSecond = 2;
const renewalsPerSecond = 1 / 15;
const heartbeatsPerSecond = 1 / 3;

interface Simulated {
  readonly hours: number;
  readonly ideal: number;
  readonly redis: number;
  readonly submitter: number;
}

/** A generator of numbers in [0, 1) that is the same everywhere (mulberry32). */
const randomFrom = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};

/** The times at which slots are free, the earliest first. */
const createHeap = (size: number) => {
  const heap = new Float64Array(size);
  const replaceFirst = (time: number) => {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && (heap[child + 1] ?? 0) < (heap[child] ?? 0)) child++;
      if ((heap[child] ?? 0) >= time) break;
      heap[at] = heap[child] ?? 0;
      at = child;
    }
    heap[at] = time;
  };
  return { first: () => heap[0] ?? 0, replaceFirst };
};

/** Trains runs of about this many seconds; Redis and the submitter lose what reports, renewals and signs of life cost. */
const simulate = (workers: number, runs: number, seconds: number): Simulated => {
  const random = randomFrom(1);
  const slots = Math.min(workers * slotsPerWorker, runs);
  const steady =
    (slots * (reportsPerSecond * costs.redisReport + renewalsPerSecond * costs.redisRenewal) +
      workers * heartbeatsPerSecond * costs.redisHeartbeat) /
    1000;
  const reading = (slots * reportsPerSecond * costs.report) / 1000;
  // What is left of a second for jobs; with nothing left, nothing ends.
  const redisSpeed = Math.max(0.01, 1 - steady);
  const submitterSpeed = Math.max(0.01, 1 - reading);
  const redisPerRun = (costs.redisJob + 2 * megabytesPerRun * costs.redisMegabyte) / 1000 / redisSpeed;
  const submitterPerRun = (costs.submit + costs.record) / 1000 / submitterSpeed;
  const free = createHeap(slots);
  let redisFree = 0;
  let submitterFree = 0;
  let work = 0;
  for (let run = 0; run < runs; run++) {
    const length = seconds * (0.5 + random());
    work += length;
    const begun = Math.max(free.first(), redisFree);
    redisFree = begun + redisPerRun;
    free.replaceFirst(redisFree + length);
    submitterFree = Math.max(submitterFree, redisFree + length) + submitterPerRun;
  }
  return {
    hours: submitterFree / 3600,
    ideal: work / slots / 3600,
    redis: Math.min(1, steady + (runs * redisPerRun * redisSpeed) / submitterFree),
    submitter: Math.min(1, reading + (runs * submitterPerRun * submitterSpeed) / submitterFree),
  };
};

const workers = Number(process.argv[2] ?? 1000);
const runs = Number(process.argv[3] ?? 100_000);
const percent = (part: number): string => `${(100 * part).toFixed(0)} %`.padStart(6);
console.log(`${workers} workers of ${slotsPerWorker} slots, ${runs} runs of ${megabytesPerRun} MB`);
console.log('a run takes   the sweep   without any cost   Redis busy   submitter busy');
for (const seconds of [1, 5, 15, 60, 300, 1800]) {
  const { hours, ideal, redis, submitter } = simulate(workers, runs, seconds);
  const columns = [
    `${seconds} s`.padStart(11),
    `${hours.toFixed(2)} h`.padStart(11),
    `${ideal.toFixed(2)} h`.padStart(18),
    percent(redis).padStart(12),
    percent(submitter).padStart(16),
  ];
  console.log(columns.join(' '));
}
