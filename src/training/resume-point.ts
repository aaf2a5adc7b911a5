import { existsSync, readdirSync } from 'node:fs';
import { join, dirname } from 'node:path';
import type { Run } from '../plan/plan.ts';
import type { MetricsJournal, CountedLines } from '../record/metrics-journal.ts';
import { fileNames, parseEnvironment } from '../record/run-files.ts';
import {
  readCheckpoint,
  stepCheckpoint,
  type Checkpoint,
  type CheckpointName,
  type TrainerState,
  type TrainerTensors,
  checkpointPath,
  readOwn,
  writeStored,
} from './checkpoint.ts';
import { createHash } from 'node:crypto';
import { recordedId } from '../record/read-runs.ts';
import { readJsonIfWhole, readRegular, writeWhole } from '../system/files.ts';
import { ownKernelsUsed } from '../tensorflow/kernels/fused-kernels.ts';
import { loadTensorFlow } from '../tensorflow/load.ts';
import type { TrainRequest } from './protocol.ts';

/** Where a training resumes. */
export interface ResumePoint {
  /** Undefined for the start. */
  readonly checkpoint: Checkpoint | undefined;
  /** How many of the recorded metric lines precede it. */
  readonly lines: number;
  /** Why newer checkpoints were not used, one sentence each. */
  readonly warnings: readonly string[];
}

interface Recorded {
  readonly run: Run;
  readonly directory: string;
  readonly metrics: Pick<MetricsJournal, 'begins' | 'linesUpTo'>;
}

/**
 * Finds the newest checkpoint that is whole, is of this run, and counts the metric lines that are recorded: what came
 * before it is then known to be what an undisturbed training would have left.
 */
export const findResumePoint = (
  recorded: Recorded,
  tensors: { readonly all: TrainerTensors; readonly weights: TrainerTensors },
): ResumePoint => {
  const { run, directory, metrics } = recorded;
  const rejected: string[] = [];
  const warnings = (from: string) => rejected.map((why) => `${why}; training ${from}`);
  for (const name of checkpointNames(directory)) {
    const found = readCheckpoint(directory, { name, tensors: tensors.all, run: run.id });
    if (!found) continue;
    const why = 'unusable' in found ? found.unusable : mismatchOf(found, recorded, tensors.weights);
    if (why !== undefined || 'unusable' in found) {
      rejected.push(`checkpoint ${name} ${why ?? ''}`);
      continue;
    }
    const { state } = found;
    const lines = found.metrics?.lines ?? metrics.linesUpTo(state.step);
    return { checkpoint: found, lines, warnings: warnings(`resumes after step ${state.step}`) };
  }
  return { checkpoint: undefined, lines: 0, warnings: warnings('starts over') };
};

/** The checkpoints that hold all that a training needs, the newest first. */
const checkpointNames = (directory: string): CheckpointName[] => {
  const folder = join(directory, fileNames.checkpoints);
  const files = existsSync(folder) ? readdirSync(folder) : [];
  const steps = files.flatMap((file) => {
    const step = /^step-(\d+)\.safetensors$/.exec(file)?.[1];
    return step === undefined ? [] : [Number(step)];
  });
  return ['last', ...steps.sort((a, b) => b - a).map(stepCheckpoint)];
};

/** Why a whole checkpoint does not belong to what is recorded beside it. */
const mismatchOf = (
  { state, metrics: counted }: Checkpoint,
  { run, directory, metrics }: Recorded,
  weights: TrainerTensors,
): string | undefined => {
  if (counted && !metrics.begins(counted))
    return `follows ${counted.lines} lines of metrics.jsonl that are not there as they were written`;
  if (!needsBest(run, state)) return undefined;
  const best = readCheckpoint(directory, { name: 'best', tensors: weights, run: run.id });
  if (!best) return `needs the checkpoint best of step ${state.best?.step ?? 0}, which is missing`;
  if ('unusable' in best) return `needs the checkpoint best, which ${best.unusable}`;
  // A later one will be written again when its step is repeated.
  return best.state.step < (state.best?.step ?? 0)
    ? `needs the checkpoint best of step ${state.best?.step ?? 0}, and it is of step ${best.state.step}`
    : undefined;
};

