import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import createApp, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { nearest } from '../diagnostic/nearest.ts';
import { afterMs, longestTimerMs } from '../system/long-timer.ts';
import { packageVersion } from '../system/package-root.ts';
import { counted } from '../terminal/format.ts';
import { badBody, errorJson, type ErrorAnswer } from './errors.ts';
import type { Metrics } from './metrics.ts';
import { modelEntry } from './model-entry.ts';
import { openApi } from './openapi.ts';
import { mediaTypes, mediaTypesFor } from './read-body.ts';
import type { AnsweredRequest, ServerLimits } from './limits.ts';
import type { ServedModel } from './served-model.ts';

interface PendingRequest {
  readonly began: number;
  readonly abort: AbortController;
  message?: string;
  error?: unknown;
}

/** The HTTP server of some models, of which the first is the default; not listening yet. */
export const createServer = (
  models: ReadonlyMap<string, ServedModel>,
  given: {
    readonly limits: ServerLimits;
    readonly metrics: Metrics;
    readonly log: (request: AnsweredRequest) => void;
  },
): FastifyInstance => {
  const { limits, metrics, log } = given;
  const { mostBody, timeout, mostConcurrent } = limits;
  const timeoutMs = Math.ceil(Math.min(timeout * 1000, longestTimerMs));
  const pending = new WeakMap<FastifyRequest, PendingRequest>();
  let inFlight = 0;
  const app = createApp({
    bodyLimit: mostBody,
    requestTimeout: timeoutMs,
    forceCloseConnections: 'idle',
    // Of two limits, Node.js takes the longer one for bodies; its own for headers is a minute.
    http: {
      requestTimeout: timeoutMs,
      headersTimeout: timeoutMs,
      connectionsCheckingInterval: Math.min(1000, timeoutMs),
    },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
    frameworkErrors: (error, _request, reply) => {
      void refuse(reply, { status: 400, message: `The address is not valid: ${error.message}.` });
    },
  });
  const [first] = models.values();
  if (!first) throw new Error('No model.');

  const refuse = (reply: FastifyReply, answer: ErrorAnswer) => {
    const one = pending.get(reply.request);
    if (one) one.message = answer.message;
    return reply
      .code(answer.status)
      .headers(answer.headers ?? {})
      .type('application/json; charset=utf-8')
      .send(errorJson(answer));
  };

  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    [...Object.values(mediaTypes), 'application/jsonl'],
    { parseAs: 'buffer' },
    (_request: FastifyRequest, body: Buffer, done: (error: null, body: Buffer) => void) => done(null, body),
  );

  app.addHook('onRequest', (request, _reply, next) => {
    pending.set(request, { began: performance.now(), abort: new AbortController() });
    next();
  });
  let isStopping = false;
  app.addHook('preClose', (done) => {
    isStopping = true;
    done();
  });
  app.addHook('onSend', (_request, reply, payload, next) => {
    // A kept connection would hold the process until its idle timeout.
    if (isStopping) void reply.header('connection', 'close');
    next(null, payload);
  });
  app.addHook('onResponse', (request, reply, next) => {
    const one = pending.get(request);
    const seconds = one ? (performance.now() - one.began) / 1000 : 0;
    const status = reply.raw.writableFinished ? reply.statusCode : clientGone;
    const path = request.is404 ? 'other' : (request.routeOptions.url ?? 'other');
    metrics.request({ path, code: status, seconds });
    log({
      method: request.method,
      url: request.url,
      status,
      seconds,
      message: one?.message,
      error: one?.error,
    });
    next();
  });

  app.setErrorHandler((error: FastifyError, request, reply) => {
    const known = knownErrors[error.code];
    if (known) return refuse(reply, known(limits, request));
    if (error.statusCode !== undefined && error.statusCode < 500)
      return refuse(reply, { status: 400, message: `The request is not valid: ${error.message}.` });
    const one = pending.get(request);
    if (one) one.error = error;
    return refuse(reply, {
      status: 500,
      message: 'The server has met an error of its own; its log has more.',
    });
  });

  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?');
    const allowed = allowedMethods(app, path);
    if (allowed.length > 0)
      return refuse(reply, {
        status: 405,
        message: `${path} does not take ${request.method}. Expected: ${allowed.join(' or ')}.`,
        headers: { allow: allowed.join(', ') },
      });
    const near = nearest(path, paths);
    return refuse(reply, {
      status: 404,
      message: `There is no path ${path.slice(0, 200)}. Expected: ${paths.join(', ')}.${near === undefined ? '' : ` Did you mean ${near}?`}`,
    });
  });

  const unknownModel = (reply: FastifyReply, name: string) => {
    const names = [...models.keys()];
    const near = nearest(name, names);
    return refuse(reply, {
      status: 404,
      message: `There is no model ${JSON.stringify(name)}. Expected: ${names.join(', ')}.${near === undefined ? '' : ` Did you mean ${near}?`}`,
    });
  };

  const predict = async (served: ServedModel, request: FastifyRequest, reply: FastifyReply) => {
    const one = pending.get(request) as PendingRequest;
    const mediaType = mediaTypeOf(request);
    const wrongType = mediaType === undefined ? undefined : refusedType(served, mediaType, request);
    if (mediaType === undefined || wrongType)
      return await refuse(
        reply,
        wrongType ?? { status: 415, message: typeMessage(served, 'The request has no media type.') },
      );
    const cancel = afterMs(timeout * 1000, () => one.abort.abort(lateReason));
    try {
      const body = (request.body ?? Buffer.alloc(0)) as Buffer;
      const answered = await served.answer({ mediaType, body, signal: one.abort.signal });
      if (reply.sent || one.abort.signal.reason === goneReason) return await reply;
      if (!answered.ok) return await refuse(reply, badBody(answered.errors));
      return await reply.type('application/json').send(bodyOf(answered.value));
    } catch (error) {
      if (error === goneReason) return await reply;
      if (error !== lateReason) throw error;
      return await refuse(reply, {
        status: 504,
        message: `The prediction took longer than ${timeout} s. Send less data at once, or start the server with a larger --timeout.`,
      });
    } finally {
      cancel();
    }
  };

  /** Runs before the body is read, so that refused requests cost no memory. */
  const enter = (request: FastifyRequest, reply: FastifyReply, next: () => void) => {
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      void refuse(reply, {
        status: 415,
        message: `The body is encoded as ${encoding.slice(0, 40)}. Expected: no content-encoding.`,
      });
      return;
    }
    if (inFlight >= mostConcurrent) {
      void refuse(reply, {
        status: 503,
        message: `The server is answering ${counted(mostConcurrent, 'request')}. Try again later, or start it with a larger --max-concurrency.`,
        headers: { 'retry-after': '1' },
      });
      return;
    }
    inFlight++;
    reply.raw.once('close', () => {
      inFlight--;
      if (!reply.raw.writableFinished) pending.get(request)?.abort.abort(goneReason);
    });
    next();
  };

  app.post('/invocations', { onRequest: enter }, (request, reply) => predict(first, request, reply));
  app.post<{ Params: { name: string } }>(
    '/models/:name/invocations',
    { onRequest: enter },
    (request, reply) => {
      const served = models.get(request.params.name);
      return served ? predict(served, request, reply) : unknownModel(reply, request.params.name);
    },
  );
  app.get('/models', () => ({ models: [...models.values()].map((one) => modelEntry(one, one === first)) }));
  app.get<{ Params: { name: string } }>('/models/:name', (request, reply) => {
    const served = models.get(request.params.name);
    return served ? modelEntry(served, served === first) : unknownModel(reply, request.params.name);
  });
  for (const path of ['/ping', '/health'])
    app.get(path, (_request, reply) => reply.type('application/json').send('\n'));
  app.get('/version', (_request, reply) => reply.type('text/plain; charset=utf-8').send(packageVersion));
  app.get('/metrics', (_request, reply) => {
    const waiting = new Map([...models].map(([name, one]) => [name, one.waiting()]));
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(metrics.text({ waiting, inFlight }));
  });
  app.get('/openapi.json', () => openApi([...models.values()], limits));
  return app;
};

