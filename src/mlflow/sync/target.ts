import type { MlflowSettings } from '../../language/config.ts';
import { usualRunsDirectory } from '../../system/proposed-command.ts';
import { maskedJson } from '../../system/secrets.ts';
import { readUserConfig, userConfigPath } from '../../language/user-config.ts';
import { success } from '../../diagnostic/diagnostic.ts';
import { type Answer, createProblem, failedBy, type Problem, problem } from '../client/problem.ts';
import { type NamedBy, serverAccess, type ServerAccess } from '../client/server-access.ts';
import {
  type ConnectionSettings,
  connectionSettings,
  parseTrackingUri,
  proposedCommands,
} from '../client/settings.ts';
import type { ExperimentChoice } from './ensure-experiment.ts';
import { isObject, readJsonText } from '../../system/json.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where runs are sent and what goes with them. */
export interface Target {
  readonly connection: ConnectionSettings;
  readonly experiment: ExperimentChoice;
  readonly tags: Readonly<Record<string, string>>;
  /** MLFLOW_RUN_ID: a run to continue, as the sweep's own or as the single run. */
  readonly adoptRunId?: string;
}

export interface TargetOptions {
  /** `tracking.mlflow` of the spec. */
  readonly settings: MlflowSettings | undefined;
  /** The spec's name: the experiment unless the spec names another. */
  readonly experiment: string;
  /** For the commands that messages propose. */
  readonly runsDirectory?: string;
  /** Overrides every other address. */
  readonly to?: string;
  /** Servers that a spec may name in this command. */
  readonly allowServers?: readonly string[];
  readonly env?: Environment;
}

/** The address that is meant, or nothing: then nothing is sent anywhere. */
export const trackingUri = ({
  settings,
  to,
  env = process.env,
}: Pick<SyncOptions, 'settings' | 'to' | 'env'>): string | undefined =>
  to ?? settings?.uri ?? (env['MLFLOW_TRACKING_URI']?.trim() || undefined);

const contextTags = (text: string | undefined): Answer<Readonly<Record<string, string>>> => {
  if (!text) return success({});
  try {
    const parsed = readJsonText(text);
    if (isObject(parsed))
      return success(
        Object.fromEntries(Object.entries(maskedJson(parsed)).map(([key, value]) => [key, String(value)])),
      );
  } catch {
    // Reported below.
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

const namedBy = ({ settings, to }: TargetOptions): NamedBy =>
  to !== undefined ? 'command' : settings?.uri !== undefined ? 'spec' : 'environment';

const targetAccess = (options: TargetOptions, uri: string): Answer<ServerAccess> => {
  const { env = process.env, allowServers = [] } = options;
  const parsed = parseTrackingUri(uri);
  if (!parsed.ok) return parsed;
  const own = env['MLFLOW_TRACKING_URI']?.trim() || undefined;
  const config = readUserConfig(env);
  if (!config.ok) {
    const [error] = config.errors;
    return failedBy({
      ...createProblem('settings', `Your config ${userConfigPath(env)} is invalid.`),
      ...error,
    });
  }
  return serverAccess({
    uri: parsed.value.uri,
    namedBy: namedBy(options),
    environmentUri: own,
    config: config.value,
    allowServers,
  });
};

/** Why runs must not be sent to the server that only the spec names; nothing where they may. */
export const refusal = (options: TargetOptions): Problem | undefined => {
  const uri = trackingUri(options);
  if (uri === undefined) return undefined;
  const access = targetAccess(options, uri);
  return !access.ok && access.errors[0].kind === 'untrusted' ? access.errors[0] : undefined;
};

/** A line about a spec that sends elsewhere than MLFLOW_TRACKING_URI; nothing where it does not. */
export const elsewhere = ({ settings, env = process.env }: TargetOptions): string | undefined => {
  const own = parseTrackingUri(env['MLFLOW_TRACKING_URI'] ?? '');
  const named = parseTrackingUri(settings?.uri ?? '');
  return own.ok && named.ok && own.value.uri !== named.value.uri
    ? `the spec sends its runs to ${named.value.uri}, not to ${own.value.uri} of MLFLOW_TRACKING_URI`
    : undefined;
};

interface SyncOptions {
  readonly settings: MlflowSettings | undefined;
  readonly to?: string | undefined;
  readonly allowServers?: readonly string[] | undefined;
  readonly env?: Environment | undefined;
}

/** The options that lead `unroll sync` to the same server; one that the spec names is in the recorded plan. */
export const syncOptions = ({ settings, to, allowServers = [], env }: SyncOptions): readonly string[] => {
  const address = to ?? (settings?.uri === undefined ? trackingUri({ settings, env }) : undefined);
  const parsed = address === undefined ? undefined : parseTrackingUri(address);
  return [
    ...(parsed?.ok ? ['--to', parsed.value.uri] : []),
    ...allowServers.flatMap((one) => ['--allow-server', one]),
  ];
};

/** Spec and environment as one target; nothing when no address is given. */
export const resolveTarget = (options: TargetOptions): Answer<Target> | undefined => {
  const { env = process.env, settings } = options;
  const uri = trackingUri(options);
  if (uri === undefined) return undefined;
  const access = targetAccess(options, uri);
  if (!access.ok) return access;
  const { runsDirectory = usualRunsDirectory } = options;
  const connection = connectionSettings(uri, {
    env,
    allowed: access.value.credentials,
    commands: proposedCommands(runsDirectory, syncOptions(options)),
  });
  if (!connection.ok) return connection;
  const fromEnvironment = contextTags(env['MLFLOW_RUN_CONTEXT']);
  if (!fromEnvironment.ok) return fromEnvironment;
  const adoptRunId = env['MLFLOW_RUN_ID'];
  return success({
    connection: connection.value,
    experiment: chooseExperiment(options),
    tags: { ...fromEnvironment.value, ...settings?.tags },
    ...(adoptRunId && { adoptRunId }),
  });
};
