import { success } from '../../diagnostic/diagnostic.ts';
import { type Answer, problem } from './problem.ts';
import { eachPage } from './pages.ts';
import { fieldsOf, listOf, textOf } from './read-answer.ts';
import { pathOf } from './runs.ts';
import type { Transport } from './transport.ts';
import type { WirePair } from './wire.ts';

/** A logged model (MLflow 3). */
interface LoggedModel {
  readonly id: string;
  readonly artifactUri: string;
  readonly status: string;
}

interface NewModel {
  readonly experimentId: string;
  /** Without `/ : . % " '`. */
  readonly name: string;
  readonly type: string;
  readonly sourceRunId: string;
  readonly params: readonly WirePair[];
  readonly tags: readonly WirePair[];
}

interface ModelVersion {
  readonly name: string;
  readonly version: string;
}

export interface ModelCalls {
  /** Each call makes a model: search first. `undefined`: the server is older than 3 and has no logged models. */
  readonly createModel: (model: NewModel) => Promise<Answer<LoggedModel | undefined>>;
  readonly searchModels: (
    experimentId: string,
    filter: string,
  ) => Promise<Answer<readonly LoggedModel[] | undefined>>;
  /** `failed`: not all of its files could be stored. */
  readonly finishModel: (modelId: string, end: 'ready' | 'failed') => Promise<Answer<undefined>>;
  /** Shows the model as an output of the run. */
  readonly logOutput: (runId: string, modelId: string, step: number) => Promise<Answer<undefined>>;
  /** Makes the name known; one that is known stays as it is. */
  readonly registerModel: (name: string) => Promise<Answer<undefined>>;
  /** The versions of registered models that are of a run. */
  readonly searchVersions: (runId: string) => Promise<Answer<readonly ModelVersion[]>>;
  /** The new version's number. Each call makes one. */
  readonly createVersion: (version: {
    readonly name: string;
    readonly source: string;
    readonly runId: string;
    readonly modelId?: string;
  }) => Promise<Answer<string>>;
  /** What a version of a registered model names, by its number or an alias: `models:/<model>` or `runs:/<run>/<folder>`. */
  readonly versionSource: (name: string, version: number | string) => Promise<Answer<string>>;
  /** Where the files of a logged model are. */
  readonly modelRoot: (modelId: string) => Promise<Answer<string>>;
  readonly setAlias: (name: string, alias: string, version: string) => Promise<Answer<undefined>>;
}

const readModel = (raw: unknown): Answer<LoggedModel> => {
  const { model_id: id, artifact_uri: artifactUri, status } = fieldsOf(fieldsOf(raw)['info']);
  return typeof id !== 'string'
    ? problem('not-mlflow', 'The server answered without a model.', { unclear: true })
    : success({
        id,
        artifactUri: textOf(artifactUri),
        status: typeof status === 'number' ? String(status) : textOf(status),
      });
};

