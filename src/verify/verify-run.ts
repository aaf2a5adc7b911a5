import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataError, type DatasetRow } from '../data/dataset.ts';
import { failure, success, type Diagnostic, type Issue, type Result } from '../diagnostic/diagnostic.ts';
import { pretrainedOf } from '../data/vectors/setting.ts';
import { vectorsDigest } from '../data/vectors/vectors.ts';
import type { Row } from '../parameters/row.ts';
import type { Run } from '../plan/plan.ts';
import { wrongSetting } from '../plan/wrong-setting.ts';
import { digestOfFile } from '../record/digests.ts';
import { captureEnvironment } from '../record/environment.ts';
import type { RunOutcome } from '../record/events.ts';
import { fileNames, parseEnvironment } from '../record/run-files.ts';
import { runDirectory } from '../record/run-recorder.ts';
import { readTensors, type StoredTensor } from '../system/safetensors.ts';
import { variablesIn, weightsFileOf } from '../record/starting-weights.ts';
import { loadConfig } from '../registry/own/load-plugins.ts';
import { findRow, namedSections, registry as builtIn, type Registry, type Table } from '../registry/rows.ts';
import { runnableHere } from '../runner/calibration/frozen-kernels.ts';
import { outcomeOfExit } from '../executor/exit-reason.ts';
import { createPool, stopGraceMs } from '../executor/local/pool.ts';
import { versionsNow } from '../runner/staleness.ts';
import { readJsonIfWhole } from '../system/files.ts';
import { ignoringSystemErrors, interruptionOf } from '../system/system-error.ts';
import { checkOnnx, type OnnxCheck } from './check-onnx.ts';
import {
  changedFiles,
  contentDifferences,
  environmentDifferences,
  metricDeviations,
  tolerance,
  weightDeviations,
  type Deviation,
  type Difference,
} from './differences.ts';
import { checkThere, type Subject } from './subject.ts';

/** How the numbers of a run compare with those of training it again. */
export type Verdict = 'identical' | 'within-1e-6' | 'differs';

/** What training a run again has shown. */
export interface Verification {
  readonly run: Run;
  readonly verdict: Verdict;
  /** Up to which step it was trained and compared. */
  readonly steps: number;
  /** The first step with a number that differs by more than the tolerance; null where there is none. */
  readonly differsFromStep: number | null;
  /** Recorded metric values that were compared. */
  readonly metricValues: number;
  /** Tensors of weights that were compared. */
  readonly tensors: number;
  /** Values with other bits, by rising step. */
  readonly deviations: readonly Deviation[];
  /** Data, code, versions or starting weights that differ from the record. */
  readonly content: readonly Difference[];
  /** Recorded files that have changed since the run ended. */
  readonly files: readonly Difference[];
  /** Where the machine, its software, kernel or threads differ. */
  readonly environment: readonly Difference[];
  /** The predictions of `model.onnx` compared with the recorded ones. */
  readonly onnx: OnnxCheck;
}

export interface VerifyOptions {
  /** Train only this many steps. */
  readonly steps?: number | undefined;
  readonly commandLine: string;
  /** Called with each step that is logged, and how many there will be. */
  readonly onStep: (step: number, steps: number) => void;
  readonly stop: AbortSignal;
  readonly kill: AbortSignal;
}

/** Trains a recorded run again in a temporary directory and compares metrics and weights; undefined if it was stopped. */
export const verifyRun = async (
  subject: Subject,
  options: VerifyOptions,
): Promise<Result<Verification | undefined>> => {
  const present = await presentRun(subject);
  if (!present.ok) return present;
  const folder = mkdtempSync(join(tmpdir(), 'unroll-verify-'));
  try {
    const { outcome, directory } = await trainAgain(subject, present.value, { ...options, folder });
    if (options.stop.aborted) return success(undefined);
    if (!endedAsIntended(outcome, subject)) return failure(cannotTrain(subject, outcome));
    const onnx = await checkOnnx(subject, present.value);
    return success({ ...compare(subject, present.value.run, { outcome, directory }), onnx });
  } finally {
    ignoringSystemErrors(() => rmSync(folder, { recursive: true, force: true }));
  }
};

interface Present {
  /** With data, code and weights as they are now. */
  readonly run: Run;
  readonly bundle: string | undefined;
  readonly dataset: DatasetRow;
  readonly registry: Registry;
}

