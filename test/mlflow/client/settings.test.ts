import { describe, expect, test } from 'vitest';
import { authorization, findCredentials } from '../../../src/mlflow/client/credentials.ts';
import { connectionSettings, parseTrackingUri } from '../../../src/mlflow/client/settings.ts';
import { resolveTarget, trackingUri } from '../../../src/mlflow/sync/target.ts';

const messageOf = (uri: string, env: Record<string, string> = {}) => {
  const settings = connectionSettings(uri, { env, file: '', allowed: true });
  return settings.ok ? 'ok' : `${settings.errors[0].message} ${settings.errors[0].help ?? ''}`;
};

describe('a tracking address', () => {
  test('keeps its path prefix and loses its slash and credentials', () => {
    expect(parseTrackingUri('https://me:p%40ss@host.example:8443/ml/flow/')).toMatchObject({
      ok: true,
      value: {
        uri: 'https://host.example:8443/ml/flow',
        credentials: { kind: 'basic', username: 'me', password: 'p@ss' },
      },
    });
  });

  test.each([
    ['sqlite:///mlflow.db', 'mlflow server --backend-store-uri'],
    ['postgresql+psycopg2://u:secret@db/x', 'mlflow server --backend-store-uri'],
    ['file:///tmp/mlruns', 'unroll mlflow'],
    ['./mlruns', 'Give an address such as http://127.0.0.1:5000'],
    ['databricks', 'Databricks'],
    ['databricks://profile', 'Databricks'],
    ['localhost:5000', 'Write http://localhost:5000.'],
    ['http://', 'cannot be read'],
    ['https://me:secret100%@host.example', 'Write % as %25'],
    ['constructor:x', 'Give an address such as http://127.0.0.1:5000'],
    ['http://host/#/experiments/1', "Give the server's address only: http://host."],
  ])('%s is an error that says what to do', (uri, expected) => {
    expect(messageOf(uri)).toContain(expected);
    expect(messageOf(uri)).not.toContain('secret');
  });

  test('the spec wins over the environment, and --to over both', () => {
    const env = { MLFLOW_TRACKING_URI: 'http://env' };
    const base = { experiment: 'e', env };
    expect(trackingUri({ ...base, settings: undefined })).toBe('http://env');
    expect(trackingUri({ ...base, settings: { uri: 'http://spec' } })).toBe('http://spec');
    expect(trackingUri({ ...base, settings: { uri: 'http://spec' }, to: 'http://to' })).toBe('http://to');
    expect(resolveTarget({ experiment: 'e', settings: undefined, env: {} })).toBeUndefined();
  });

  test('the experiment is the one of the spec, of the environment, or the spec itself', () => {
    const choice = (settings: object | undefined, env: Record<string, string>) => {
      const target = resolveTarget({
        experiment: 'own',
        settings,
        env: { MLFLOW_TRACKING_URI: 'http://h', ...env },
      });
      return target?.ok ? target.value.experiment : undefined;
    };
    expect(choice(undefined, {})).toEqual({ name: 'own' });
    expect(choice(undefined, { MLFLOW_EXPERIMENT_NAME: 'named' })).toEqual({ name: 'named' });
    expect(choice(undefined, { MLFLOW_EXPERIMENT_ID: '7', MLFLOW_EXPERIMENT_NAME: 'named' })).toMatchObject({
      id: '7',
    });
    expect(choice({ experiment: 'spec' }, { MLFLOW_EXPERIMENT_ID: '7' })).toEqual({ name: 'spec' });
  });

  test('tags come from MLFLOW_RUN_CONTEXT and the spec; a broken one is said', () => {
    const target = (context: string) =>
      resolveTarget({
        experiment: 'e',
        settings: { tags: { team: 'b' } },
        env: { MLFLOW_TRACKING_URI: 'http://h', MLFLOW_RUN_CONTEXT: context },
      });
    expect(target('{"team":"a","n":1}')).toMatchObject({ ok: true, value: { tags: { team: 'b', n: '1' } } });
    expect(target('team=a')).toMatchObject({
      ok: false,
      errors: [{ message: expect.stringContaining('JSON') as string }],
    });
  });
});

describe('credentials', () => {
  const file =
    '# mine\n[other]\nmlflow_tracking_username = x\n[mlflow]\nmlflow_tracking_username = filed\nmlflow_tracking_password=pa ss=word\n';

  test('user name and password win over a token, the environment over the file', () => {
    expect(findCredentials({}, file)).toEqual({ kind: 'basic', username: 'filed', password: 'pa ss=word' });
    expect(findCredentials({ MLFLOW_TRACKING_USERNAME: 'env' }, file)).toMatchObject({
      username: 'env',
      password: 'pa ss=word',
    });
    expect(findCredentials({ MLFLOW_TRACKING_TOKEN: 't' }, file)).toMatchObject({ kind: 'basic' });
    expect(findCredentials({ MLFLOW_TRACKING_TOKEN: 't' }, undefined)).toMatchObject({
      kind: 'bearer',
      token: 't',
    });
    expect(findCredentials({ MLFLOW_TRACKING_USERNAME: 'alone' }, undefined)).toEqual({ kind: 'none' });
  });

  test('the header is UTF-8', () => {
    expect(authorization({ kind: 'basic', username: 'ü', password: 'p' })).toBe('Basic w7w6cA==');
  });
});

test('the variables of MLflow set patience and certificates; what is not supported is said', () => {
  const settings = connectionSettings('http://h', {
    env: {
      MLFLOW_HTTP_REQUEST_TIMEOUT: '7',
      MLFLOW_HTTP_REQUEST_MAX_RETRIES: '2',
      MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR: '0.5',
      MLFLOW_HTTP_REQUEST_BACKOFF_JITTER: '0',
      MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER: 'false',
      MLFLOW_TRACKING_SERVER_CERT_PATH: 'ca.pem',
      MLFLOW_WORKSPACE: 'team',
    },
    file: '',
    allowed: true,
  });
  expect(settings).toMatchObject({
    ok: true,
    value: {
      timeoutMs: 7000,
      retries: 2,
      backoffFactor: 0.5,
      jitterMs: 0,
      respectRetryAfter: false,
      tls: { serverCertificatePath: 'ca.pem' },
      workspace: 'team',
    },
  });
  expect(messageOf('http://h', { MLFLOW_TRACKING_AWS_SIGV4: 'true' })).toContain('MLFLOW_TRACKING_AWS_SIGV4');
  expect(
    messageOf('http://h', { MLFLOW_TRACKING_INSECURE_TLS: 'true', MLFLOW_TRACKING_SERVER_CERT_PATH: 'x' }),
  ).toContain('exclude each other');
  expect(
    messageOf('http://h', { MLFLOW_TRACKING_INSECURE_TLS: 'true', MLFLOW_HTTP_REQUEST_TIMEOUT: 'soon' }),
  ).toBe('ok');
});
