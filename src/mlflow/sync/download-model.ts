import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { success } from '../../diagnostic/diagnostic.ts';
import { modelFileNames } from '../../record/run-files.ts';
import { cacheFolder } from '../../system/cache-folder.ts';
import { writeWhole } from '../../system/files.ts';
import { placeFolder, stageFolder } from '../../system/whole-folder.ts';
import type { MlflowClient } from '../client/client.ts';
import { type Answer, problem } from '../client/problem.ts';

/** A version of a registered model: `models:/digits/3`, or `models:/digits@champion`. */
const versionForm = /^models:\/+(?<name>[^/@]+)(?:\/(?<version>\d+)|@(?<alias>[^/@]+))$/;

/** What the server's page shows of a logged model, and of the model of a run. */
const sourceForm = /^(models:\/+m-[0-9a-f]{32}|runs:\/+\w+\/.+)$/;

/** What every model folder has; the others are there for some models. */
const required: readonly string[] = [modelFileNames.model, modelFileNames.weights];

/**
 * The folder of a model on the server, downloaded into the user's cache once: what a version names never changes. An alias is
 * looked up each time.
 */
export const downloadModel = async (client: MlflowClient, reference: string): Promise<Answer<string>> => {
  const source = await sourceOf(client, reference);
  if (!source.ok) return source;
  const root = await rootOf(client, source.value);
  if (!root.ok) return root;
  const folder = join(cacheFolder(), 'models', root.value.key);
  if (existsSync(folder)) return success(folder);
  return await stageFolder(folder, async (beside) => {
    for (const name of Object.values(modelFileNames)) {
      if (root.value.names?.includes(name) === false) continue;
      const file = await client.downloadArtifact(root.value.root, name);
      if (file.ok) writeWhole(join(beside, name), file.value, 'later');
      else if (required.includes(name)) return file;
      else if (file.errors[0].status !== 404 && file.errors[0].kind !== 'not-found') return file;
    }
    await placeFolder(beside, folder);
    return success(folder);
  });
};

/** What a reference names: `models:/<logged model>` or `runs:/<run>/<folder>`. */
const sourceOf = async (client: MlflowClient, reference: string): Promise<Answer<string>> => {
  if (sourceForm.test(reference)) return success(reference);
  const named = versionForm.exec(reference)?.groups;
  return named
    ? await client.versionSource(named['name'] ?? '', named['alias'] ?? Number(named['version']))
    : problem('invalid', `"${reference}" names no model on MLflow.`, {
        help: 'Write models:/NAME@ALIAS, models:/NAME/VERSION or runs:/RUN/model.',
      });
};

interface ModelFiles {
  readonly root: string;
  /** Names them for ever. */
  readonly key: string;
  /** Which files there are, where that is known. */
  readonly names?: readonly string[];
}

/** Where the files of a version are. */
const rootOf = async (client: MlflowClient, source: string): Promise<Answer<ModelFiles>> => {
  const model = /^models:\/+([\w-]+)$/.exec(source)?.[1];
  if (model !== undefined) {
    const root = await client.modelRoot(model);
    return root.ok ? success({ root: root.value, key: model }) : root;
  }
  const [, runId, folder] = /^runs:\/+([\w-]+)\/(.+)$/.exec(source) ?? [];
  if (runId === undefined || folder === undefined)
    return problem(
      'invalid',
      `The version names ${source === '' ? 'no files' : source}, which is no model of a run.`,
      {
        help: 'Name a version that `unroll register` made.',
      },
    );
  const run = await client.getRun(runId);
  if (!run.ok) return run;
  if (!run.value) return problem('not-found', `The server has no run ${runId}, whose model is asked for.`);
  // From MLflow 3 on, the model of a run is beside it, and MLflow's own clients find it by this name, too.
  const logged = await client.searchModels(run.value.experimentId, `source_run_id = '${runId}'`);
  if (!logged.ok) return logged;
  const [first] = logged.value ?? [];
  if (first) return success({ root: first.artifactUri, key: first.id });
  // MLflow 2 answers as if it had failed where a file is missing, so one that is not listed is not asked for.
  const listed = await client.listArtifacts(runId, folder);
  if (!listed.ok) return listed;
  const names = listed.value.map(({ path }) => path.slice(folder.length + 1)).concat(required);
  return success({ root: `${run.value.artifactUri}/${folder}`, key: runId, names });
};
