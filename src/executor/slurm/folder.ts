import { Type } from '@sinclair/typebox';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  runOutcomeSchema,
  trainerEventSchema,
  type RunOutcome,
  type TrainerEvent,
} from '../../record/events.ts';
import { readJsonIfWhole, readRegularText, writeNew } from '../../system/files.ts';
import { decodeNumbers, numbersOut, parseJson, readJsonText } from '../../system/json.ts';
import { parserOf, type Described } from '../../system/schema.ts';
import { parseChildRequest, type TrainRequest } from '../../training/protocol.ts';

/**
 * The folder of a batch: one job array on the file system that the submitter and the nodes share.
 *
 *     batch.json            what every task of the array needs; written last, so that a folder without it is none
 *     job.sh                what Slurm starts
 *     task-<n>.json         the runs of a task
 *     started-<n>.json      that the task has begun, on which host
 *     events-<n>.jsonl      what its runs report, for the live view
 *     result-<run>.json     how a run ended; made by link(2), so that of two attempts one counts
 *     refused-<n>.json      why the task cannot train
 *     code/                 the compiled code of the user's own entries
 *     cancelled             the tasks end, and are not submitted again
 *     no-more               the tasks begin no other run, and are not submitted again
 *     log-<n>.txt           what the task printed
 */
export const inBatch = {
  batch: 'batch.json',
  script: 'job.sh',
  code: 'code',
  cancelled: 'cancelled',
  noMore: 'no-more',
  log: (task: number | string) => `log-${task}.txt`,
  task: (task: number) => `task-${task}.json`,
  started: (task: number) => `started-${task}.json`,
  events: (task: number) => `events-${task}.jsonl`,
  refused: (task: number) => `refused-${task}.json`,
  result: (runId: string) => `result-${runId}.json`,
} as const;

/** Raised when the files of a batch change their meaning: a job of another version refuses them. */
export const slurmProtocol = 1;

/** Whether the tasks of a batch begin no other run, and are not submitted again. */
export const isOver = (folder: string): boolean =>
  [inBatch.cancelled, inBatch.noMore].some((name) => existsSync(join(folder, name)));

const batchSchema = Type.Object({
  protocol: Type.Number(),
  /** The version of Unroll that submitted it. */
  version: Type.String(),
  /** The name of its jobs. */
  name: Type.String(),
  /** By the clock of the submitter. */
  submittedAt: Type.Number(),
  /** The time limit of a task. */
  timeMs: Type.Number(),
  tasks: Type.Number(),
  threads: Type.Number(),
  cpusPerRun: Type.Number(),
  /** Hex SHA-256 of the files of the user's own code, by name; null without any. */
  code: Type.Union([Type.Record(Type.String(), Type.String()), Type.Null()]),
  /** The time limit of a run. */
  timeoutMs: Type.Union([Type.Number(), Type.Null()]),
  /** Of `sbatch`, without the tasks of the array and the script. */
  arguments: Type.Array(Type.String()),
});

export type Batch = Described<typeof batchSchema>;

const parseBatch = parserOf(batchSchema);

export const readBatch = (folder: string): Batch | undefined =>
  readJsonIfWhole(join(folder, inBatch.batch), parseBatch);

const taskSchema = Type.Object({ requests: Type.Array(Type.Unknown()) });

const parseTask = parserOf(taskSchema);

/** The runs of a task; undefined if its file cannot be read. */
export const readTask = (folder: string, task: number): readonly TrainRequest[] | undefined =>
  readJsonIfWhole(join(folder, inBatch.task(task)), parseTask)?.requests.flatMap((value) => {
    const request = parseChildRequest(value);
    return request?.type === 'train' ? [request] : [];
  });

const startedSchema = Type.Object({ host: Type.String(), pid: Type.Number(), startedAt: Type.Number() });

const parseStarted = parserOf(startedSchema);

export type Started = Described<typeof startedSchema>;

/** The host on which a task last began, and when by that host's clock; undefined before it begins. */
export const readStarted = (folder: string, task: number): Started | undefined =>
  readJsonIfWhole(join(folder, inBatch.started(task)), parseStarted);

const parseRefused = parserOf(Type.Object({ message: Type.String() }));

/** Why a task cannot train, in sentences; undefined where it can. */
export const readRefused = (folder: string, task: number): string | undefined =>
  readJsonIfWhole(join(folder, inBatch.refused(task)), parseRefused)?.message;

/** JSON has no NaN and no infinities; of what is exchanged, only `metrics` have them. */
const numbersIn = (key: string, value: unknown): unknown =>
  key === 'metrics' && typeof value === 'object' && value !== null ? decodeNumbers({ ...value }) : value;

const parseOutcome = parserOf(runOutcomeSchema);

/** Records how a run ended, unless that is recorded already; false then. */
export const writeResult = (folder: string, runId: string, outcome: RunOutcome): boolean =>
  writeNew(join(folder, inBatch.result(runId)), `${JSON.stringify(outcome, numbersOut)}\n`);

/** How a run ended; undefined until it has. */
export const readResult = (folder: string, runId: string): RunOutcome | undefined => {
  const path = join(folder, inBatch.result(runId));
  if (!existsSync(path)) return undefined;
  try {
    return parseOutcome(readJsonText(readRegularText(path), numbersIn));
  } catch {
    return undefined;
  }
};

const noteSchema = Type.Union([
  Type.Object({ run: Type.String(), event: trainerEventSchema, residentBytes: Type.Number() }),
  Type.Object({ run: Type.String(), begun: Type.Number(), host: Type.String() }),
  Type.Object({ run: Type.String(), waitsFor: Type.Number() }),
]);

/** What a task reports of a run: an event, that it has begun in a process, or that another process still writes it. */
export type JobNote =
  | { readonly run: string; readonly event: TrainerEvent; readonly residentBytes: number }
  | { readonly run: string; readonly begun: number; readonly host: string }
  | { readonly run: string; readonly waitsFor: number };

export const noteLine = (note: JobNote): string => `${JSON.stringify(note, numbersOut)}\n`;

const parseNoteValue = parserOf(noteSchema);

/** Undefined for a line that is damaged or of another version. */
export const parseNote = (text: string): JobNote | undefined => parseNoteValue(parseJson(text, numbersIn));

/** Paths of the batches in a folder, in the order of their submission. */
export const listBatches = (directory: string): readonly string[] => {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => existsSync(join(directory, name, inBatch.batch)))
    .sort()
    .map((name) => join(directory, name));
};

/** The folder of a sweep's batches, beside its frozen plan. */
export const batchesDirectory = (
  runsDirectory: string,
  { experiment, sweepId }: { readonly experiment: string; readonly sweepId: string },
): string => join(runsDirectory, experiment, 'sweeps', `${sweepId}.slurm`);
