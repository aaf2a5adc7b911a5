import type { MlflowSettings } from '../../language/config.ts';
import { type Answer, answer, problem } from '../client/problem.ts';
import { type ConnectionSettings, connectionSettings } from '../client/settings.ts';
import type { ExperimentChoice } from './ensure-experiment.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where runs are sent and what goes with them. */
export interface Target {
  readonly connection: ConnectionSettings;
  readonly experiment: ExperimentChoice;
  readonly tags: Readonly<Record<string, string>>;
  /** MLFLOW_RUN_ID: a run to go on with, as the sweep's own or as the single run. */
  readonly adoptRunId?: string;
}

export interface TargetOptions {
  /** `tracking.mlflow` of the spec. */
  readonly settings: MlflowSettings | undefined;
  /** The spec's name: the experiment unless something else is said. */
  readonly experiment: string;
  /** Overrides every other address. */
  readonly to?: string;
  readonly env?: Environment;
}

/** The address that is meant, or nothing: then nothing is sent anywhere. */
export const trackingUri = ({ settings, to, env = process.env }: TargetOptions): string | undefined =>
  to ?? settings?.uri ?? (env['MLFLOW_TRACKING_URI']?.trim() || undefined);

const contextTags = (text: string | undefined): Answer<Readonly<Record<string, string>>> => {
  if (!text) return answer({});
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return answer(Object.fromEntries(Object.entries(parsed).map(([key, value]) => [key, String(value)])));
  } catch {
    // Said below.
  }
  return problem('settings', 'MLFLOW_RUN_CONTEXT is not a JSON object.', {
    help: `Write it like '{"team": "speech"}', or unset it.`,
  });
};

const chooseExperiment = ({ settings, experiment, env = process.env }: TargetOptions): ExperimentChoice => {
  if (settings?.experiment !== undefined) return { name: settings.experiment };
  const id = env['MLFLOW_EXPERIMENT_ID'];
  if (id) return { id };
  return { name: env['MLFLOW_EXPERIMENT_NAME'] || experiment };
};

/** Spec and environment as one target; nothing when no address is given. */
export const resolveTarget = (options: TargetOptions): Answer<Target> | undefined => {
  const { env = process.env, settings } = options;
  const uri = trackingUri(options);
  if (uri === undefined) return undefined;
  const connection = connectionSettings(uri, env);
  if (!connection.ok) return connection;
  const fromEnvironment = contextTags(env['MLFLOW_RUN_CONTEXT']);
  if (!fromEnvironment.ok) return fromEnvironment;
  const adoptRunId = env['MLFLOW_RUN_ID'];
  return answer({
    connection: connection.value,
    experiment: chooseExperiment(options),
    tags: { ...fromEnvironment.value, ...settings?.tags },
    ...(adoptRunId && { adoptRunId }),
  });
};
