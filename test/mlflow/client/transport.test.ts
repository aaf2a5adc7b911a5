import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { openClient } from '../../../src/mlflow/client/client.ts';
import type { Problem } from '../../../src/mlflow/client/problem.ts';
import { connectionSettings } from '../../../src/mlflow/client/settings.ts';
import { until } from '../../support/until.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;
const cleanups: (() => void)[] = [];
afterEach(() => cleanups.splice(0).forEach((cleanup) => cleanup()));

/** A client of a small server that answers as told. */
const clientOf = async (handler: Handler, env: Record<string, string> = {}, path = '') => {
  let count = 0;
  const server = createServer((request, response) => handler(request, response, ++count));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  const settings = connectionSettings(uri, {
    env: {
      MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
      MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR: '0.001',
      MLFLOW_HTTP_REQUEST_BACKOFF_JITTER: '0',
      ...env,
    },
    file: '',
    allowed: true,
  });
  const waits: number[] = [];
  const opened = settings.ok ? openClient(settings.value, { onRetry: (_, ms) => waits.push(ms) }) : settings;
  if (!opened.ok) throw new Error(opened.errors[0].message);
  return { client: opened.value, requests: () => count, waits, uri };
};

const json = (response: ServerResponse, body: unknown, status = 200) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

const problemOf = async (handler: Handler, env: Record<string, string> = {}): Promise<Problem> => {
  const { client } = await clientOf(handler, env);
  const result = await client.experimentByName('x');
  if (result.ok) throw new Error('expected a problem');
  return result.errors[0];
};

describe('what a server says instead of yes is one sentence with what to do', () => {
  test.each<[string, string, string, Handler]>([
    [
      'wrong or expired credentials',
      'unauthorised',
      'MLFLOW_TRACKING_USERNAME',
      (_, response) => response.writeHead(401).end('no'),
    ],
    [
      'no permission',
      'forbidden',
      'Ask for the permission EDIT',
      (_, response) => json(response, { error_code: 'PERMISSION_DENIED', message: 'Permission denied' }, 403),
    ],
    [
      'the Host header check',
      'host-refused',
      '--allowed-hosts 127.0.0.1',
      (_, response) =>
        response.writeHead(403).end('Invalid Host header - possible DNS rebinding attack detected'),
    ],
    [
      'a sign-in page',
      'not-mlflow',
      'sign-in page',
      (_, response) =>
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html><h1>Sign in</h1></html>'),
    ],
    [
      'JSON that nests without end',
      'not-mlflow',
      'Check host, port and path prefix',
      (_, response) =>
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(`{"experiment": ${'['.repeat(450_000)}${']'.repeat(450_000)}}`),
    ],
    [
      'another server',
      'not-mlflow',
      'Check host, port and path prefix',
      (_, response) => response.writeHead(404).end('nothing here'),
    ],
    ['JSON of another program', 'not-mlflow', '', (_, response) => json(response, { hello: 'world' })],
    [
      'a redirection',
      'not-mlflow',
      'Use the address behind it',
      (_, response) => response.writeHead(302, { location: 'https://elsewhere' }).end(),
    ],
    [
      'a proxy with a limit',
      'too-large',
      'client_max_body_size',
      (_, response) => response.writeHead(413).end(),
    ],
    [
      'a broken server',
      'server-error',
      '',
      (_, response) =>
        response.writeHead(500, { 'content-type': 'text/html' }).end('<h1>Internal Server Error</h1>'),
    ],
    [
      'a megabyte that begins tags and ends none',
      'server-error',
      '',
      (_, response) => response.writeHead(500).end('<'.repeat(1_000_000)),
    ],
    [
      'a deleted run',
      'deleted',
      '',
      (_, response) =>
        json(
          response,
          {
            error_code: 'INVALID_PARAMETER_VALUE',
            message: "The run abc must be in the 'active' state. Current state is deleted.",
          },
          400,
        ),
    ],
    [
      'a broken connection',
      'dropped',
      'The log of the server, or of a proxy',
      (request) => request.socket.destroy(),
    ],
  ])('%s', async (_, kind, help, handler) => {
    const problem = await problemOf(handler);
    expect(problem.kind).toBe(kind);
    expect(problem.help ?? '').toContain(help);
    expect(problem.message).toMatch(/^[A-Z].*[.)]?$/);
    expect(problem.message).not.toMatch(/<h1>|\n/);
  });

  test('a server that does not answer in time', async () => {
    const problem = await problemOf(() => undefined, { MLFLOW_HTTP_REQUEST_TIMEOUT: '0.2' });
    expect(problem).toMatchObject({ kind: 'timeout', unclear: true });
  });

  test('a port where nobody listens', async () => {
    const settings = connectionSettings('http://127.0.0.1:9', {
      env: { MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0' },
      file: '',
      allowed: true,
    });
    const opened = settings.ok ? openClient(settings.value) : settings;
    if (!opened.ok) throw new Error('cannot open');
    expect(await opened.value.experimentByName('x')).toMatchObject({
      ok: false,
      errors: [
        {
          kind: 'unreachable',
          unclear: false,
          message: expect.stringContaining('it refuses the connection') as string,
        },
      ],
    });
  });
});

