import { expect, it } from 'vitest';
import {
  hideSecret,
  isSecretName,
  isSecretVariable,
  masked,
  maskedJson,
  maskedWord,
  withoutSecrets,
} from '../../src/system/secrets.ts';

it.each([
  ['https://ann:p%40ss@host.example/ml', 'https://host.example/ml'],
  ['sent to http://ann@host:5000, then', 'sent to http://host:5000, then'],
  // What a message proposes to fill in.
  [
    'as redis://USER:PASSWORD@host or redis://:PASSWORD@host',
    'as redis://USER:PASSWORD@host or redis://:PASSWORD@host',
  ],
  ['https://host/x?run=1&access_token=abc123&y=2', 'https://host/x?run=1&access_token=***&y=2'],
  ['https://bucket/x?X-Amz-Signature=abc', 'https://bucket/x?X-Amz-Signature=***'],
  ['http://h/#/runs?orderByKey=metrics.loss&sortKey=x', 'http://h/#/runs?orderByKey=metrics.loss&sortKey=x'],
  ['Authorization: Bearer abc.def', 'Authorization: ***'],
  ['tags: { apiKey: "a b", team: x }', 'tags: { apiKey: ***, team: x }'],
  ['{"password":"a\\"b","n":1}', '{"password":***,"n":1}'],
  ['dataset: { name: text-tokens, tokens: word }', 'dataset: { name: text-tokens, tokens: word }'],
  ['optimizer.learningRate=0.01', 'optimizer.learningRate=0.01'],
])('writes %s as %s', (text, expected) => expect(masked(text)).toBe(expected));

it('masks a known value in each of its forms, and again without a change', () => {
  hideSecret('ver/y "secret');
  const once = masked('ver/y "secret, ver%2Fy%20%22secret, ver/y \\"secret');
  expect(once).toBe('***, ***, ***');
  expect(masked(once)).toBe(once);
});

it('masks whole values by the name of their key', () => {
  expect(maskedJson({ tags: { db_password: 'x y', team: 'z' }, uri: 'http://a:b@h' })).toEqual({
    tags: { db_password: '***', team: 'z' },
    uri: 'http://h',
  });
  expect(maskedWord('tracking.mlflow.tags.secret=a, b')).toBe('tracking.mlflow.tags.secret=***');
});

it.each([
  ['--set=tracking.mlflow.tags.apiKey=a, b', '--set=tracking.mlflow.tags.apiKey=***'],
  ['--set=model.hiddenSize=8', '--set=model.hiddenSize=8'],
  ['--to=https://ann:pw@host.example', '--to=https://host.example'],
])('shows the word %s as %s', (word, expected) => expect(maskedWord(word)).toBe(expected));

it('takes secrets out of an environment, all of them or those of MLflow', () => {
  const environment = {
    MLFLOW_TRACKING_URI: 'http://ann:pw@host.example',
    MLFLOW_TRACKING_TOKEN: 'a',
    AWS_SECRET_ACCESS_KEY: 'b',
    HTTPS_PROXY: 'http://ann:pw@proxy.example',
    HOME: '/home/ann',
  };
  const { HTTPS_PROXY, HOME, AWS_SECRET_ACCESS_KEY } = environment;
  const kept = { MLFLOW_TRACKING_URI: 'http://host.example', HTTPS_PROXY, HOME };
  expect(withoutSecrets(environment)).toEqual(kept);
  expect(withoutSecrets(environment, 'MLFLOW_')).toEqual({ ...kept, AWS_SECRET_ACCESS_KEY });
});

it('knows secrets by name', () => {
  expect(['password', 'dbPassword', 'api_key', 'apiKey', 'token', 'accessToken'].map(isSecretName)).toEqual(
    Array<boolean>(6).fill(true),
  );
  expect(['tokens', 'maskToken', 'key', 'hiddenSize', 'name'].map(isSecretName)).toEqual(
    Array<boolean>(5).fill(false),
  );
  expect(
    ['AWS_SECRET_ACCESS_KEY', 'PGPASSWORD', 'GITHUB_TOKEN', 'AWS_ACCESS_KEY_ID'].map(isSecretVariable),
  ).toEqual(Array<boolean>(4).fill(true));
  expect(['PWD', 'OLDPWD', 'HOME', 'AWS_WEB_IDENTITY_TOKEN_FILE'].map(isSecretVariable)).toEqual(
    Array<boolean>(4).fill(false),
  );
});

it.each([
  ['x-http://ann:pw@host', 'x-http://host'],
  ['.http://ann:pw@host', '.http://host'],
  ['_http://ann:pw@host', '_http://host'],
  ['1http://ann:pw@host', '1http://host'],
  ['éhttp://ann:pw@host', 'éhttp://host'],
  ['a://b://ann:pw@host', 'a://b://host'],
])('hides the password of %s wherever the address begins', (text, expected) =>
  expect(masked(text)).toBe(expected),
);

it.each([
  ...[
    'a.',
    'a',
    'a+',
    'a://',
    '://',
    'a:',
    '?a',
    '&a-',
    '?token',
    'token="\\',
    'token=',
    'token ',
    'Bearer ',
  ],
  ...['\\', '"', 'key-', 'access_', 'http://a', '@', 'a@', "token:'"],
])('takes a megabyte of %j in its stride', (piece) => {
  const text = piece.repeat(Math.floor(1e6 / piece.length));
  expect(masked(text).length).toBeLessThanOrEqual(text.length + 3);
});
