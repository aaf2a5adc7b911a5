import { httpCause } from '../../system/http-causes.ts';
import { isObject, parseJson } from '../../system/json.ts';
import { masked } from '../../system/secrets.ts';
import type { Credentials } from './credentials.ts';
import type { ProposedCommands } from './settings.ts';
import { createProblem, type Problem, type ProblemKind } from './problem.ts';
import { proposedCommand } from '../../system/proposed-command.ts';

/** What came back instead of success. Header names are lower-case. */
export interface ErrorResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

interface Request {
  readonly uri: string;
  readonly commands: ProposedCommands;
  readonly what: string;
  readonly credentials: Credentials;
  /** Credentials are set, but were set for another origin. */
  readonly withheld?: boolean;
}

const recordedLocally = ({ sync }: ProposedCommands): string =>
  `What is recorded locally is sent later with "${sync}".`;

/** 401, by what was tried. */
const explainSignIn = ({
  uri,
  credentials,
  withheld,
  commands,
}: Omit<Request, 'what'>): readonly [message: string, help: string] => {
  switch (credentials.kind) {
    case 'none':
      if (withheld)
        return [
          `The MLflow server at ${uri} asks for credentials, and yours were set for another server (401).`,
          `If this server may have them, run: ${proposedCommand(['trust', '--credentials', new URL(uri).origin])}. ${recordedLocally(commands)}`,
        ];
      return [
        `The MLflow server at ${uri} asks for credentials, and none are set (401).`,
        `Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, or write ~/.mlflow/credentials. ${recordedLocally(commands)}`,
      ];
    case 'basic':
      return [
        `The MLflow server at ${uri} did not accept the password of user "${credentials.username}" (401).`,
        `Correct MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or ~/.mlflow/credentials. ${recordedLocally(commands)}`,
      ];
    case 'bearer':
      return [
        `The MLflow server at ${uri} did not accept the token (401): it is wrong or has expired.`,
        `Renew MLFLOW_TRACKING_TOKEN; a server with MLflow's own sign-in takes a user name and a password only. ${recordedLocally(commands)}`,
      ];
  }
};

const header = (response: ErrorResponse, name: string): string | undefined => {
  const value = response.headers[name];
  return typeof value === 'string' ? value : value?.[0];
};

/** Milliseconds of a Retry-After header: seconds or a date. */
const retryAfterMs = (value: string | undefined, now: number): number | undefined => {
  if (value === undefined || value.trim() === '') return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
};

const parseError = (body: string): { code?: string; message?: string } => {
  const parsed = parseJson(body);
  const { error_code: code, message } = isObject(parsed) ? parsed : ({} as Record<string, unknown>);
  return {
    ...(typeof code === 'string' && { code }),
    ...(typeof message === 'string' && { message }),
  };
};

