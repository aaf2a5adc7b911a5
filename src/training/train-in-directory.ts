import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describeVectors } from '../data/vectors/describe-vectors.ts';
import { keptVectors, vectorsDigest } from '../data/vectors/vectors.ts';
import { pretrainedOf } from '../data/vectors/setting.ts';
import { DataError, type Dataset } from '../data/dataset.ts';
import type { DataDescription } from '../data/description.ts';
import { inspectData } from '../data/inspect.ts';
import { registryOfBundle } from '../registry/own/load-plugins.ts';
import { registry as builtIn, rowOf, type Registry } from '../registry/rows.ts';
import { masked } from '../system/secrets.ts';
import type { Run } from '../plan/plan.ts';
import { fusedGatherPixels, ownKernelsUsed } from '../tensorflow/kernels/fused-kernels.ts';
import { loadTensorFlow } from '../tensorflow/load.ts';
import type { OutcomeReason, RunOutcome, TrainerEvent } from '../record/events.ts';
import { writeJson } from '../system/files.ts';
import { interruptionOf } from '../system/system-error.ts';
import { LockLost, waitForLockUnless, type Lock } from '../system/lock.ts';
import { readStatus, recordedId } from '../record/read-runs.ts';
import { fileNames, type ProfileFile } from '../record/run-files.ts';
import { RecordRemoved, recordRun, type RunRecorder } from '../record/run-recorder.ts';
import type { StopReason, TrainRequest } from './protocol.ts';
import { continueFrom } from './resume-point.ts';
import { idleStopwatch, startStopwatch } from './stopwatch.ts';
import { train } from './train.ts';

/** How a child listens to a training and stops it. */
export interface Supervision {
  readonly listen: (event: TrainerEvent) => void;
  /** Called once if another process still writes the run's directory. */
  readonly onWait: (pid: number) => void;
  /** Called once when no other process writes the run's directory. */
  readonly onBegin: () => void;
  readonly stopRequested: () => StopReason | undefined;
}

/**
 * Trains one run in its directory: records every event there before anyone else hears of it, and turns what goes wrong
 * into an outcome.
 */
export const trainInDirectory = async (
  request: TrainRequest,
  supervision: Supervision,
): Promise<RunOutcome> => {
  const { directory, attempt } = request;
  const startedAt = performance.now();
  let lock: Lock | undefined;
  let recorder: RunRecorder | undefined;
  try {
    const writer = await becomeWriter(request, supervision);
    if ('reason' in writer) return writer;
    lock = writer;
    supervision.onBegin();
    const { run: begun, warning } = await continueFrom(request);
    recorder = recordRun(directory, begun, attempt);
    if (warning !== undefined)
      supervision.listen({ type: 'record-distrusted', time: Date.now(), message: warning });
    return await trainAndRecord(request, supervision, fenced(recorder, writer));
  } catch (error) {
    const end = unrecordedEnd(error);
    if (!end) throw error;
    // Only the runner learns of it; on the disk the run stays one that lost its process.
    return {
      ...end,
      step: recorder?.lastStep() ?? 0,
      elapsedMs: Math.round(performance.now() - startedAt),
      metrics: {},
    };
  } finally {
    lock?.release();
  }
};

/** How a run ends that cannot record its end; undefined for a bug. */
const unrecordedEnd = (
  error: unknown,
): Pick<RunOutcome, 'reason' | 'message' | 'systemError'> | undefined => {
  const trouble = interruptionOf(error);
  if (trouble) {
    const { code, message, advice } = trouble;
    const words = error instanceof DataError ? masked(error.message) : `${message}. ${advice}`;
    return { reason: 'interrupted', message: words, systemError: code };
  }
  if (error instanceof LockLost) return { reason: 'interrupted', message: error.message };
  return error instanceof RecordRemoved ? { reason: 'failed', message: error.message } : undefined;
};

