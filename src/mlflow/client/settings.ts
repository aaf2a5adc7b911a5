import { proposedCommand, usualRunsDirectory } from '../../system/proposed-command.ts';
import { decoded } from '../../system/decoded.ts';
import { hideSecret, masked, withKeptUserInfo, webOrigin } from '../../system/secrets.ts';
import { findCredentials, readCredentialsFile, type Credentials } from './credentials.ts';
import { success } from '../../diagnostic/diagnostic.ts';
import { type Answer, problem } from './problem.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The commands that messages about a server propose, as they are typed. */
export interface ProposedCommands {
  /** Sends what is recorded. */
  readonly sync: string;
  /** Sends it into an experiment that was deleted on the server. */
  readonly restore: string;
  /** Starts a server. */
  readonly serve: string;
}

export const proposedCommands = (
  runsDirectory: string,
  /** Options of `unroll sync` that lead to the server. */
  options: readonly string[] = [],
): ProposedCommands => ({
  sync: proposedCommand(['sync', ...options], runsDirectory),
  restore: proposedCommand(['sync', '--restore', ...options], runsDirectory),
  serve: proposedCommand(['mlflow'], runsDirectory),
});

/** How to talk to one server. Times in milliseconds. */
export interface ConnectionSettings {
  readonly commands: ProposedCommands;
  /** Without credentials, query or final slash; a path is kept (`--static-prefix`). */
  readonly uri: string;
  readonly credentials: Credentials;
  /** Credentials are set, but were set for another origin. */
  readonly withheld: boolean;
  readonly tls: {
    readonly insecure: boolean;
    readonly serverCertificatePath?: string;
    readonly clientCertificatePath?: string;
  };
  readonly workspace?: string;
  readonly timeoutMs: number;
  readonly retries: number;
  /** The wait before attempt n is `backoffFactor * 2^(n-1)` seconds, plus up to `jitterMs`. */
  readonly backoffFactor: number;
  readonly jitterMs: number;
  readonly respectRetryAfter: boolean;
}

const unsupportedSchemes: Readonly<Record<string, string>> = {
  sqlite: 'A database file is read by a server: start one on it with "mlflow server --backend-store-uri URI"',
  postgresql: 'A database is read by a server: start one on it with "mlflow server --backend-store-uri URI"',
  mysql: 'A database is read by a server: start one on it with "mlflow server --backend-store-uri URI"',
  mssql: 'A database is read by a server: start one on it with "mlflow server --backend-store-uri URI"',
  file: `MLflow no longer takes a folder as its store: start a server with "${proposedCommand(['mlflow'])}" and send runs to its address`,
  databricks: 'Databricks needs its own sign-in, which is not supported: give an http(s) address',
  uc: 'Unity Catalog is a registry, not a tracking server: give an http(s) address',
};

const withoutSlash = (path: string) => path.replace(/\/+$/, '');

/** Takes a tracking URI apart: the address to use and the credentials written into it, which must never be recorded. */
export const parseTrackingUri = (
  written: string,
): Answer<{ readonly uri: string; readonly credentials?: Credentials }> => {
  const text = written.trim();
  const example =
    'Give an address such as http://127.0.0.1:5000 (in tracking.mlflow.uri or MLFLOW_TRACKING_URI).';
  const scheme = /^([a-z][a-z0-9]*)(\+[a-z0-9]+)?:/i.exec(text)?.[1]?.toLowerCase();
  const shown = masked(text);
  if (scheme !== undefined && Object.hasOwn(unsupportedSchemes, scheme))
    return problem('settings', `The MLflow address "${shown}" is not an http(s) address.`, {
      help: `${unsupportedSchemes[scheme] ?? ''}.`,
    });
  if (text === 'databricks')
    return problem('settings', 'The MLflow address "databricks" is not an http(s) address.', {
      help: `${unsupportedSchemes['databricks'] ?? ''}.`,
    });
  if (scheme !== 'http' && scheme !== 'https') {
    // `localhost:5000` parses as a scheme of its own; a path has none.
    const hostLike = /^[\w.-]+:\d+(\/|$)/.test(text);
    return problem('settings', `The MLflow address "${shown}" is not an http(s) address.`, {
      help: hostLike ? `Write http://${text}.` : example,
    });
  }
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return problem('settings', `The MLflow address "${shown}" cannot be read.`, { help: example });
  }
  const hash = url.hash || url.search;
  if (hash)
    return problem(
      'settings',
      `The MLflow address "${shown}" has a part that starts with "${hash[0] ?? ''}".`,
      {
        help: `Give the server's address only: ${url.origin}${withoutSlash(url.pathname)}.`,
      },
    );
  const uri = `${url.origin}${withoutSlash(url.pathname)}`;
  if (!url.username) return success({ uri });
  const username = decoded(url.username);
  const password = decoded(url.password);
  if (username === undefined || password === undefined)
    return problem(
      'settings',
      `The user or the password in the MLflow address "${shown}" is not percent-encoded.`,
      {
        help: 'Write % as %25, @ as %40, : as %3A and / as %2F.',
      },
    );
  const credentials: Credentials = { kind: 'basic', username, password };
  hideSecret(credentials.password);
  return success({ uri, credentials });
};