/** What web servers log of a request whose client did not wait for the answer. */
const clientGone = 499;

const lateReason = new Error('late');
const goneReason = new Error('gone');

const paths = [
  '/invocations',
  '/models',
  '/models/NAME',
  '/models/NAME/invocations',
  '/ping',
  '/health',
  '/version',
  '/metrics',
  '/openapi.json',
];

const methods = ['GET', 'POST'] as const;

const allowedMethods = (app: FastifyInstance, path: string): readonly string[] =>
  methods.filter((method) => {
    try {
      return Boolean(app.findRoute({ method, url: routeOf(path) }));
    } catch {
      return false;
    }
  });

/** The pattern of the path of a model. */
const routeOf = (path: string): string =>
  path.replace(/\/$/, '').replace(/^\/models\/[^/]+(?=\/invocations$|$)/, '/models/:name');

const knownErrors: Readonly<
  Record<string, ((limits: ServerLimits, request: FastifyRequest) => ErrorAnswer) | undefined>
> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ({ mostBody }) => ({
    status: 413,
    message: `The body is larger than ${counted(mostBody, 'byte')}. Send less data at once, or start the server with a larger --max-body.`,
  }),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: (_limits, request) => ({
    status: 415,
    message: `${typeFound(request)} Expected: ${Object.values(mediaTypes).join(', ')}.`,
  }),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () => ({
    status: 400,
    message: 'The body does not have the length that its header names.',
  }),
};

const typeFound = (request: FastifyRequest): string => {
  const type = request.headers['content-type'];
  return type === undefined
    ? 'The request has no media type.'
    : `The media type ${type.slice(0, 100)} is not known.`;
};

const typeMessage = (served: ServedModel, what: string): string =>
  `${what} Expected for the model ${served.name}: ${mediaTypesFor(served.model).join(', ')}.`;

/** In lower case, without parameters. */
const mediaTypeOf = (request: FastifyRequest): string | undefined => {
  const [type] = (request.headers['content-type'] ?? '').split(';');
  const known = type?.trim().toLowerCase();
  if (known === '') return undefined;
  return known === 'application/jsonl' ? mediaTypes.jsonl : known;
};

const refusedType = (
  served: ServedModel,
  mediaType: string,
  request: FastifyRequest,
): ErrorAnswer | undefined => {
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(request.headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    return { status: 415, message: `The body is in ${charset.slice(0, 40)}. Expected: UTF-8.` };
  return mediaTypesFor(served.model).includes(mediaType)
    ? undefined
    : { status: 415, message: typeMessage(served, `The model does not read ${mediaType}.`) };
};

/** Pieces beyond the first are written with turns of others between them. */
const bodyOf = (pieces: Iterable<string>): string | Readable => {
  const iterator = pieces[Symbol.iterator]();
  const one = iterator.next();
  const start = `{"predictions": ${one.done === true ? '' : one.value}`;
  const second = iterator.next();
  if (second.done === true) return `${start}}`;
  return Readable.from(
    (async function* () {
      yield start;
      for (let next: IteratorResult<string> = second; next.done !== true; next = iterator.next()) {
        await setImmediate();
        yield next.value;
      }
      yield '}';
    })(),
  );
};
