import { readRegular } from '../../system/files.ts';
import { randomInt } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { masked, maskedEntry } from '../../system/secrets.ts';
import { backoffMs, wait } from './backoff.ts';
import { authorization } from './credentials.ts';
import { explainFailure, explainResponse, explainWrongBody } from './explain.ts';
import { success } from '../../diagnostic/diagnostic.ts';
import { failedBy, type Answer, isPassing, problem, type Problem } from './problem.ts';
import type { ConnectionSettings } from './settings.ts';
import { isObject, readJsonText } from '../../system/json.ts';
import { timedSignal } from './timed-signal.ts';

/** One exchange with the server, in terms of HTTP. */
export interface ServerRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Joined onto the path of the tracking URI; already percent-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly json?: unknown;
  /** A body of bytes: opened anew for each attempt. */
  readonly upload?: { readonly size: number; readonly open: () => Readable | Buffer };
  /** What is being done, as the end of "failed to ...". */
  readonly what: string;
  /** Whether a repetition after an unclear attempt does no harm. */
  readonly repeatable: boolean;
  /** Opens a connection for this request: it cannot be one that the server has closed meanwhile. */
  readonly newConnection?: boolean;
  /** `bytes` leaves the answer as it is. */
  readonly expects?: 'json' | 'bytes';
}

export interface Transport {
  readonly json: (request: ServerRequest) => Promise<Answer<Readonly<Record<string, unknown>>>>;
  readonly bytes: (request: ServerRequest) => Promise<Answer<Buffer>>;
  /** How long a request may take with all its repetitions, until no further attempt begins. */
  readonly deadlineMs: number;
  /** Stops what is under way and what waits for its next attempt. */
  readonly stop: () => void;
  readonly close: () => Promise<void>;
}

export interface TransportOptions {
  /** Called for each failed attempt that will be repeated. */
  readonly onRetry?: (problem: Problem, waitMs: number) => void;
  /** Called once if the server does not answer the first request soon. */
  readonly onSilence?: (uri: string, deadlineMs: number) => void;
  /** Overrides the settings' count: an uploader repeats in its own rhythm. */
  readonly retries?: number;
}

/** A server that restarts answers again within this time, however short one attempt may be. */
const leastDeadlineMs = 20_000;

/** A server that cannot be reached in this time, and has not answered before, is not running. */
export const deadServerMs = 4000;

/** A user who sees nothing for longer than this wonders what the command does. */
const silenceMs = 5000;

const largestAnswer = 256 * 1024 * 1024;

const readCertificate = (path: string | undefined) => (path === undefined ? undefined : readRegular(path));

interface Dispatchers {
  readonly keptAlive: Dispatcher;
  /** Opens a new connection for each request. */
  readonly fresh: Dispatcher;
}

/** Connections with the TLS options; through the proxies of HTTP(S)_PROXY and NO_PROXY if these are set. */
const openDispatchers = ({ tls, timeoutMs }: ConnectionSettings): Answer<Dispatchers> => {
  try {
    const client = readCertificate(tls.clientCertificatePath);
    const authority = readCertificate(tls.serverCertificatePath);
    const connect = {
      timeout: Math.min(timeoutMs, 10_000),
      ...(tls.insecure && { rejectUnauthorized: false }),
      ...(authority && { ca: authority }),
      // As in Python's client one file may hold certificate and key.
      ...(client && { cert: client, key: client }),
    };
    const options = {
      connect,
      requestTls: connect,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      // Below the five seconds after which the server's own web server closes an idle connection.
      keepAliveTimeout: 4000,
      connections: 4,
      maxResponseSize: largestAnswer,
    };
    const proxied = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'].some(
      (name) => process.env[name],
    );
    const open = (given: typeof options & { readonly pipelining?: number }) =>
      proxied ? new EnvHttpProxyAgent(given) : new Agent(given);
    return success({ keptAlive: open(options), fresh: open({ ...options, pipelining: 0 }) });
  } catch (error) {
    return problem('settings', `A certificate file cannot be read: ${(error as Error).message}.`, {
      help: 'Check MLFLOW_TRACKING_SERVER_CERT_PATH and MLFLOW_TRACKING_CLIENT_CERT_PATH.',
    });
  }
};

interface RawAnswer {
  readonly contentType: string;
  readonly body: Buffer;
}

/** The largest page of MLflow has some ten MB. */
const mostAnswerBytes = 256 << 20;

/** What a buffer of Node can hold. */
const mostFileBytes = 4 * 2 ** 30 - 1;

