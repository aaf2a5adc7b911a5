import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Run } from '../plan/plan.ts';
import type { CountedLines } from '../record/metrics-journal.ts';
import { recordedId } from '../record/read-runs.ts';
import { fileNames, parseEnvironment } from '../record/run-files.ts';
import { readJsonIfWhole, readRegular, writeWhole } from '../system/files.ts';
import { ownKernelsUsed } from '../tensorflow/kernels/fused-kernels.ts';
import { loadTensorFlow } from '../tensorflow/load.ts';
import { checkpointPath, readOwn, writeStored, type Checkpoint, type CheckpointName } from './checkpoint.ts';
import type { TrainRequest } from './protocol.ts';
import { needsBest } from './resume-point.ts';

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
  { environment, threads, kernel }: TrainRequest,
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
    ...(before.ownKernels !== undefined && ownKernelsUsed()),
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
