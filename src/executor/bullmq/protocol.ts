import { Type } from '@sinclair/typebox';
import { runSchema, type Run } from '../../plan/plan.ts';
import { digestSchema } from '../../record/packed-run.ts';
import { runOutcomeSchema, trainerEventSchema } from '../../record/events.ts';
import { storeIdSchema } from '../../store/store.ts';
import {
  decodeNumber,
  deepestJson,
  encodeNumber,
  isDeeperThan,
  isJsonNumber,
  parseJson,
} from '../../system/json.ts';
import { packageVersion } from '../../system/package-root.ts';
import { anyJson, parserOf, type Described } from '../../system/schema.ts';
import { prefix } from './redis.ts';

/**
 * What passes through Redis between who submits and the workers. It is data only: no code, no commands and no paths. A
 * dataset is named by its digest and by a name below the data folder of the worker; files of runs are named by digest.
 *
 *     submitter: files, job ────▶ queue of a class ────▶ worker
 *                ◀──── progress*, files, result
 *     submitter: question ──────▶ all workers ────▶ answers
 *
 * Raised whenever a job or a result changes its meaning. It is in the names of the queues, so that workers take only jobs
 * of their own version; bits depend on the version of the package, which is in the names, too.
 */
const protocolVersion = 3;

/** What a worker must have to take the jobs of a submitter. */
export const spokenVersion = `p${protocolVersion}-${packageVersion}`;

export const queueName = (resourceClass: string): string => `runs-${spokenVersion}-${resourceClass}`;

/** Whether a queue is one of some version of Unroll. */
export const isQueueName = (name: string): boolean => /^runs-p\d+-[\w.+-]{1,200}$/.test(name);

export const keys = {
  /** Hash: the last facts of each worker by its id. */
  workers: `${prefix}:workers`,
  /** Expires when the worker is silent for too long. */
  alive: (worker: string) => `${prefix}:alive:${worker}`,
  /** Channel: questions to all workers. */
  questions: `${prefix}:questions`,
  answers: (question: string) => `${prefix}:answers:${question}`,
  /** Channel: ids of jobs to end; nothing is recorded of them. */
  cancellations: `${prefix}:cancellations`,
  /** Channel: ids of jobs to end with a checkpoint that is recorded. */
  interruptions: `${prefix}:interruptions`,
  /** Set: the jobs of a sweep that `unroll cancel` has taken back. Another sweep may still want the same runs. */
  cancelled: (sweep: string) => `${prefix}:cancelled:${sweep}`,
  /** Set: the claims on the result of a job. */
  claims: (job: string) => `${prefix}:claims:${job}`,
  /** Set: the jobs of a sweep, `queue job`. */
  sweep: (sweep: string) => `${prefix}:sweep:${sweep}`,
  /** A piece of a file. */
  file: (name: string, piece: number) => `${prefix}:file:${name}:${piece}`,
} as const;

/** A packed run as `src/record/packed-run.ts` checks it. */
const packed = Type.Object({
  manifest: anyJson,
  /** The store that has the large files; all are in Redis without it. */
  store: Type.Optional(storeIdSchema),
});

/** How a packed run is sent. */
export type SentRun = Described<typeof packed>;

const jobSchema = Type.Object({
  run: runSchema,
  sweep: Type.String(),
  /** The id of the submitter's store of runs. A worker that uses the same store keeps checkpoints there. */
  store: Type.Optional(storeIdSchema),
  /** The list of its data files in that store, where the submitter shares them. */
  data: Type.Optional(digestSchema),
  pauseAt: Type.Union([Type.Number(), Type.Null()]),
  attempt: Type.Integer({ minimum: 1 }),
  fromTheStart: Type.Boolean(),
  threads: Type.Integer({ minimum: 1, maximum: 1024 }),
  kernel: Type.Optional(Type.String()),
  profile: Type.Boolean(),
  timeoutMs: Type.Union([Type.Number(), Type.Null()]),
  /** What is recorded of the run, for one that resumes. */
  record: Type.Optional(packed),
  /** The shorter run that it continues. */
  parent: Type.Optional(packed),
  /** The weights that it starts from. */
  start: Type.Optional(Type.Intersect([digestSchema, Type.Object({ store: Type.Optional(storeIdSchema) })])),
});

/** One attempt at a run. */
export type Job = Described<typeof jobSchema>;

const jobParser = parserOf(jobSchema);

