import { success } from '../../diagnostic/diagnostic.ts';
import { type Answer, isBlocking, isPassing } from '../client/problem.ts';
import { fileNames } from '../../record/run-files.ts';
import type { TrackedRun } from '../journal/record.ts';
import { type Artifact, filesOfGroup, textArtifact } from '../projection/artifacts.ts';
import { mlmodelFile, modelName } from '../projection/mlmodel.ts';
import { sectionParams } from '../projection/params.ts';
import { recordingTag } from '../projection/tags.ts';
import type { Outbox } from './outbox.ts';

/** Stores files that are new or have changed. One that is refused is reported, and does not hold up the others. */
export const sendArtifacts = async (
  outbox: Outbox,
  artifacts: readonly Artifact[],
  target: { readonly root: string; readonly folder?: string } = { root: outbox.cursor().artifactUri },
): Promise<Answer<undefined>> => {
  for (const { path, content, digest } of artifacts) {
    const placed = target.folder === undefined ? path : `${target.folder}/${path}`;
    const sent = await outbox.once(`artifact:${target.root}/${placed}`, digest, () =>
      outbox.context.client.uploadArtifact(target.root, placed, content),
    );
    if (sent.ok) continue;
    if (isPassing(sent.errors[0]) || isBlocking(sent.errors[0])) return sent;
    outbox.context.notice(`${sent.errors[0].message}${sent.errors[0].help ? ` ${sent.errors[0].help}` : ''}`);
  }
  return success(undefined);
};

/** Files of the model folder as they lie in a model: without the folder's own name. */
const modelFiles = (directory: string): readonly Artifact[] =>
  filesOfGroup(directory, 'model').map((file) => ({ ...file, path: file.path.replace(/^[^/]*\//, '') }));

/**
 * Stores the trained network: as a logged model where the server has them (version 3), else as a folder of the run's
 * artifacts that `runs:/<run>/model` names. Both times with the file that makes it a model for MLflow.
 */
export const sendModel = async (outbox: Outbox, record: TrackedRun): Promise<Answer<undefined>> => {
  const files = modelFiles(record.directory);
  if (files.length === 0 || record.recording === undefined) return success(undefined);
  const { client, experimentId } = outbox.context;
  const { runId, artifactUri } = outbox.cursor();
  const whole = files.map(({ digest }) => digest);
  return outbox.once('model', whole, async () => {
    const found = await client.searchModels(
      experimentId,
      `tags."${recordingTag}" = '${record.recording ?? ''}'`,
    );
    if (!found.ok) return found;
    const known = found.value?.[0];
    const model =
      found.value === undefined || known
        ? success(known)
        : await client.createModel({
            experimentId,
            name: modelName(record),
            type: 'unroll',
            sourceRunId: runId,
            params: sectionParams(record.run.config.model),
            tags: [{ key: recordingTag, value: record.recording ?? '' }],
          });
    if (!model.ok) return model;
    const modelId = model.value?.id;
    const description = mlmodelFile(record, {
      runId,
      ...(modelId !== undefined && { modelId }),
      path: 'model',
    });
    const target = model.value
      ? { root: model.value.artifactUri }
      : { root: artifactUri, folder: fileNames.model };
    const sent = await sendArtifacts(outbox, [...files, textArtifact('MLmodel', description)], target);
    if (!sent.ok || modelId === undefined) return sent;
    const finished = await client.finishModel(modelId);
    if (!finished.ok) return finished;
    return client.logOutput(runId, modelId, record.status?.outcome?.step ?? 0);
  });
};