/** The run as it would be trained today. */
export const presentRun = async ({
  here,
  config,
  startFile,
  baseDirectory,
}: Subject): Promise<Result<Present>> => {
  for (const there of [
    checkThere(config, 'The config of this run'),
    checkThere(startFile, 'The file with the weights that this run starts from'),
  ])
    if (!there.ok) return there;
  const plugins = config === undefined ? undefined : await loadConfig(config);
  if (plugins && !plugins.ok) return plugins;
  const { registry, bundle } = plugins?.value ?? { registry: builtIn, bundle: undefined };
  const row = findRow(registry.dataset, here.config.dataset.name);
  if (!row) return failure(notRegistered('dataset', here.config.dataset.name));
  const wrong = wrongSetting(row, here.config.dataset);
  if (wrong) return failure(wrongRecord(here, wrong));
  const pretrained = pretrainedOf(here.config.model);
  let datasetDigest: string;
  let vectors: string | undefined;
  try {
    datasetDigest = await row.digest(here.config.dataset, { baseDirectory });
    vectors = pretrained && (await vectorsDigest(pretrained, { baseDirectory }));
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return failure(...error.issues.map((issue) => dataIsMissing(issue.message, issue.help)));
  }
  const code = codeNow(here, registry);
  if (!code.ok) return code;
  // Its numbers are those of a training from the start.
  const run = { ...here };
  delete run.continues;
  const sha256 = startFile === undefined ? undefined : digestOfFile(startFile)?.sha256;
  return success({
    run: {
      ...run,
      datasetDigest,
      ...(vectors !== undefined && { vectors }),
      versions: versionsNow(here),
      ...(code.value && { code: code.value }),
      ...(here.start && sha256 !== undefined && { start: { ...here.start, sha256 } }),
    },
    bundle,
    dataset: row,
    registry,
  });
};

const wrongRecord = ({ experiment, id }: Run, { message, expected }: Issue): Diagnostic => ({
  code: 'damaged-record',
  severity: 'error',
  message: `The record of the run ${experiment}/${id} describes no dataset: ${message}`,
  ...(expected !== undefined && { expected }),
  help: 'Verify it with the version of Unroll that trained it; `run.json` is not as this version writes it.',
});

const codeNow = ({ config, code }: Run, registry: Registry): Result<Run['code']> => {
  if (!code) return success(undefined);
  const digests: [string, string][] = [];
  for (const kind of namedSections) {
    if (code[kind] === undefined) continue;
    const name = config[kind]?.name ?? '';
    const table: Table<Row> = registry[kind];
    const digest = findRow(table, name)?.origin?.digest;
    if (digest === undefined) return failure(notRegistered(kind, name));
    digests.push([kind, digest]);
  }
  const metrics: [string, string][] = [];
  for (const name of Object.keys(code.metrics ?? {})) {
    const digest = findRow(registry.metric ?? {}, name)?.origin.digest;
    if (digest === undefined) return failure(notRegistered('metric', name));
    metrics.push([name, digest]);
  }
  return success({
    ...Object.fromEntries(digests),
    ...(code.metrics && { metrics: Object.fromEntries(metrics) }),
  });
};

const notRegistered = (kind: string, name: string): Diagnostic => ({
  code: 'unknown-name',
  severity: 'error',
  message: `No ${kind} is called "${name}" any more.`,
  expected: 'the entries that the run was trained with',
  help: 'Put its code back, or verify with the version of Unroll that trained the run.',
});

const dataIsMissing = (message: string, help: string | undefined): Diagnostic => ({
  code: 'data-missing',
  severity: 'error',
  message,
  expected: 'the data that the run was trained on',
  help: `${help ?? ''} The option --spec-directory names the folder that relative paths start from.`.trim(),
});

/** More threads than a job may have would only exhaust the machine; their number is what the record claims. */
const threadsIn = (environment: Subject['environment']): number => {
  const { threads = 1 } = environment ?? {};
  return Number.isInteger(threads) && threads >= 1 && threads <= 1024 ? threads : 1;
};

const trainAgain = async (
  { run: recorded, environment, status, startFile, baseDirectory }: Subject,
  { run, bundle }: Present,
  { folder, steps, commandLine, onStep, stop, kill }: VerifyOptions & { readonly folder: string },
): Promise<{ readonly outcome: RunOutcome; readonly directory: string }> => {
  const threads = threadsIn(environment);
  const kernel = environment && runnableHere().includes(environment.kernel) ? environment.kernel : undefined;
  const done = status.outcome?.step ?? 0;
  const isWhole = status.outcome?.reason === 'completed' || status.outcome?.reason === 'diverged';
  const last = steps === undefined ? done : Math.min(steps, done);
  const directory = runDirectory(folder, recorded);
  const pool = createPool({ threads, ownCode: bundle !== undefined });
  const onStop = () => pool.stopAll('interrupted', stopGraceMs);
  const onKill = () => pool.killAll();
  stop.addEventListener('abort', onStop);
  kill.addEventListener('abort', onKill);
  try {
    const result = await pool.train(
      {
        type: 'train',
        run,
        pauseAt: isWhole && last === done ? null : last,
        attempt: 1,
        fromTheStart: false,
        directory,
        baseDirectory,
        environment: await captureEnvironment(baseDirectory, commandLine),
        threads,
        ...(kernel !== undefined && { kernel }),
        ...(bundle !== undefined && { bundle }),
        ...(startFile !== undefined && { startFile }),
        profile: false,
      },
      {
        timeoutMs: null,
        onWait: () => undefined,
        onStart: () => undefined,
        onEvent: (event) => {
          if (event.type === 'step-logged') onStep(event.step, last);
        },
      },
    );
    const outcome =
      result.type === 'done'
        ? result.outcome
        : {
            ...outcomeOfExit(result, { killedByUser: kill.aborted, timeoutMs: null }),
            step: 0,
            elapsedMs: 0,
            metrics: {},
          };
    return { outcome, directory };
  } finally {
    stop.removeEventListener('abort', onStop);
    kill.removeEventListener('abort', onKill);
    await pool.close();
  }
};

