import { success } from '../../diagnostic/diagnostic.ts';
import { type Answer, isBlocking, isPassing } from '../client/problem.ts';
import type { WireMetric } from '../client/wire.ts';
import { fileNames } from '../../record/run-files.ts';
import type { TrackedRun } from '../journal/record.ts';
import { type Artifact, filesOfGroup } from '../projection/artifacts.ts';
import { mlmodelFiles, modelName } from '../projection/mlmodel.ts';
import { modelMetrics } from '../projection/model-metrics.ts';
import { mlflowRunName } from '../projection/names.ts';
import { runParams } from '../projection/params.ts';
import { modelOfRecording, recordingTag, type SweepPlace } from '../projection/tags.ts';
import type { Outbox } from './outbox.ts';

/** What of a run's files the server does not have although it answers. */
export interface FilesSent {
  /** Files that were refused, or that there is no way to store. */
  readonly missing: number;
}

const noStore = ({ context, cursor }: Outbox): string => {
  const { artifactUri, runId } = cursor();
  const store = artifactUri.split(`/${runId}`)[0] ?? artifactUri;
  return (
    `The MLflow server at ${context.client.uri} keeps files in ${store}, where they cannot be written from here, so no files of the runs were stored. ` +
    'Start the server with --serve-artifacts (its default) and send the runs to a new experiment: an experiment keeps its place for files.'
  );
};

/** Stores files that are new or have changed. Those that are refused are reported, and do not hold up the others. */
export const sendArtifacts = async (
  outbox: Outbox,
  artifacts: readonly Artifact[],
  target: { readonly root: string; readonly folder?: string } = { root: outbox.cursor().artifactUri },
): Promise<Answer<FilesSent>> => {
  const { client, notice } = outbox.context;
  const { runId, artifactUri } = outbox.cursor();
  const placed = artifacts.map(({ path, content, digest }) => {
    const place = target.folder === undefined ? path : `${target.folder}/${path}`;
    return { path: place, part: `artifact:${target.root}/${place}`, content, digest };
  });
  const unsent = placed.filter(({ part, digest }) => !outbox.hasSent(part, digest));
  if (unsent.length === 0) return success({ missing: 0 });
  const storable = await client.canStoreFiles({ runId, artifactUri });
  if (!storable.ok) return storable;
  if (!storable.value) {
    notice(noStore(outbox));
    return success({ missing: unsent.length });
  }
  let missing = 0;
  for (const { path, part, content, digest } of unsent) {
    const sent = await outbox.once(part, digest, () => client.uploadArtifact(target.root, path, content));
    if (sent.ok) continue;
    if (isPassing(sent.errors[0]) || isBlocking(sent.errors[0])) return sent;
    missing++;
    notice(`${sent.errors[0].message}${sent.errors[0].help ? ` ${sent.errors[0].help}` : ''}`);
  }
  return success({ missing });
};

/** Files of the model folder as they lie in a model: without the folder's own name. */
const modelFiles = (directory: string): readonly Artifact[] =>
  filesOfGroup(directory, 'model').map((file) => ({ ...file, path: file.path.replace(/^[^/]*\//, '') }));

/**
 * Stores the trained network: as a logged model where the server has them (version 3), else as a folder of the run's
 * artifacts that `runs:/<run>/model` names. Both times with the file that makes it a model for MLflow. A model without all
 * of its files does not become ready.
 */
export const sendModel = async (
  outbox: Outbox,
  { record, place }: { readonly record: TrackedRun; readonly place: SweepPlace | undefined },
): Promise<Answer<FilesSent>> => {
  const files = modelFiles(record.directory);
  if (files.length === 0 || record.recording === undefined) return success({ missing: 0 });
  const whole = files.map(({ digest }) => digest);
  if (outbox.hasSent('model', whole)) return success({ missing: 0 });
  const { client } = outbox.context;
  const { runId, artifactUri } = outbox.cursor();
  const storable = await client.canStoreFiles({ runId, artifactUri });
  if (!storable.ok) return storable;
  if (!storable.value) {
    outbox.context.notice(noStore(outbox));
    return success({ missing: files.length });
  }
  const name = modelName(mlflowRunName(record.run, place?.plan.axes ?? []));
  const model = await findOrCreateModel(outbox, { record, name, recording: record.recording });
  if (!model.ok) return model;
  const modelId = model.value?.id;
  const description = mlmodelFiles(record, {
    runId,
    ...(modelId !== undefined && { modelId }),
    path: model.value?.artifactUri ?? fileNames.model,
  });
  const target = model.value
    ? { root: model.value.artifactUri }
    : { root: artifactUri, folder: fileNames.model };
  const sent = await sendArtifacts(outbox, [...files, ...description], target);
  if (!sent.ok) return sent;
  if (sent.value.missing > 0) {
    const failed = modelId === undefined ? success(undefined) : await client.finishModel(modelId, 'failed');
    return failed.ok ? sent : failed;
  }
  const finished = await outbox.once('model', whole, async () => {
    if (modelId === undefined) return success(undefined);
    const measured = await sendModelMetrics(outbox, modelMetrics(record, modelId));
    if (!measured.ok) return measured;
    const ready = await client.finishModel(modelId, 'ready');
    return ready.ok ? client.logOutput(runId, modelId, record.status?.outcome?.step ?? 0) : ready;
  });
  return finished.ok ? sent : finished;
};

/**
 * Links metrics to a logged model. The store of models refuses a batch with a point that it has, as after an attempt of
 * which the answer was lost; then they go one by one. A store that keeps repeated points gets none: the run's history has
 * these points already.
 */
const sendModelMetrics = async (
  { context, cursor }: Outbox,
  metrics: readonly WireMetric[],
): Promise<Answer<undefined>> => {
  if (metrics.length === 0 || !context.dedupes) return success(undefined);
  const { runId } = cursor();
  const whole = await context.client.logBatch(runId, { metrics });
  if (whole.ok || whole.errors[0].kind !== 'duplicate') return whole;
  for (const metric of metrics) {
    const one = await context.client.logBatch(runId, { metrics: [metric] });
    if (!one.ok && one.errors[0].kind !== 'duplicate') return one;
  }
  return success(undefined);
};

const findOrCreateModel = async (
  { context, cursor }: Outbox,
  {
    record,
    name,
    recording,
  }: { readonly record: TrackedRun; readonly name: string; readonly recording: string },
) => {
  const { client, experimentId } = context;
  const found = await client.searchModels(experimentId, modelOfRecording(recording));
  if (!found.ok) return found;
  const known = found.value?.[0];
  return found.value === undefined || known
    ? success(known)
    : client.createModel({
        experimentId,
        name,
        type: 'unroll',
        sourceRunId: cursor().runId,
        params: runParams(record.run),
        tags: [{ key: recordingTag, value: recording }],
      });
};