const shorten = (text: string): string => {
  // Only its beginning is shown. The server passes its database's statements on, line after line.
  const begin = text.slice(0, 10_000);
  const line = (begin.split('\n[SQL:')[0] ?? begin)
    .replace(/<[^<>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  const shown = masked(line);
  return shown.length > 300 ? `${shown.slice(0, 300)}...` : shown;
};

const badRequestKind = (code: string, message: string): ProblemKind => {
  if (code === 'RESOURCE_ALREADY_EXISTS') return 'exists';
  if (/UNIQUE constraint|IntegrityError|duplicate key|Duplicate entry/i.test(message)) return 'duplicate';
  if (/must be in (the )?'?active'? (state|lifecycle)|lifecycle_stage|in the deleted state/i.test(message))
    return 'deleted';
  return 'refused';
};

/** Explains what an answer other than success means, and what the user can do. */
export const explainResponse = (
  response: ErrorResponse,
  { uri, what, credentials, withheld = false, commands }: Request,
  now: number = Date.now(),
): Problem => {
  const { status, body } = response;
  const { code, message } = parseError(body);
  const said = shorten(message ?? body);
  const base = {
    status,
    ...(code !== undefined && { errorCode: code }),
    unclear: status === 408 || status >= 500,
  };
  const make = (kind: ProblemKind, sentence: string, help?: string): Problem =>
    createProblem(kind, sentence, { ...base, ...(help !== undefined && { help }) });
  const wait = retryAfterMs(header(response, 'retry-after'), now);

  if (status >= 300 && status < 400) {
    const to = masked(header(response, 'location') ?? 'another address');
    return make(
      'not-mlflow',
      `The server at ${uri} sends requests on to ${to}.`,
      'Use the address behind it as the tracking URI.',
    );
  }
  if (status === 401) return make('unauthorised', ...explainSignIn({ uri, credentials, withheld, commands }));
  if (status === 400 && /SSL certificate/i.test(body))
    return make('settings', certificateWanted(uri), certificateWantedHelp);
  if (status === 403 && /invalid host header/i.test(body))
    return make(
      'host-refused',
      `The MLflow server at ${uri} refuses requests for the host "${new URL(uri).host}" (403, Host header check).`,
      `Start it with "mlflow server --allowed-hosts ${new URL(uri).host}" (or MLFLOW_SERVER_ALLOWED_HOSTS), or use an address it allows, such as http://127.0.0.1:PORT; a proxy on the way must hand on a Host header that it allows.`,
    );
  if (status === 403)
    return make(
      'forbidden',
      `The MLflow server at ${uri} does not allow to ${what} (403): ${said}`,
      'Ask for the permission EDIT on the experiment, or choose another experiment with tracking.mlflow.experiment.',
    );
  if (status === 408 || status === 429)
    return {
      ...make(
        'busy',
        `The MLflow server at ${uri} asks to wait (${status}).`,
        wait === undefined
          ? 'Run the command again later.'
          : `Run the command again in ${Math.ceil(wait / 1000)} s.`,
      ),
      ...(wait !== undefined && { retryAfterMs: wait }),
    };
  if (status === 413)
    return make(
      'too-large',
      `A proxy before ${uri} refused a request for its size (413).`,
      'Raise its limit, such as client_max_body_size.',
    );
  if (status >= 500)
    return {
      ...make(
        'server-error',
        `The MLflow server at ${uri} failed to ${what} (${status}): ${said}`,
        `Its log, or that of a proxy in front of it, shows why. ${recordedLocally(commands)}`,
      ),
      ...(wait !== undefined && { retryAfterMs: wait }),
    };
  if (status === 404 && code === undefined)
    return make(
      'not-mlflow',
      `What answers at ${uri} is not an MLflow server (404 for its API).`,
      'Check host, port and path prefix of the tracking URI.',
    );
  if (status === 404) return make('not-found', `Could not ${what}: ${said}`);
  if (code === undefined)
    return make(
      'not-mlflow',
      `What answers at ${uri} is not an MLflow server (${status}: ${said}).`,
      'Check host, port and path prefix of the tracking URI, and proxies on the way.',
    );
  return make(
    badRequestKind(code, said),
    `The MLflow server at ${uri} refused to ${what} (${status} ${code}): ${said}`,
  );
};

/** An answer with a good status whose body is no JSON object: a sign-in page or a proxy. */
export const explainWrongBody = (uri: string, contentType: string, body: string): Problem =>
  createProblem(
    'not-mlflow',
    `What answers at ${uri} is not an MLflow server: it sent ${contentType || 'an untyped answer'} (${shorten(body).slice(0, 80)}).`,
    {
      help: 'Check host, port and path prefix of the tracking URI; a sign-in page of a proxy also answers like this.',
      // A proxy may have passed the request on.
      unclear: true,
    },
  );

const certificateWanted = (uri: string) => `The server at ${uri} asks for a certificate of the client.`;
const certificateWantedHelp =
  'Give a PEM file with certificate and key with MLFLOW_TRACKING_CLIENT_CERT_PATH.';

const refusedBeforeSending = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
/** The other side's alert, as OpenSSL names it. */
const wantedCodes =
  /ALERT_CERTIFICATE_REQUIRED|ALERT_BAD_CERTIFICATE|ALERT_UNKNOWN_CA|ALERT_HANDSHAKE_FAILURE/;
const certificateCodes = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|ERR_TLS/;
const plainCodes = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/;

/** Explains a failed exchange (no answer at all). */
export const explainFailure = (
  error: unknown,
  { uri, what, commands }: Pick<Request, 'uri' | 'what' | 'commands'>,
  timeoutMs: number,
): Problem => {
  const { code = '', name = '' } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  if (name === 'TimeoutError' || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT')
    return createProblem(
      'timeout',
      `The MLflow server at ${uri} did not answer within ${timeoutMs / 1000} s.`,
      {
        help: 'Raise MLFLOW_HTTP_REQUEST_TIMEOUT if it is only slow.',
        unclear: true,
      },
    );
  if (wantedCodes.test(code))
    return createProblem('settings', certificateWanted(uri), {
      help: certificateWantedHelp,
    });
  if (plainCodes.test(code))
    return createProblem('settings', `What answers at ${uri} does not speak TLS.`, {
      help: `Write ${uri.replace(/^https/, 'http')}, or correct the port.`,
    });
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return createProblem(
      'settings',
      `The certificate of ${uri} is for another name than "${new URL(uri).hostname}".`,
      {
        help: 'Use a name that the certificate has (or, at your own risk, MLFLOW_TRACKING_INSECURE_TLS=true).',
      },
    );
  if (certificateCodes.test(code))
    return createProblem('settings', `The certificate of ${uri} is not trusted (${code}).`, {
      help: 'Give its authority with MLFLOW_TRACKING_SERVER_CERT_PATH=ca.pem (or, at your own risk, MLFLOW_TRACKING_INSECURE_TLS=true).',
    });
  if (refusedBeforeSending.has(code))
    return createProblem(
      'unreachable',
      `The MLflow server at ${uri} cannot be reached to ${what}: ${httpCause(error)}.`,
      { help: `Start one with "${commands.serve}", or check the address. ${recordedLocally(commands)}` },
    );
  return createProblem(
    'dropped',
    `The MLflow server at ${uri} did not answer the request to ${what}: ${httpCause(error)}.`,
    {
      help: uri.startsWith('https:')
        ? `If it asks for a certificate of the client, give it with MLFLOW_TRACKING_CLIENT_CERT_PATH. ${recordedLocally(commands)}`
        : `The log of the server, or of a proxy in front of it, may show why. ${recordedLocally(commands)}`,
      unclear: true,
    },
  );
};