describe('repetition', () => {
  const found = { experiment: { experiment_id: '1', name: 'x', lifecycle_stage: 'active' } };

  test('passing failures are repeated, and Retry-After is obeyed', async () => {
    const { client, requests, waits } = await clientOf(
      (_, response, count) => {
        if (count === 1) response.writeHead(503).end();
        else if (count === 2) response.writeHead(429, { 'retry-after': '0.05' }).end();
        else json(response, found);
      },
      { MLFLOW_HTTP_REQUEST_MAX_RETRIES: '5' },
    );
    expect(await client.experimentByName('x')).toMatchObject({ ok: true, value: { id: '1' } });
    expect(requests()).toBe(3);
    expect(waits).toEqual([1, 50]);
  });

  test('what makes something new is not repeated after an unclear attempt, but after a clear refusal', async () => {
    const unclear = await clientOf((_, response) => response.writeHead(502).end(), {
      MLFLOW_HTTP_REQUEST_MAX_RETRIES: '5',
    });
    expect(await unclear.client.createExperiment('x', [])).toMatchObject({
      ok: false,
      errors: [{ unclear: true }],
    });
    expect(unclear.requests()).toBe(1);
    const clear = await clientOf(
      (_, response, count) =>
        count === 1 ? response.writeHead(429).end() : json(response, { experiment_id: '3' }),
      { MLFLOW_HTTP_REQUEST_MAX_RETRIES: '5' },
    );
    expect(await clear.client.createExperiment('x', [])).toMatchObject({ ok: true, value: '3' });
  });

  test('a stopped client does not go on', async () => {
    const { client, requests } = await clientOf(
      (_, response) => response.writeHead(503, { 'retry-after': '100' }).end(),
      { MLFLOW_HTTP_REQUEST_MAX_RETRIES: '5' },
    );
    const asked = client.experimentByName('x');
    await until(() => requests() === 1);
    client.stop();
    expect((await asked).ok).toBe(false);
    expect(requests()).toBe(1);
  });
});