/** A recorder that refuses to write once another process has become the writer. Throws `LockLost` then. */
const fenced = (recorder: RunRecorder, lock: Lock): RunRecorder => {
  const whileHeld =
    <Given extends readonly unknown[], Returned>(call: (...given: Given) => Returned) =>
    (...given: Given): Returned => {
      if (!lock.isHeld()) throw new LockLost(recorder.directory);
      return call(...given);
    };
  return {
    ...recorder,
    listen: whileHeld(recorder.listen),
    environment: whileHeld(recorder.environment),
    flush: whileHeld(recorder.flush),
    settle: whileHeld(recorder.settle),
  };
};

/** How often to check whether the last writer of a directory is gone. */
const lookAgainMs = 20;

/**
 * Waits until no other process writes the run's directory: the child of a runner that was killed may still be at its last
 * step. Returns the outcome instead if that child has finished the run, or if there is no time to wait.
 */
const becomeWriter = async (
  request: TrainRequest,
  { stopRequested, onWait }: Supervision,
): Promise<Lock | RunOutcome> => {
  const { directory, fromTheStart } = request;
  const lock = await waitForLockUnless(
    join(directory, fileNames.writer),
    () => stopRequested() !== undefined,
    { folder: dirname(directory), everyMs: lookAgainMs, onWait: ({ pid }) => onWait(pid) },
  );
  if ('heldBy' in lock) {
    const message = `process ${lock.heldBy.pid} still writes this run`;
    return { reason: stopRequested() ?? 'interrupted', message, step: 0, elapsedMs: 0, metrics: {} };
  }
  if (fromTheStart) forget(directory, holders);
  else forgetStrangers(request);
  const { outcome } = (!fromTheStart && readStatus(directory)) || { outcome: null };
  if (outcome?.reason !== 'completed') return lock;
  lock.release();
  return outcome;
};

/** Who holds a run. */
const holders: readonly string[] = [fileNames.lock, fileNames.writer];

/** Checkpoints name their run, and metric lines are compared when their steps are repeated. */
const proveThemselves: readonly string[] = [fileNames.checkpoints, fileNames.metrics, fileNames.log];

/** Removes what does not belong to the run: of a record without a readable `run.json`, all that does not prove itself. */
const forgetStrangers = ({ directory, run }: TrainRequest): void => {
  const id = recordedId(directory);
  if (id === run.id) return;
  forget(directory, id === undefined ? [...holders, ...proveThemselves] : holders);
};

/** Removes a run's files, but not those to keep. */
const forget = (directory: string, keep: readonly string[]): void => {
  for (const name of readdirSync(directory)) {
    if (!keep.includes(name)) rmSync(join(directory, name), { recursive: true, force: true });
  }
};

const trainAndRecord = async (
  request: TrainRequest,
  supervision: Supervision,
  recorder: RunRecorder,
): Promise<RunOutcome> => {
  const { run, pauseAt, directory, attempt, profile } = request;
  const stopwatch = profile ? startStopwatch() : undefined;
  const clock = stopwatch ?? idleStopwatch;
  const startedAt = performance.now();
  let environment = Promise.resolve();
  const emit = (event: TrainerEvent) => {
    const message = recorder.listen(event);
    if (message !== undefined) supervision.listen({ type: 'record-distrusted', time: event.time, message });
    if (event.type === 'training-started') {
      environment = recordEnvironment(recorder, request, event.kernel);
      // It is awaited, and its error seen, when the training settles.
      environment.catch(() => undefined);
    }
    supervision.listen(event);
  };
  try {
    const { bundle, baseDirectory } = request;
    const registry = bundle === undefined ? builtIn : await registryOfBundle(bundle);
    await loadTensorFlow();
    clock.enter('data');
    const { dataset, description } = await loadDataset(run, registry, baseDirectory);
    const vectors = await loadVectors(run, dataset, baseDirectory);
    if (description)
      writeJson(
        join(directory, fileNames.data),
        { ...description, ...(vectors && { vectors: [vectors.description] }) },
        'later',
      );
    const { stopRequested } = supervision;
    const { metrics, flush } = recorder;
    const settle = async () => {
      await environment;
      await recorder.settle();
    };
    const { kernel, startFile } = request;
    const given = {
      run,
      registry,
      pauseAt,
      dataset,
      kernel,
      vectors: vectors?.read,
      startFile,
      baseDirectory,
      directory,
      emit,
      stopRequested,
      metrics,
      flush,
      settle,
      clock,
    };
    const outcome = await train(given);
    if (stopwatch) {
      const file: ProfileFile = { attempt, steps: outcome.step, ms: stopwatch.ms() };
      writeJson(join(directory, fileNames.profile), file, 'later');
    }
    return outcome;
  } catch (error) {
    if (interruptionOf(error) || error instanceof RecordRemoved || error instanceof LockLost) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const outcome: RunOutcome = {
      reason: reasonOf(message),
      message: masked(sentenceOf(message)),
      step: recorder.lastStep(),
      elapsedMs: Math.round(performance.now() - startedAt),
      metrics: {},
    };
    // The log keeps what a developer needs; people see the sentence.
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    emit({ type: 'training-ended', time: Date.now(), outcome });
    return outcome;
  }
};

