import { artifactCalls, type ArtifactCalls } from './artifacts.ts';
import { experimentCalls, type ExperimentCalls } from './experiments.ts';
import { modelCalls, type ModelCalls } from './models.ts';
import { success } from '../../diagnostic/diagnostic.ts';
import type { Answer } from './problem.ts';
import { runCalls, type RunCalls } from './runs.ts';
import type { ConnectionSettings } from './settings.ts';
import { openTransport, type Transport, type TransportOptions } from './transport.ts';

/**
 * A typed client of the MLflow REST interface, for servers of versions 2.22 and 3. Every expected failure is a value
 * with a sentence for people; every field is checked before it is sent, because a server answers 200 to a field of the
 * wrong type and loses the rest of the batch.
 */
export interface MlflowClient
  extends ExperimentCalls, RunCalls, ArtifactCalls, ModelCalls, Pick<Transport, 'stop' | 'close'> {
  readonly uri: string;
  readonly commands: ConnectionSettings['commands'];
}

export const openClient = (
  settings: ConnectionSettings,
  options: TransportOptions = {},
): Answer<MlflowClient> => {
  const opened = openTransport(settings, options);
  if (!opened.ok) return opened;
  const transport = opened.value;
  return success({
    uri: settings.uri,
    commands: settings.commands,
    stop: transport.stop,
    close: transport.close,
    ...experimentCalls(transport),
    ...runCalls(transport),
    ...artifactCalls(transport, settings.uri),
    ...modelCalls(transport),
  });
};
