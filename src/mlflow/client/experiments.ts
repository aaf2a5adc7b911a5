import { limits } from './limits.ts';
import { success } from '../../diagnostic/diagnostic.ts';
import { type Answer, problem } from './problem.ts';
import { fieldsOf, recordOf } from './read-answer.ts';
import type { Transport } from './transport.ts';
import { pairsProblem, type WirePair } from './wire.ts';

export interface Experiment {
  readonly id: string;
  readonly name: string;
  readonly deleted: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

export interface ExperimentCalls {
  readonly version: () => Promise<Answer<string>>;
  /** `SqlStore`, `FileStore`, or `unknown` on servers before 3. */
  readonly storeType: () => Promise<Answer<string>>;
  readonly experimentByName: (name: string) => Promise<Answer<Experiment | undefined>>;
  readonly experimentById: (id: string) => Promise<Answer<Experiment | undefined>>;
  /** Not repeated after an unclear attempt: look for the name first. */
  readonly createExperiment: (name: string, tags: readonly WirePair[]) => Promise<Answer<string>>;
  readonly restoreExperiment: (id: string) => Promise<Answer<undefined>>;
  readonly setExperimentTag: (id: string, tag: WirePair) => Promise<Answer<undefined>>;
}

const readExperiment = (raw: unknown): Answer<Experiment> => {
  const { experiment_id: id, name, lifecycle_stage: stage, tags } = fieldsOf(raw);
  if (typeof id !== 'string' || typeof name !== 'string')
    return problem('not-mlflow', 'The server answered without an experiment.', { unclear: true });
  return success({ id, name, deleted: stage === 'deleted', tags: recordOf(tags) });
};

export const experimentCalls = (transport: Transport): ExperimentCalls => {
  const find = async (
    endpoint: string,
    query: Readonly<Record<string, string>>,
  ): Promise<Answer<Experiment | undefined>> => {
    const found = await transport.json({
      method: 'GET',
      path: `/api/2.0/mlflow/experiments/${endpoint}`,
      query,
      what: 'look up the experiment',
      repeatable: true,
    });
    if (found.ok) return readExperiment(found.value['experiment']);
    return found.errors[0].kind === 'not-found' ? success(undefined) : found;
  };

  return {
    version: async () => {
      const said = await transport.bytes({
        method: 'GET',
        path: '/version',
        what: 'read its version',
        repeatable: true,
      });
      if (!said.ok) return said;
      const text = said.value.toString('utf8').trim();
      return /^\d+\.\d+/.test(text)
        ? success(text)
        : problem('not-mlflow', 'What answers is not an MLflow server: it does not report a version.', {
            help: 'Check host, port and path prefix of the tracking URI.',
          });
    },
    storeType: async () => {
      const said = await transport.json({
        method: 'GET',
        path: '/api/3.0/mlflow/server-info',
        what: 'read its store',
        repeatable: true,
      });
      if (said.ok)
        return success(typeof said.value['store_type'] === 'string' ? said.value['store_type'] : 'unknown');
      // Servers of version 2 do not know the question.
      return said.errors[0].status === 404 ? success('unknown') : said;
    },
    experimentByName: (name) => find('get-by-name', { experiment_name: name }),
    experimentById: (id) => find('get', { experiment_id: id }),
    createExperiment: async (name, tags) => {
      const wrong =
        name === '' || name.length > limits.experimentNameLength
          ? `the name has ${name.length} characters, expected 1 to ${limits.experimentNameLength}`
          : pairsProblem('experiment tag', tags, limits.experimentTagLength);
      if (wrong !== undefined) return problem('invalid', `The experiment cannot be created: ${wrong}.`);
      const made = await transport.json({
        method: 'POST',
        path: '/api/2.0/mlflow/experiments/create',
        json: { name, tags },
        what: `create the experiment "${name}"`,
        repeatable: false,
        newConnection: true,
      });
      if (!made.ok) return made;
      const id = made.value['experiment_id'];
      return typeof id === 'string'
        ? success(id)
        : problem('not-mlflow', 'The server answered without an experiment id.', { unclear: true });
    },
    restoreExperiment: async (id) => {
      const done = await transport.json({
        method: 'POST',
        path: '/api/2.0/mlflow/experiments/restore',
        json: { experiment_id: id },
        what: 'restore the experiment',
        repeatable: true,
      });
      return done.ok ? success(undefined) : done;
    },
    setExperimentTag: async (id, tag) => {
      const wrong = pairsProblem('experiment tag', [tag], limits.experimentTagLength);
      if (wrong !== undefined) return problem('invalid', `The experiment's tag cannot be set: ${wrong}.`);
      const done = await transport.json({
        method: 'POST',
        path: '/api/2.0/mlflow/experiments/set-experiment-tag',
        json: { experiment_id: id, key: tag.key, value: tag.value },
        what: 'set a tag of the experiment',
        repeatable: true,
      });
      return done.ok ? success(undefined) : done;
    },
  };
};