const isTrue = (text: string | undefined) => /^(1|true)$/i.test(text ?? '');

const numberFrom = (env: Environment, name: string, fallback: number): number => {
  const value = Number(env[name]);
  return env[name]?.trim() && Number.isFinite(value) && value >= 0 ? value : fallback;
};

/** The user info of MLFLOW_TRACKING_URI, for its own origin. */
const environmentCredentials = (uri: string, env: Environment): Credentials | undefined => {
  const own = parseTrackingUri(env['MLFLOW_TRACKING_URI'] ?? '');
  return own.ok && webOrigin(own.value.uri) === webOrigin(uri) ? own.value.credentials : undefined;
};

export interface CredentialSource {
  readonly env?: Environment;
  /** The text of `~/.mlflow/credentials`. */
  readonly file?: string | undefined;
  /** Whether the server may get the credentials of the environment and of the file. */
  readonly allowed: boolean;
  readonly commands?: ProposedCommands;
}

/** Settings from the address and the variables that users of MLflow know. */
export const connectionSettings = (
  written: string,
  {
    env = process.env,
    file = readCredentialsFile(),
    allowed,
    commands = proposedCommands(usualRunsDirectory),
  }: CredentialSource,
): Answer<ConnectionSettings> => {
  const parsed = parseTrackingUri(withKeptUserInfo(written));
  if (!parsed.ok) return parsed;
  const { uri } = parsed.value;
  const found = findCredentials(env, file);
  const clientCertificatePath = env['MLFLOW_TRACKING_CLIENT_CERT_PATH'];
  for (const name of ['MLFLOW_TRACKING_AWS_SIGV4', 'MLFLOW_TRACKING_AUTH']) {
    if (env[name] && !/^(0|false)$/i.test(env[name]))
      return problem('settings', `${name} is set, but that way of signing in is not supported.`, {
        help: `Use a user name and password or a token (MLFLOW_TRACKING_USERNAME, _PASSWORD, _TOKEN), and unset ${name}.`,
      });
  }
  const insecure = isTrue(env['MLFLOW_TRACKING_INSECURE_TLS']);
  const serverCertificatePath = env['MLFLOW_TRACKING_SERVER_CERT_PATH'];
  if (insecure && serverCertificatePath)
    return problem(
      'settings',
      'MLFLOW_TRACKING_INSECURE_TLS and MLFLOW_TRACKING_SERVER_CERT_PATH exclude each other.',
      {
        help: 'Unset MLFLOW_TRACKING_INSECURE_TLS to have the certificate checked.',
      },
    );
  const workspace = env['MLFLOW_WORKSPACE'];
  return success({
    commands,
    uri,
    credentials:
      parsed.value.credentials ?? environmentCredentials(uri, env) ?? (allowed ? found : { kind: 'none' }),
    withheld: !allowed && (found.kind !== 'none' || Boolean(clientCertificatePath)),
    tls: {
      insecure,
      ...(serverCertificatePath && { serverCertificatePath }),
      ...(allowed && clientCertificatePath && { clientCertificatePath }),
    },
    ...(workspace && { workspace }),
    timeoutMs: numberFrom(env, 'MLFLOW_HTTP_REQUEST_TIMEOUT', 120) * 1000,
    retries: Math.trunc(numberFrom(env, 'MLFLOW_HTTP_REQUEST_MAX_RETRIES', 7)),
    backoffFactor: numberFrom(env, 'MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR', 2),
    jitterMs: numberFrom(env, 'MLFLOW_HTTP_REQUEST_BACKOFF_JITTER', 1) * 1000,
    respectRetryAfter: !/^(0|false)$/i.test(env['MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER'] ?? ''),
  });
};
