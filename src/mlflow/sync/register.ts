import { dirname } from 'node:path';
import { success } from '../../diagnostic/diagnostic.ts';
import { type Answer, problem } from '../client/problem.ts';
import { proposedCommand } from '../../system/proposed-command.ts';
import { fileNames } from '../../record/run-files.ts';
import type { TrackedRun } from '../journal/record.ts';
import { modelOfRecording } from '../projection/tags.ts';
import type { SyncContext } from './context.ts';
import { readCursor } from './cursor.ts';
import type { Registered } from './results.ts';

/**
 * Registers the trained network of a run that the server has in full. A run has one version of a name: to register it again
 * finds this version. An alias then names it, and no other version any more.
 */
export const registerRun = async (
  { client, experimentId }: SyncContext,
  record: TrackedRun,
  { name, alias }: { readonly name: string; readonly alias: string | undefined },
): Promise<Answer<Registered>> => {
  const cursor = readCursor(record.directory, client.uri);
  if (cursor === undefined || record.recording === undefined)
    return problem('invalid', `The server does not have run ${record.run.id}.`);
  const { runId, artifactUri } = cursor;
  const models = await client.searchModels(experimentId, modelOfRecording(record.recording));
  if (!models.ok) return models;
  const model = models.value?.[0];
  if (models.value && !model)
    return problem('invalid', `The server has no model of run ${record.run.id}.`, {
      help: `Only a run with "model" in tracking.mlflow.artifacts has one there. Add it, then send the run again: \`${proposedCommand(['sync', record.run.id], dirname(dirname(record.directory)))}\`.`,
    });
  const made = await client.registerModel(name);
  if (!made.ok) return made;
  const versions = await client.searchVersions(runId);
  if (!versions.ok) return versions;
  const known = versions.value.find((one) => one.name === name)?.version;
  const version =
    known === undefined
      ? await client.createVersion({
          name,
          // As MLflow's own client does: the server's page reads the files by this place, and not by `runs:/`.
          source: model ? `models:/${model.id}` : `${artifactUri}/${fileNames.model}`,
          runId,
          ...(model && { modelId: model.id }),
        })
      : success(known);
  if (!version.ok) return version;
  if (alias !== undefined) {
    const named = await client.setAlias(name, alias, version.value);
    if (!named.ok) return named;
  }
  return success({ name, version: version.value, known: known !== undefined, runId });
};
