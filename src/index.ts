/**
 * What programs and the user's `unroll.config.ts` import from the package `unroll`. Light to load: what plans,
 * trains or reads data is imported when it is called.
 */
import type { CompareSettings } from './api/compare.ts';
import type { Experiment } from './api/experiment.ts';
import type { PlanSettings } from './api/plan.ts';
import type { EvaluateSettings, Prediction, PredictSettings } from './api/predict.ts';
import type { RunResult, RunSettings } from './api/run.ts';
import type { PullResult, PullSettings, PushResult, PushSettings } from './api/store.ts';
import type { RegisterSettings, SyncSettings } from './api/track.ts';
import type { ExportSettings, SampleSettings, ServeSettings } from './api/use.ts';
import type { Bundle, BundleSettings, VerifySettings } from './api/verify.ts';
import type { Config } from './registry/own/definitions.ts';
import type { WrittenFile } from './export/write-export.ts';
import type { RegisteredModel, SyncReport } from './mlflow/sync/results.ts';
import type { NamedServer } from './serve/serve-named.ts';
import type { Evaluation } from './prediction/evaluate.ts';
import type { Comparison } from './report/compare.ts';
import type { Plan } from './plan/plan.ts';
import type { Verification } from './verify/verify-run.ts';

export { defineExperiment } from './api/experiment.ts';
export type { Axes, AxisValues, Experiment, SweepInput, Values } from './api/experiment.ts';
export { UnrollError } from './api/error.ts';
export type { CompareSettings } from './api/compare.ts';
export type { PlanSettings } from './api/plan.ts';
export type { EvaluateSettings, Prediction, PredictSettings, UseSettings } from './api/predict.ts';
export type { RunResult, RunSettings } from './api/run.ts';
export type { PullResult, PullSettings, PushResult, PushSettings } from './api/store.ts';
export type { RegisterSettings, SyncSettings } from './api/track.ts';
export type { ExportSettings, SampleSettings, ServeSettings } from './api/use.ts';
export type { Bundle, BundleSettings, VerifySettings } from './api/verify.ts';
export type { Diagnostic } from './diagnostic/diagnostic.ts';
export type { ExportFormat } from './export/formats.ts';
export type { WrittenFile } from './export/write-export.ts';
export type { RegisteredModel, SyncReport } from './mlflow/sync/results.ts';
export type { InputKind } from './prediction/formats.ts';
export type { NamedServer } from './serve/serve-named.ts';
export type { AnsweredRequest } from './serve/limits.ts';
export type { EvaluatedBaseline, Evaluation } from './prediction/evaluate.ts';
export type { ComparedConfiguration, ComparedRun, Comparison } from './report/compare.ts';
export type { Plan, Run } from './plan/plan.ts';
export type { Deviation, Difference } from './verify/differences.ts';
export type { OnnxCheck } from './verify/check-onnx.ts';
export type { Verdict, Verification } from './verify/verify-run.ts';
export type { RunEvent, RunListener, RunOutcome, TrainerEvent } from './record/events.ts';

export { Type } from '@sinclair/typebox';
export { choice, nullable } from './parameters/schema.ts';
export {
  defineConfig,
  defineDataset,
  defineLoss,
  defineMetric,
  defineModel,
  defineOptimizer,
  type BuiltModel,
  type Config,
  type DatasetDefinition,
  type Initializer,
  type LossDefinition,
  type MetricDefinition,
  type ModelDefinition,
  type ModelTools,
  type OptimizerDefinition,
  type ParametersOf,
  type TensorFlow,
} from './registry/own/definitions.ts';
export type { ParameterIssue } from './parameters/row.ts';
export {
  DataError,
  type Batch,
  type DataContext,
  type Dataset,
  type SequenceShape,
  type Split,
} from './data/dataset.ts';
export type { Task } from './data/task.ts';
export { memorySplit } from './data/memory.ts';
export { randomStream, type Random } from './data/random.ts';
export type { MeasureContext, Rows } from './metrics/measure.ts';
export type { TensorBatch } from './models/model.ts';
export type { OnnxAttribute, OnnxContext, OnnxGraph, OnnxStep } from './models/onnx.ts';
export type { Update } from './optimizers/optimizer.ts';

/**
 * Unrolls an experiment, or a spec in YAML by its path, into its runs; trains nothing. Throws `UnrollError` with every
 * mistake and its place; places in an experiment are those of the equivalent YAML.
 */
export const plan = async <C extends Config>(
  experiment: Experiment<C> | string,
  settings?: PlanSettings,
): Promise<Plan> => (await import('./api/plan.ts')).plan(experiment, settings);