/** The words of TensorFlow (status 8: resources exhausted), our own kernels and Node for a failed allocation. */
const outOfMemoryWords =
  /Invalid TF_Status: 8\b|OOM when allocating|RESOURCE_EXHAUSTED|There is no memory|Array buffer allocation failed/;

const reasonOf = (message: string): OutcomeReason =>
  outOfMemoryWords.test(message) ? 'out-of-memory' : 'failed';

/** The sentence in what tfjs-node throws, which begins with the number of a status on a line of its own. */
const sentenceOf = (message: string): string =>
  message.replace(/^Invalid TF_Status: \d+\s+Message: /, '').trim();

const recordEnvironment = async (
  recorder: RunRecorder,
  request: TrainRequest,
  kernel: string,
): Promise<void> => {
  const backend = await loadTensorFlow();
  recorder.environment({
    ...request.environment,
    backend: backend.name,
    tensorflow: backend.version,
    kernel,
    ...ownKernelsUsed(request.run.config.train.precision),
    threads: request.threads,
  });
};

/** The last dataset stays loaded: the runs of a sweep mostly share theirs. */
let loaded: (LoadedData & { readonly key: string }) | undefined;

interface LoadedData {
  readonly dataset: Dataset;
  /** Absent where a plan of an earlier version has data that is refused today. */
  readonly description: DataDescription | undefined;
}

const loadDataset = async (run: Run, registry: Registry, baseDirectory: string): Promise<LoadedData> => {
  const section = run.config.dataset;
  const key = JSON.stringify([section, run.datasetDigest, baseDirectory]);
  if (loaded?.key !== key) {
    loaded = undefined;
    const row = rowOf(registry.dataset, section);
    if ((await row.digest(section, { baseDirectory })) !== run.datasetDigest) {
      throw new DataError(
        `The data of ${section.name} has changed since this run was planned. Run the spec again to train on the data as it is now.`,
      );
    }
    const dataset = await row.load(section, { baseDirectory, gatherPixels: fusedGatherPixels() });
    const description = await describeLoaded(row, section, { context: { baseDirectory }, loaded: dataset });
    loaded = { key, dataset, description };
  }
  return loaded;
};

/** The pretrained vectors of a run's model; undefined where it reads none. */
const loadVectors = async (
  { config: { model }, vectors: planned }: Run,
  { vocabulary = [] }: Dataset,
  baseDirectory: string,
) => {
  const files = pretrainedOf(model);
  if (!files || planned === undefined) return undefined;
  if ((await vectorsDigest(files, { baseDirectory })) !== planned)
    throw new DataError(
      `The vectors of ${files.file} have changed since this run was planned. Run the spec again to train with them as they are now.`,
    );
  const read = await keptVectors(files, { vocabulary, context: { baseDirectory } });
  return { read, description: describeVectors(files.file, read) };
};

const describeLoaded = async (
  ...given: Parameters<typeof inspectData>
): Promise<DataDescription | undefined> => {
  try {
    return (await inspectData(...given)).description;
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
};