describe('requests', () => {
  test('go below the path prefix with credentials and workspace, on kept connections', async () => {
    const seen: string[] = [];
    const sockets = new Set<unknown>();
    const { client } = await clientOf(
      (request, response) => {
        seen.push(
          `${request.method ?? ''} ${request.url ?? ''} ${request.headers.authorization ?? ''} ${String(request.headers['x-mlflow-workspace'])}`,
        );
        sockets.add(request.socket);
        json(response, { experiment: { experiment_id: '1', name: 'a b' } });
      },
      { MLFLOW_TRACKING_TOKEN: 'token', MLFLOW_WORKSPACE: 'team' },
      '/prefix',
    );
    for (let requests = 0; requests < 20; requests++) await client.experimentByName('a b');
    expect(seen[0]).toBe(
      'GET /prefix/api/2.0/mlflow/experiments/get-by-name?experiment_name=a+b Bearer token team',
    );
    expect(sockets.size).toBeLessThanOrEqual(4);
  });

  test('a field that the server would swallow is never sent', async () => {
    const { client, requests } = await clientOf((_, response) => json(response, {}));
    const metric = { key: 'a', value: 1, timestamp: 1, step: 1 };
    for (const wrong of [
      { timestamp: 1.5 },
      { step: 0.5 },
      { value: NaN },
      { value: Infinity },
      { key: 'a//b' },
      { key: 'x'.repeat(251) },
    ])
      expect(await client.logBatch('r', { metrics: [{ ...metric, ...wrong }] })).toMatchObject({
        ok: false,
        errors: [{ kind: 'invalid' }],
      });
    const numberAsText = 3 as unknown as string;
    expect(await client.logBatch('r', { params: [{ key: 'a', value: numberAsText }] })).toMatchObject({
      ok: false,
    });
    const same = { key: 'a', value: 'x' };
    expect(await client.logBatch('r', { params: [same, same] })).toMatchObject({ ok: false });
    expect(await client.logBatch('r', { metrics: Array(1001).fill(metric) })).toMatchObject({ ok: false });
    expect(requests()).toBe(0);
    expect((await client.logBatch('r', { metrics: [{ ...metric, value: 'NaN' }] })).ok).toBe(true);
  });

  test('an artifact is streamed to its encoded path; a path that climbs is refused', async () => {
    let received = '';
    let path = '';
    const { client } = await clientOf((request, response) => {
      path = request.url ?? '';
      request.on('data', (chunk: Buffer) => (received += chunk.toString()));
      request.on('end', () => response.writeHead(200).end());
    });
    const root = 'mlflow-artifacts:/1/run/artifacts';
    expect(
      await client.uploadArtifact(root, 'plots/a b%.txt', { bytes: Buffer.from('content') }),
    ).toMatchObject({
      ok: true,
      value: undefined,
    });
    expect(path).toBe('/api/2.0/mlflow-artifacts/artifacts/1/run/artifacts/plots/a%20b%25.txt');
    expect(received).toBe('content');
    for (const wrong of ['../x', 'a/../b', '/a', 'a#b', ''])
      expect(await client.uploadArtifact(root, wrong, { bytes: Buffer.from('') })).toMatchObject({
        ok: false,
        errors: [{ kind: 'invalid' }],
      });
    expect(await client.uploadArtifact('s3://bucket/x', 'a', { bytes: Buffer.from('') })).toMatchObject({
      ok: false,
      errors: [{ help: expect.stringContaining('--serve-artifacts') as string }],
    });
  });
});

describe('no server holds a command for ever', () => {
  const run = (at: number) => ({ info: { run_id: `r${at}`, experiment_id: '1' } });

  test.each<[string, Handler]>([
    [
      'a new page each time',
      (_, response, count) => json(response, { runs: [], next_page_token: `t${count}` }),
    ],
    [
      'the same page each time',
      (_, response, count) => json(response, { runs: [run(count)], next_page_token: 'a' }),
    ],
  ])('%s', async (_, handler) => {
    const { client, requests } = await clientOf(handler);
    for (const read of [
      () => client.searchRuns('1', ''),
      () => client.metricHistory('r', 'k', () => undefined),
    ]) {
      const result = await read();
      expect(result.ok || result.errors[0].message).toContain('page after page without end');
    }
    expect(requests()).toBeLessThanOrEqual(2002);
  });

  test('a wait of days is not waited for', async () => {
    const { client, requests, waits } = await clientOf(
      (_, response) => response.writeHead(503, { 'retry-after': '100000' }).end(),
      { MLFLOW_HTTP_REQUEST_MAX_RETRIES: '7' },
    );
    expect((await client.experimentByName('x')).ok).toBe(false);
    expect([requests(), waits]).toEqual([1, []]);
  });

  test('an answer that comes drop by drop ends with the timeout', async () => {
    const { client } = await clientOf(
      (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const drip = setInterval(() => response.write(' '), 20);
        cleanups.push(() => clearInterval(drip));
      },
      { MLFLOW_HTTP_REQUEST_TIMEOUT: '0.3' },
    );
    const result = await client.experimentByName('x');
    expect(result.ok || result.errors[0].kind).toBe('timeout');
  });
});
