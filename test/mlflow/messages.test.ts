import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { syncRecorded } from '../../src/mlflow/sync/sync-recorded.ts';
import { impatient, writeCompactSweep } from '../support/mlflow/journals.ts';
import { createRig } from '../support/rig.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const serve = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const masked = (text: string) => text.replace(/127\.0\.0\.1:\d{5}/g, '127.0.0.1:PORT');

/** What `unroll sync --to` tells, message and help. */
const said = async (to: string | RequestListener): Promise<string> => {
  const runsDirectory = temporaryDirectory();
  writeCompactSweep(runsDirectory, { seed: 1, runs: 1, steps: 2 });
  const result = await syncRecorded({
    runsDirectory,
    to: typeof to === 'string' ? to : await serve(to),
    print: () => undefined,
    env: { ...impatient, MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0' },
  });
  if (result.ok) return 'sent';
  return masked(
    result.errors
      .map(({ message, help = '' }) => `${message}\n${help}`)
      .join('\n')
      .replaceAll(runsDirectory, 'RUNS'),
  );
};

const html =
  (status: number, body: string, headers = {}): RequestListener =>
  (_, response) =>
    response.writeHead(status, { 'content-type': 'text/html', ...headers }).end(body);

test('an address that is not that of a server', async () => {
  expect(await said('sqlite:///mlflow.db')).toMatchInlineSnapshot(`
    "The MLflow address "sqlite:///mlflow.db" is not an http(s) address.
    A database file is read by a server: start one on it with "mlflow server --backend-store-uri URI"."
  `);
  expect(await said('file:///tmp/mlruns')).toMatchInlineSnapshot(`
    "The MLflow address "file:///tmp/mlruns" is not an http(s) address.
    MLflow no longer takes a folder as its store: start a server with "unroll mlflow" and send runs to its address."
  `);
  expect(await said('./mlruns')).toMatchInlineSnapshot(`
    "The MLflow address "./mlruns" is not an http(s) address.
    Give an address such as http://127.0.0.1:5000 (in tracking.mlflow.uri or MLFLOW_TRACKING_URI)."
  `);
  expect(await said('localhost:5000')).toMatchInlineSnapshot(`
    "The MLflow address "localhost:5000" is not an http(s) address.
    Write http://localhost:5000."
  `);
  expect(await said('http://127.0.0.1:9')).toMatchInlineSnapshot(`
    "The MLflow server at http://127.0.0.1:9 cannot be reached to look up the experiment: it refuses the connection.
    Start one with "unroll mlflow --runs-directory RUNS", or check the address. What is recorded locally is sent later with "unroll sync --to http://127.0.0.1:9 --runs-directory RUNS"."
  `);
});

test('something else that answers at the address', async () => {
  expect(await said(html(200, '<html><h1>Please sign in</h1></html>'))).toMatchInlineSnapshot(`
    "What answers at http://127.0.0.1:PORT is not an MLflow server: it sent text/html (Please sign in).
    Check host, port and path prefix of the tracking URI; a sign-in page of a proxy also answers like this."
  `);
  expect(await said(html(302, '', { location: 'https://sso.example/login' }))).toMatchInlineSnapshot(`
    "The server at http://127.0.0.1:PORT sends requests on to https://sso.example/login.
    Use the address behind it as the tracking URI."
  `);
  expect(await said(html(404, '<h1>Not Found</h1>'))).toMatchInlineSnapshot(`
    "What answers at http://127.0.0.1:PORT is not an MLflow server (404 for its API).
    Check host, port and path prefix of the tracking URI."
  `);
  expect(await said(html(502, '<h1>Bad Gateway</h1>'))).toMatchInlineSnapshot(`
    "The MLflow server at http://127.0.0.1:PORT failed to look up the experiment (502): Bad Gateway
    Its log, or that of a proxy in front of it, shows why. What is recorded locally is sent later with "unroll sync --to http://127.0.0.1:PORT --runs-directory RUNS"."
  `);
  expect(await said(html(400, '<h1>400 Bad Request</h1><p>No required SSL certificate was sent</p>')))
    .toMatchInlineSnapshot(`
    "The server at http://127.0.0.1:PORT asks for a certificate of the client.
    Give a PEM file with certificate and key with MLFLOW_TRACKING_CLIENT_CERT_PATH."
  `);
});

const spec = `version: 1
name: goes-on
dataset: { name: toy-sequences, trainSize: 50, testSize: 20 }
model: { name: lstm, hiddenSize: 4 }
optimizer: { name: adam, learningRate: 0.01 }
train: { batchSize: 16, steps: 5, displayEvery: 1 }
objective: { metric: test/accuracy, goal: maximize }
`;

const mlflowLines = (output: string) =>
  masked(
    output
      .split('\n')
      .filter((line) => /MLflow/.test(line))
      .join('\n'),
  );

test('a training goes on when the address is wrong or the server refuses its user, and says so once', async () => {
  const nowhere = createRig({ MLFLOW_TRACKING_URI: 'sqlite:///mlflow.db' });
  const recorded = await nowhere.unroll('run', nowhere.write('spec.yaml', spec));
  expect([recorded.code, nowhere.runIds('goes-on').length]).toEqual([0, 1]);
  expect(mlflowLines(recorded.stdout + recorded.stderr)).toMatchInlineSnapshot(
    `"warning MLflow: The MLflow address "sqlite:///mlflow.db" is not an http(s) address. A database file is read by a server: start one on it with "mlflow server --backend-store-uri URI"."`,
  );

  const refusing = createRig({ MLFLOW_TRACKING_URI: await serve(html(401, 'no')) });
  const refused = await refusing.unroll('run', refusing.write('spec.yaml', spec));
  expect([refused.code, refusing.runIds('goes-on').length]).toEqual([0, 1]);
  expect(mlflowLines(refused.stdout + refused.stderr)).toMatchInlineSnapshot(`
    "warning MLflow: The MLflow server at http://127.0.0.1:PORT asks for credentials, and none are set (401). Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, or write ~/.mlflow/credentials. What is recorded locally is sent later with "unroll sync --to http://127.0.0.1:PORT".
    warning MLflow: 21 metric points of 1 run not on the server yet. Send what is left with: unroll sync goes-on --to http://127.0.0.1:PORT"
  `);
});

test('nothing is asked of a server with --no-mlflow', async () => {
  let requests = 0;
  const uri = await serve((_, response) => {
    requests++;
    response.writeHead(503).end();
  });
  const rig = createRig({ MLFLOW_TRACKING_URI: uri });
  expect((await rig.unroll('run', rig.write('spec.yaml', spec), '--no-mlflow')).code).toBe(0);
  expect(requests).toBe(0);
});