export const modelCalls = (transport: Transport): ModelCalls => {
  const post = async (endpoint: string, json: object, what: string): Promise<Answer<undefined>> => {
    const done = await transport.json({
      method: 'POST',
      path: pathOf(endpoint),
      json,
      what,
      repeatable: true,
    });
    return done.ok ? success(undefined) : done;
  };

  return {
    createModel: async ({ experimentId, name, type, sourceRunId, params, tags }) => {
      if (name === '' || /[/:.%"']/.test(name))
        return problem('invalid', `The model name "${name}" has one of / : . % " '.`);
      const made = await transport.json({
        method: 'POST',
        path: pathOf('logged-models'),
        json: {
          experiment_id: experimentId,
          name,
          model_type: type,
          source_run_id: sourceRunId,
          params,
          tags,
        },
        what: `create the model "${name}"`,
        repeatable: false,
        newConnection: true,
      });
      if (made.ok) return readModel(made.value['model']);
      return isMissingEndpoint(made.errors[0]) ? success(undefined) : made;
    },

    searchModels: async (experimentId, filter) => {
      const found = await transport.json({
        method: 'POST',
        path: pathOf('logged-models/search'),
        json: { experiment_ids: [experimentId], filter, max_results: 50 },
        what: 'search models',
        repeatable: true,
      });
      if (!found.ok) return isMissingEndpoint(found.errors[0]) ? success(undefined) : found;
      const models: LoggedModel[] = [];
      for (const raw of listOf(found.value['models'])) {
        const model = readModel(raw);
        if (!model.ok) return model;
        models.push(model.value);
      }
      return success(models);
    },

    finishModel: async (modelId, end) => {
      const done = await transport.json({
        method: 'PATCH',
        path: pathOf(`logged-models/${encodeURIComponent(modelId)}`),
        json: {
          model_id: modelId,
          status: end === 'ready' ? 'LOGGED_MODEL_READY' : 'LOGGED_MODEL_UPLOAD_FAILED',
        },
        what: 'finish the model',
        repeatable: true,
      });
      return done.ok ? success(undefined) : done;
    },

    logOutput: async (runId, modelId, step) => {
      const done = await post(
        'runs/outputs',
        { run_id: runId, models: [{ model_id: modelId, step }] },
        'link the model',
      );
      // Reported already.
      return !done.ok && done.errors[0].kind === 'duplicate' ? success(undefined) : done;
    },

    registerModel: async (name) => {
      const done = await post('registered-models/create', { name }, `register the model "${name}"`);
      return !done.ok && done.errors[0].kind === 'exists' ? success(undefined) : done;
    },

    searchVersions: async (runId) => {
      const versions: ModelVersion[] = [];
      const read = await eachPage(
        transport,
        (token) => ({
          method: 'GET',
          path: pathOf('model-versions/search'),
          query: { filter: `run_id='${runId}'`, max_results: 200, page_token: token },
          what: 'search versions of models',
          repeatable: true,
        }),
        (page) => {
          for (const raw of listOf(page['model_versions'])) {
            const { name, version } = fieldsOf(raw);
            versions.push({ name: textOf(name), version: String(version) });
          }
          return success(undefined);
        },
      );
      return read.ok ? success(versions) : read;
    },

    createVersion: async ({ name, source, runId, modelId }) => {
      const made = await transport.json({
        method: 'POST',
        path: pathOf('model-versions/create'),
        json: { name, source, run_id: runId, ...(modelId !== undefined && { model_id: modelId }) },
        what: `create a version of "${name}"`,
        repeatable: false,
        newConnection: true,
      });
      if (!made.ok) return made;
      const version = (made.value['model_version'] as { readonly version?: unknown } | undefined)?.version;
      return version === undefined
        ? problem('not-mlflow', 'The server answered without a version.', { unclear: true })
        : success(String(version as string | number));
    },

    versionSource: async (name, version) => {
      const isAlias = typeof version === 'string';
      const found = await transport.json({
        method: 'GET',
        path: pathOf(isAlias ? 'registered-models/alias' : 'model-versions/get'),
        query: { name, ...(isAlias ? { alias: version } : { version }) },
        what: `look up ${isAlias ? 'the alias' : 'version'} ${version} of "${name}"`,
        repeatable: true,
      });
      return found.ok ? success(sourceOfVersion(fieldsOf(found.value['model_version']))) : found;
    },

    modelRoot: async (modelId) => {
      const found = await transport.json({
        method: 'GET',
        path: pathOf(`logged-models/${encodeURIComponent(modelId)}`),
        what: 'look up the model',
        repeatable: true,
      });
      if (!found.ok) return found;
      const model = readModel(found.value['model']);
      return model.ok ? success(model.value.artifactUri) : model;
    },

    setAlias: (name, alias, version) =>
      post('registered-models/alias', { name, alias, version }, `name a version "${alias}"`),
  };
};

/** Files of a run are named by their place, or as `runs:/<run>/<folder>`. */
const sourceOfVersion = ({ source, run_id: run }: Readonly<Record<string, unknown>>): string => {
  const [written, runId] = [textOf(source), textOf(run)];
  const [, folder] = written.split(`/${runId}/artifacts/`);
  return runId !== '' && folder ? `runs:/${runId}/${folder}` : written;
};

const isMissingEndpoint = ({ status }: { readonly status?: number }) => status === 404 || status === 405;
