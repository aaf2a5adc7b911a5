import { type ArtifactGroup, defaultArtifactGroups } from '../../language/artifact-groups.ts';
import { type MlflowClient, openClient } from '../client/client.ts';
import { success } from '../../diagnostic/diagnostic.ts';
import { type Answer, problem } from '../client/problem.ts';
import type { TransportOptions } from '../client/transport.ts';
import type { SyncContext } from './context.ts';
import { ensureExperiment } from './ensure-experiment.ts';
import type { Target } from './target.ts';

export interface ConnectOptions extends TransportOptions {
  readonly notice: (message: string) => void;
  readonly artifacts?: readonly ArtifactGroup[];
  readonly restore?: boolean;
  readonly checkRuns?: boolean;
  readonly batchRetries?: number;
  readonly signal?: AbortSignal;
}

/** MLFLOW_EXPERIMENT_NAME beside MLFLOW_EXPERIMENT_ID must name the same experiment. */
const agreesWithName = (name: string): Answer<undefined> => {
  const wanted = process.env['MLFLOW_EXPERIMENT_NAME'];
  return wanted === undefined || wanted === '' || wanted === name
    ? success(undefined)
    : problem(
        'settings',
        `MLFLOW_EXPERIMENT_ID is the experiment "${name}", but MLFLOW_EXPERIMENT_NAME is "${wanted}".`,
        {
          help: 'Unset one of them.',
        },
      );
};

/** Opens a server for synchronisation: checks that it is one, learns how its store behaves, finds the experiment. */
export const connect = async (
  target: Target,
  options: ConnectOptions,
): Promise<Answer<{ readonly context: SyncContext; readonly client: MlflowClient }>> => {
  const opened = openClient(target.connection, options);
  if (!opened.ok) return opened;
  const client = opened.value;
  options.signal?.addEventListener('abort', client.stop, { once: true });
  const give = async <T>(result: Answer<T> & { ok: false }): Promise<Answer<never>> => {
    await client.close();
    return result;
  };

  const experiment = await ensureExperiment(client, target.experiment, { restore: options.restore ?? false });
  if (!experiment.ok) return give(experiment);
  const agrees = 'id' in target.experiment ? agreesWithName(experiment.value.name) : success(undefined);
  if (!agrees.ok) return give(agrees);
  const store = await client.storeType();
  if (!store.ok) return give(store);

  return success({
    client,
    context: {
      client,
      dedupes: store.value === 'SqlStore',
      // Only servers of version 3 name their store.
      savedViews: store.value !== 'unknown',
      experimentId: experiment.value.id,
      backoff: target.connection,
      batchRetries: options.batchRetries ?? options.retries ?? target.connection.retries,
      ...(options.signal && { signal: options.signal }),
      tags: target.tags,
      artifactGroups: new Set(options.artifacts ?? defaultArtifactGroups),
      checkRuns: options.checkRuns ?? false,
      ...(target.adoptRunId !== undefined && { adoptRunId: target.adoptRunId }),
      notice: options.notice,
      reject: () => undefined,
    },
  });
};
