import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { syncRecorded } from '../../src/mlflow/sync/sync-recorded.ts';
import { type FrontOptions, makeCertificates, startFront } from '../support/mlflow/front.ts';
import { impatient, writeCompactSweep } from '../support/mlflow/journals.ts';
import { realServer, whyNoMlflow } from '../support/mlflow/real-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const missing = await whyNoMlflow();
const folder = mkdtempSync(join(tmpdir(), 'unroll-certificates-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const certificates = makeCertificates(folder);
if (!certificates && process.env['CI'] === 'true') throw new Error('openssl is needed');
if (!certificates) process.stderr.write('Tests with TLS are skipped: openssl is not installed.\n');

let made = 0;

describe.skipIf(missing !== undefined)('a real server behind a reverse proxy', () => {
  const server = realServer();
  beforeAll(() => server.start());

  /** What a person is told, or `equal` when all arrived and was read back. Ports are masked. */
  const syncThrough = async (
    options: FrontOptions,
    env: Readonly<Record<string, string>> = {},
  ): Promise<string> => {
    const runsDirectory = temporaryDirectory();
    writeCompactSweep(runsDirectory, { seed: 900 + made++, runs: 1, steps: 30 });
    const front = await startFront(server.uri(), options);
    onTestFinished(front.close);
    const result = await syncRecorded({
      runsDirectory,
      to: front.uri,
      verify: true,
      print: () => undefined,
      env: { ...impatient, MLFLOW_HTTP_REQUEST_TIMEOUT: '60', MLFLOW_HTTP_REQUEST_MAX_RETRIES: '1', ...env },
    });
    if (result.ok)
      return result.value.verified === 1 && result.value.differences.length === 0 ? 'equal' : 'differs';
    return result.errors
      .map(({ message, help = '' }) => `${message}\n${help}`)
      .join('\n')
      .replaceAll(runsDirectory, 'RUNS')
      .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT');
  };

  const basic = `Basic ${Buffer.from('ann:s3 cret').toString('base64')}`;

  test('below a path, with user name and password, or with a token', async () => {
    expect(
      await syncThrough(
        { authorization: basic, prefix: '/team/ml' },
        { MLFLOW_TRACKING_USERNAME: 'ann', MLFLOW_TRACKING_PASSWORD: 's3 cret' },
      ),
    ).toBe('equal');
    expect(await syncThrough({ authorization: 'Bearer t0' }, { MLFLOW_TRACKING_TOKEN: 't0' })).toBe('equal');
  });

  test('with a wrong password, an expired token, or nothing', async () => {
    expect(await syncThrough({ authorization: 'Bearer t1' }, { MLFLOW_TRACKING_TOKEN: 't0' }))
      .toMatchInlineSnapshot(`
      "The MLflow server at http://127.0.0.1:PORT did not accept the token (401): it is wrong or has expired.
      Renew MLFLOW_TRACKING_TOKEN; a server with MLflow's own sign-in takes a user name and a password only. What is recorded locally is sent later with "unroll sync --to http://127.0.0.1:PORT --runs-directory RUNS"."
    `);
    expect(
      await syncThrough(
        { authorization: basic },
        { MLFLOW_TRACKING_USERNAME: 'ann', MLFLOW_TRACKING_PASSWORD: 'other' },
      ),
    ).toMatchInlineSnapshot(`
      "The MLflow server at http://127.0.0.1:PORT did not accept the password of user "ann" (401).
      Correct MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or ~/.mlflow/credentials. What is recorded locally is sent later with "unroll sync --to http://127.0.0.1:PORT --runs-directory RUNS"."
    `);
    expect(await syncThrough({ authorization: basic })).toMatchInlineSnapshot(`
      "The MLflow server at http://127.0.0.1:PORT asks for credentials, and none are set (401).
      Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, or write ~/.mlflow/credentials. What is recorded locally is sent later with "unroll sync --to http://127.0.0.1:PORT --runs-directory RUNS"."
    `);
  });

  test('that hands on a host name which the server does not know', async () => {
    expect(await syncThrough({ host: 'mlflow:5000' })).toMatchInlineSnapshot(`
      "The MLflow server at http://127.0.0.1:PORT refuses requests for the host "127.0.0.1:PORT" (403, Host header check).
      Start it with "mlflow server --allowed-hosts 127.0.0.1:PORT" (or MLFLOW_SERVER_ALLOWED_HOSTS), or use an address it allows, such as http://127.0.0.1:PORT; a proxy on the way must hand on a Host header that it allows."
    `);
  });

  describe.skipIf(!certificates)('with a certificate of its own', () => {
    const tls = { tls: certificates as NonNullable<typeof certificates> };

    test('whose authority is named, or that is not to be checked', async () => {
      expect(await syncThrough(tls, { MLFLOW_TRACKING_SERVER_CERT_PATH: tls.tls.server })).toBe('equal');
      expect(await syncThrough(tls, { MLFLOW_TRACKING_INSECURE_TLS: 'true' })).toBe('equal');
    });

    test('that nobody vouches for', async () => {
      expect(await syncThrough(tls)).toMatchInlineSnapshot(`
        "The certificate of https://127.0.0.1:PORT is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT).
        Give its authority with MLFLOW_TRACKING_SERVER_CERT_PATH=ca.pem (or, at your own risk, MLFLOW_TRACKING_INSECURE_TLS=true)."
      `);
    });

    test('that asks for a certificate of the client', async () => {
      const options = { ...tls, asksForCertificate: true };
      const env = { MLFLOW_TRACKING_SERVER_CERT_PATH: tls.tls.server };
      expect(await syncThrough(options, { ...env, MLFLOW_TRACKING_CLIENT_CERT_PATH: tls.tls.client })).toBe(
        'equal',
      );
      expect(await syncThrough(options, env)).toMatchInlineSnapshot(`
        "The MLflow server at https://127.0.0.1:PORT did not answer the request to look up the experiment: it broke the connection.
        If it asks for a certificate of the client, give it with MLFLOW_TRACKING_CLIENT_CERT_PATH. What is recorded locally is sent later with "unroll sync --to https://127.0.0.1:PORT --runs-directory RUNS"."
      `);
    });
  });
});