/** The job in a value that BullMQ has parsed. */
export const parseJob = (data: unknown): Job | undefined =>
  isDeeperThan(data, deepestJson) ? undefined : jobParser(data);

const progressSchema = Type.Object({
  host: Type.String(),
  pid: Type.Number(),
  /** How often workers have begun this job. */
  start: Type.Number(),
  residentBytes: Type.Number(),
  events: Type.Array(trainerEventSchema),
});

/** What a worker reports of a run that it trains. */
export type Progress = Described<typeof progressSchema>;

export const parseProgress = parserOf(progressSchema);

const resultSchema = Type.Object({
  host: Type.String(),
  outcome: runOutcomeSchema,
  /** Absent where nothing is recorded, such as on a full disk. */
  record: Type.Optional(packed),
  /** What was not reported before the end; of a short run that is everything. */
  report: Type.Optional(progressSchema),
});

/** How an attempt ended. */
export type JobResult = Described<typeof resultSchema>;

export const parseResult = parserOf(resultSchema);

/** Names of hosts have at most 253 characters. */
const shortName = Type.String({ maxLength: 300 });

const mostSlots = 1_000_000;

const workerSchema = Type.Object({
  id: shortName,
  host: shortName,
  pid: Type.Number(),
  /** `spokenVersion` of the worker. */
  speaks: shortName,
  class: shortName,
  slots: Type.Integer({ minimum: 1, maximum: mostSlots }),
  cores: Type.Integer({ minimum: 1, maximum: mostSlots }),
  busy: Type.Integer({ minimum: 0, maximum: mostSlots }),
  /** The id of the store of runs that it uses. */
  store: Type.Optional(storeIdSchema),
  startedAt: Type.Number(),
  /** Its clock when it wrote this. */
  clock: Type.Number(),
});

/** What a worker shows of itself. */
export type WorkerFacts = Described<typeof workerSchema>;

export const parseWorker = parserOf(workerSchema);

const neededSchema = Type.Object({
  /** A run for each kind of data and code that the sweep needs. */
  runs: Type.Array(Type.Object({ run: runSchema, data: Type.Optional(digestSchema) })),
  kernels: Type.Array(Type.String()),
  /** The id of the store that has the data. */
  store: Type.Optional(storeIdSchema),
});

export type Needed = Described<typeof neededSchema>;

const questionSchema = Type.Object({ id: Type.String(), class: Type.String(), needed: neededSchema });

export const parseQuestion = parserOf(questionSchema);

export type Question = Described<typeof questionSchema>;

const unfitSchema = Type.Object({
  kind: Type.Union([
    Type.Literal('data'),
    Type.Literal('other-data'),
    Type.Literal('code'),
    Type.Literal('kernel'),
    Type.Literal('disk'),
    Type.Literal('store'),
    Type.Literal('unreadable'),
    Type.Literal('damaged'),
  ]),
  /** One sentence. */
  message: Type.String(),
  help: Type.String(),
});

/** Why a worker cannot train a run. */
export type Unfit = Described<typeof unfitSchema>;

export const parseUnfit = parserOf(unfitSchema);

const answerSchema = Type.Object({
  worker: Type.String(),
  clock: Type.Number(),
  unfit: Type.Array(unfitSchema),
});

export type Answer = Described<typeof answerSchema>;

export const parseAnswer = parserOf(answerSchema);

/** Why a job failed for good, besides what a worker lacks. */
export const cancelledReason = 'cancelled';
export const filesLostReason = 'files lost';

/** JSON has no NaN and no infinities; a metric may be one. */
export const toText = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) => (typeof one === 'number' ? encodeNumber(one) : one));

const mayHaveNotFinite = /"(?:NaN|-?Infinity)"/;

const numberAgain = (_: string, one: unknown): unknown => (isJsonNumber(one) ? decodeNumber(one) : one);

export const fromText = (text: string): unknown =>
  // Calling a function for each value takes many times as long as the parsing.
  parseJson(text, mayHaveNotFinite.test(text) ? numberAgain : undefined);

/** The runs that stand for all of a sweep: one for each dataset, file of vectors and code. */
export const kindsOf = (runs: readonly Run[]): readonly Run[] => [
  ...new Map(
    runs.map((run) => [JSON.stringify([run.config.dataset, run.datasetDigest, run.vectors, run.code]), run]),
  ).values(),
];