/** A training that diverges does so again; one with other data may diverge where the recorded one did not. */
const endedAsIntended = ({ reason }: RunOutcome, { status }: Subject): boolean =>
  reason === 'completed' || reason === 'pruned' || (reason === 'diverged' && status.outcome !== null);

const cannotTrain = ({ run }: Subject, { reason, message }: RunOutcome): Diagnostic => ({
  code: 'conflict',
  severity: 'error',
  message: `The run ${run.experiment}/${run.id} could not be trained again (${reason}): ${message.replace(/\.$/, '')}.`,
  expected: 'a training that ends as the recorded one did',
  help: 'Fix what the message names, and verify again.',
});

const compare = (
  { directory: recorded, run, status, environment }: Subject,
  now: Run,
  { outcome, directory: again }: { readonly outcome: RunOutcome; readonly directory: string },
): Omit<Verification, 'onnx'> => {
  const { step: steps } = outcome;
  const isWhole = outcome.reason === 'completed';
  const { compared, deviations: ofMetrics } = metricDeviations(recorded, again, isWhole ? Infinity : steps);
  const pairs = weightPairs(recorded, again, { isWhole, keptStep: status.outcome?.keptStep ?? steps });
  const ofWeights = pairs.flatMap((pair) =>
    weightDeviations(tensorsOf(pair.recorded), tensorsOf(pair.again), pair.step),
  );
  const endedEarly = !isWhole && status.outcome?.reason === 'completed' && outcome.reason === 'diverged';
  const deviations: Deviation[] = [
    ...ofMetrics,
    ...ofWeights.map((one) => ({ ...one, what: `weights ${one.what}` })),
    ...(endedEarly ? [{ what: 'the loss, which diverged', step: steps, distance: Infinity }] : []),
  ].sort((a, b) => a.step - b.step);
  const beyond = deviations.find(({ distance }) => distance > tolerance);
  const verdict = beyond ? 'differs' : deviations.length > 0 ? 'within-1e-6' : 'identical';
  return {
    run,
    verdict,
    steps,
    differsFromStep: beyond?.step ?? null,
    metricValues: compared,
    tensors: pairs.reduce((sum, pair) => sum + tensorsOf(pair.recorded).size, 0),
    deviations,
    content: contentDifferences(run, now),
    files: changedFiles(recorded, status),
    environment: environmentDifferences(
      environment,
      readJsonIfWhole(join(again, fileNames.environment), parseEnvironment),
      verdict === 'identical',
    ),
  };
};

interface WeightPair {
  readonly recorded: string;
  readonly again: string;
  readonly step: number;
}

/** The files of weights that both directories have: the kept ones, and checkpoints of the same step. */
const weightPairs = (
  recorded: string,
  again: string,
  { isWhole, keptStep }: { readonly isWhole: boolean; readonly keptStep: number },
): readonly WeightPair[] => {
  const kept = { recorded: weightsFileOf(recorded), again: weightsFileOf(again), step: keptStep };
  const folder = join(recorded, fileNames.checkpoints);
  const steps = (existsSync(folder) ? readdirSync(folder) : []).flatMap((name): WeightPair[] => {
    const step = /^step-(\d+)\.safetensors$/.exec(name)?.[1];
    const pair = { recorded: join(folder, name), again: join(again, fileNames.checkpoints, name) };
    return step !== undefined && existsSync(pair.again) ? [{ ...pair, step: Number(step) }] : [];
  });
  return [...steps, ...(isWhole && existsSync(kept.recorded) ? [kept] : [])];
};

/** The tensors of a file by their names; none of a damaged one, so that each of them differs. */
const tensorsOf = (path: string): ReadonlyMap<string, StoredTensor> => {
  try {
    return new Map(variablesIn(readTensors(path).tensors).map(({ name, tensor }) => [name, tensor]));
  } catch (error) {
    if (interruptionOf(error)) throw error;
    return new Map();
  }
};