/** A body that has at most this many bytes; undefined for a longer one, whose rest is not read. */
const wholeBody = async (body: AsyncIterable<Buffer>, most: number): Promise<Buffer | undefined> => {
  const pieces: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop closes the connection.
  for await (const piece of body) {
    bytes += piece.length;
    if (bytes > most) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
};

/** Opens connections to a server. Failures are values; passing ones are repeated as often as the settings allow. */
export const openTransport = (
  settings: ConnectionSettings,
  options: TransportOptions = {},
): Answer<Transport> => {
  const opened = openDispatchers(settings);
  if (!opened.ok) return opened;
  const { keptAlive, fresh } = opened.value;
  const stopper = new AbortController();
  let hasAnswered = false;
  const deadlineMs = Math.max(2 * settings.timeoutMs, leastDeadlineMs);
  const retries = options.retries ?? settings.retries;
  const authorised = authorization(settings.credentials);
  const commonHeaders = {
    'user-agent': 'unroll-mlflow-client',
    ...(authorised !== undefined && { authorization: authorised }),
    ...(settings.workspace !== undefined && { 'x-mlflow-workspace': settings.workspace }),
  };

  const attempt = async (one: ServerRequest, dispatcher: Dispatcher): Promise<Answer<RawAnswer>> => {
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(one.query ?? {}))
      if (value !== undefined) query.set(key, masked(String(value)));
    const url = `${settings.uri}${one.path}${query.size > 0 ? `?${query.toString()}` : ''}`;
    const body = one.upload
      ? one.upload.open()
      : one.json === undefined
        ? null
        : JSON.stringify(one.json, maskedEntry);
    // An upload may take longer than one answer: as long as it arrives with 10 kB a second.
    const uploadMs = (one.upload?.size ?? 0) / 10;
    const { signal, release } = timedSignal(settings.timeoutMs + uploadMs, stopper.signal);
    try {
      const response = await request(url, {
        dispatcher,
        method: one.method,
        signal,
        body,
        headers: {
          ...commonHeaders,
          ...(one.json !== undefined && { 'content-type': 'application/json' }),
          ...(one.upload && {
            'content-type': 'application/octet-stream',
            'content-length': String(one.upload.size),
          }),
        },
      });
      hasAnswered = true;
      const received = await wholeBody(
        response.body,
        one.expects === 'bytes' ? mostFileBytes : mostAnswerBytes,
      );
      if (!received)
        return problem(
          'not-mlflow',
          `The server at ${settings.uri} sends an answer without end; failed to ${one.what}.`,
          {
            help: 'Check the server and what is between it and you, such as a proxy.',
          },
        );
      const { statusCode: status, headers } = response;
      if (status < 200 || status > 299)
        return failedBy(
          explainResponse(
            { status, headers, body: received.toString('utf8') },
            {
              uri: settings.uri,
              commands: settings.commands,
              what: one.what,
              credentials: settings.credentials,
              withheld: settings.withheld,
            },
          ),
        );
      const type = headers['content-type'];
      return success({ contentType: (typeof type === 'string' ? type : type?.[0]) ?? '', body: received });
    } catch (error) {
      if (stopper.signal.aborted)
        return problem('stopped', `Stopped while trying to ${one.what}.`, { unclear: true });
      return failedBy(explainFailure(error, { ...settings, what: one.what }, settings.timeoutMs));
    } finally {
      release();
    }
  };

  /**
   * A server closes an idle connection after a time of its own, perhaps at the moment at which the next request is sent
   * on it. So a dropped request is sent once more, on a new connection, before it counts as failed.
   */
  const attemptOnLiveConnection = async (one: ServerRequest): Promise<Answer<RawAnswer>> => {
    const result = await attempt(one, one.newConnection ? fresh : keptAlive);
    return !result.ok && result.errors[0].kind === 'dropped' && one.repeatable ? attempt(one, fresh) : result;
  };

  const announceSilence = () => {
    if (!hasAnswered) options.onSilence?.(settings.uri, deadlineMs);
  };

  const exchange = async (one: ServerRequest): Promise<Answer<RawAnswer>> => {
    if (hasAnswered) return repeated(one);
    const timer = setTimeout(announceSilence, silenceMs);
    try {
      return await repeated(one);
    } finally {
      clearTimeout(timer);
    }
  };

  const repeated = async (one: ServerRequest): Promise<Answer<RawAnswer>> => {
    const startedAt = performance.now();
    for (let failures = 1; ; failures++) {
      const result = await attemptOnLiveConnection(one);
      if (result.ok || !isPassing(result.errors[0]) || failures > retries) return result;
      if (!one.repeatable && result.errors[0].unclear) return result;
      const draw = randomInt(1_000_000) / 1_000_000;
      const ms = backoffMs(failures, settings, result.errors[0].retryAfterMs, draw);
      const isDead = result.errors[0].kind === 'unreachable' && !hasAnswered;
      // Also a server that asks for a longer wait than that is not waited for.
      if (performance.now() + ms > startedAt + (isDead ? deadServerMs : deadlineMs)) return result;
      options.onRetry?.(result.errors[0], ms);
      if (!(await wait(ms, stopper.signal))) return result;
    }
  };

  const json = async (one: ServerRequest): Promise<Answer<Readonly<Record<string, unknown>>>> => {
    const result = await exchange(one);
    if (!result.ok) return result;
    const text = result.value.body.toString('utf8');
    try {
      const parsed = text === '' ? {} : readJsonText(text);
      if (isObject(parsed)) return success(parsed);
    } catch {
      // Reported below.
    }
    return failedBy(explainWrongBody(settings.uri, result.value.contentType, text));
  };

  const bytes = async (one: ServerRequest): Promise<Answer<Buffer>> => {
    const result = await exchange(one);
    return result.ok ? success(result.value.body) : result;
  };

  return success({
    json,
    bytes,
    deadlineMs,
    stop: () => stopper.abort(),
    close: async () => {
      await Promise.all([keptAlive.close(), fresh.close()]);
    },
  });
};