/**
 * Trains what is missing of a plan, an experiment or a spec in YAML, each run in its directory, and compares. Runs train
 * in child processes; this process never loads TensorFlow. A run that fails is an outcome; throws `UnrollError` for
 * mistakes that the user can fix before any run begins.
 */
export const run = async <C extends Config>(
  what: Plan | Experiment<C> | string,
  settings?: RunSettings,
): Promise<RunResult> => (await import('./api/run.ts')).run(what, settings);

/**
 * Compares the recorded runs of plans, of the last sweeps of experiments by their names, or of sweeps by their ids: the
 * best first, with mean and spread over seeds. Runs whose scores cannot be compared are ranked in groups of their own.
 * Throws `UnrollError` when nothing of that name is recorded.
 */
export const compare = async (
  what: Plan | string | readonly (Plan | string)[],
  settings?: CompareSettings,
): Promise<Comparison> => (await import('./api/compare.ts')).compare(what, settings);

/**
 * Sends finished runs to a store: those of experiments, of sweeps or single runs by the beginning of their ids, or all. Throws
 * `UnrollError` where the store cannot be used or a record is damaged; what was sent stays sent.
 */
export const push = async (what?: string | readonly string[], settings?: PushSettings): Promise<PushResult> =>
  (await import('./api/store.ts')).push(what, settings);

/** Brings finished runs from a store, named as for `push`, with the plans of their sweeps, so that they can be compared. */
export const pull = async (what?: string | readonly string[], settings?: PullSettings): Promise<PullResult> =>
  (await import('./api/store.ts')).pull(what, settings);

/**
 * Predicts every sequence of a file, a folder or a pattern with a trained model: a run by the beginning of its id,
 * `best:EXPERIMENT`, the folder of a model, a `model.onnx`, or `models:/NAME@ALIAS` on the server of `MLFLOW_TRACKING_URI`.
 * Several models are averaged. Returns the rows that `unroll predict` writes.
 * Loads TensorFlow into this process. Throws `UnrollError` for what cannot be read, with file and line.
 */
export const predict = async (
  model: string | readonly string[],
  input: string,
  settings?: PredictSettings,
): Promise<readonly Prediction[]> => (await import('./api/predict.ts')).predict(model, input, settings);

/** Evaluates a trained model on a file that has the targets: metrics, confusion matrix and a baseline; otherwise as `predict`. */
export const evaluate = async (
  model: string,
  data: string,
  settings?: EvaluateSettings,
): Promise<Evaluation> => (await import('./api/predict.ts')).evaluate(model, data, settings);

/** Returns the text with which a language model continues a prompt. Name the model as for `predict`. */
export const sample = async (model: string, settings: SampleSettings): Promise<string> =>
  (await import('./api/use.ts')).sample(model, settings);

/** Writes a trained model into a folder as ONNX, TensorFlow.js, PyTorch or safetensors, with a README whose code runs. */
export const exportModel = async (model: string, settings: ExportSettings): Promise<readonly WrittenFile[]> =>
  (await import('./api/use.ts')).exportModel(model, settings);

/**
 * Serves trained models over HTTP as `unroll serve` does, until `stop` is called. Ends the process neither on a signal nor
 * otherwise.
 */
export const serve = async (
  models: string | readonly string[],
  settings?: ServeSettings,
): Promise<NamedServer> => (await import('./api/use.ts')).serve(models, settings);

/** Sends what is recorded and not yet on an MLflow server: all of it, an experiment, or a run. */
export const sync = async (what?: string, settings: SyncSettings = {}): Promise<SyncReport> =>
  (await import('./api/track.ts')).sync(what, settings);

/** Makes the network of a run, or of `best:EXPERIMENT`, a version of a registered model on MLflow; sends the run if needed. */
export const register = async (run: string, settings: RegisterSettings): Promise<RegisteredModel> =>
  (await import('./api/track.ts')).register(run, settings);

/**
 * Trains a recorded run again, or that of a bundle, and compares its metrics and weights, and the predictions of its
 * `model.onnx`, with the record. What differs is in the result: it throws `UnrollError` only where the run cannot be trained.
 */
export const verify = async (what: string, settings?: VerifySettings): Promise<Verification> =>
  (await import('./api/verify.ts')).verify(what, settings);

/** Writes a run with all that another machine needs to verify it into one file. */
export const bundle = async (run: string, settings?: BundleSettings): Promise<Bundle> =>
  (await import('./api/verify.ts')).bundle(run, settings);