/** Whether a training in this state relies on the weights of its best evaluation. */
const needsBest = ({ config: { train } }: Run, { best }: TrainerState): boolean =>
  best !== null && (train.keepCheckpoints === 'best' || train.earlyStopping?.restoreBest === true);

/** The run as it is recorded: with the run that it continues, if its steps are taken over. */
export interface Begun {
  readonly run: Run;
  /** Why the training starts over although the plan continues a run. */
  readonly warning?: string;
}

/**
 * Begins the directory of a run with the steps of a shorter run: its metrics up to its last step, and its checkpoint. The
 * bits must be those of a training from the start, so both must have the same machine, library, kernel and threads.
 */
export const continueFrom = async (request: TrainRequest): Promise<Begun> => {
  const { run, directory, fromTheStart } = request;
  const { continues, ...fresh } = run;
  if (!continues || fromTheStart) return { run: fresh };
  if (recordedId(directory) === run.id && existsSync(checkpointPath(directory, 'last'))) return { run };
  const parent = join(dirname(directory), continues.run);
  const why = (await otherPlace(parent, request)) ?? takeOver(parent, { ...continues, request });
  return why === undefined
    ? { run }
    : {
        run: fresh,
        warning: `it does not continue from run ${continues.run}, which ${why}; training starts over`,
      };
};

/** What differs between the place of a recorded training and this one, as the end of a sentence about the former. */
const otherPlace = async (
  parent: string,
  { environment, threads, kernel, run }: TrainRequest,
): Promise<string | undefined> => {
  const before = readJsonIfWhole(join(parent, fileNames.environment), parseEnvironment);
  if (!before) return 'has no environment.json';
  const { name: backend, version: tensorflow } = await loadTensorFlow();
  const now = {
    cpu: environment.cpu,
    backend,
    tensorflow,
    threads,
    kernel: kernel ?? before.kernel,
    // Earlier records do not name the library.
    ...(before.ownKernels !== undefined && ownKernelsUsed(run.config.train.precision)),
  };
  const other = (Object.keys(now) as (keyof typeof now)[]).find((key) => now[key] !== before[key]);
  return (
    other &&
    `was trained with ${other} ${before[other] ?? 'none'}, and this one is with ${now[other] ?? 'none'}`
  );
};

const takeOver = (
  parent: string,
  { run: id, step, request: { run, directory } }: NonNullable<Run['continues']> & { request: TrainRequest },
): string | undefined => {
  const last = readOfRun(parent, 'last', id);
  if ('unusable' in last)
    return `has no checkpoint of its last step: checkpoints/last.safetensors ${last.unusable}`;
  const counted = last.metrics;
  if (last.state.step !== step || !counted) return `has no checkpoint of step ${step}`;
  const lines = firstLines(join(parent, fileNames.metrics), counted);
  if (!lines) return `has other metrics than its last checkpoint counts`;
  const best = needsBest(run, last.state) ? readOfRun(parent, 'best', id) : undefined;
  if (best && 'unusable' in best)
    return `has no checkpoint of its best step: checkpoints/best.safetensors ${best.unusable}`;

  writeWhole(join(directory, fileNames.metrics), lines);
  const write = (name: CheckpointName, { state, metrics = counted, tensors }: Checkpoint) =>
    writeStored(directory, { name, stored: tensors, label: { state, run: run.id, metrics } });
  if (best) write('best', best);
  write('last', last);
  return undefined;
};

const readOfRun = (directory: string, name: CheckpointName, id: string) => {
  const path = checkpointPath(directory, name);
  return existsSync(path) ? readOwn(path, id) : { unusable: 'is missing' };
};

/** The first lines of a file; undefined if they are not those that were counted. */
const firstLines = (path: string, { lines, sha256 }: CountedLines): Buffer | undefined => {
  const bytes = readRegular(path);
  let end = 0;
  for (let line = 0; line < lines; line++) {
    const next = bytes.indexOf(0x0a, end);
    if (next === -1) return undefined;
    end = next + 1;
  }
  const first = bytes.subarray(0, end);
  return createHash('sha256').update(first).digest('hex') === sha256 ? first : undefined;
};
