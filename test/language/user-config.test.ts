import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { renderDiagnostics } from '../../src/diagnostic/render.ts';
import {
  allowInUserConfig,
  forbidInUserConfig,
  readUserConfig,
  userConfigPath,
} from '../../src/language/user-config.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const environmentWith = (text: string | undefined) => {
  const env = { XDG_CONFIG_HOME: temporaryDirectory('config') };
  mkdirSync(dirname(userConfigPath(env)));
  if (text !== undefined) writeFileSync(userConfigPath(env), text);
  return env;
};

it.each([
  ['servers: [https://a.example', 'yaml-syntax', ':1:10'],
  ['- https://a.example', 'wrong-type', ':1:1'],
  ['# mine\nsevers: []', 'unknown-key', ':2:1'],
  ['servers: https://a.example', 'wrong-type', ':1:10'],
  ['servers:\n  - https://a.example\n  - a.example:5000', 'wrong-type', ':3:5'],
  ['credentials: [file:///etc]', 'wrong-type', ':1:15'],
  ['variables: [TEAM, 7]', 'wrong-type', ':1:19'],
  ["variables: ['${TEAM}']", 'wrong-type', ':1:13'],
])('refuses %j with its place', (text, code, place) => {
  const env = environmentWith(text);
  const read = readUserConfig(env);
  const said = read.ok ? '' : stripVTControlCharacters(renderDiagnostics(read.errors));
  expect(said).toContain(`[${code}]`);
  expect(said).toContain(userConfigPath(env) + place);
});

it('refuses a config that is a folder', () => {
  const env = environmentWith(undefined);
  mkdirSync(userConfigPath(env));
  expect(readUserConfig(env)).toMatchObject({ ok: false, errors: [{ code: 'file-unreadable' }] });
});

it.each([undefined, '', '# nothing yet\n', 'servers:\n'])('allows nothing with %j', (text) => {
  expect(readUserConfig(environmentWith(text))).toMatchObject({
    ok: true,
    value: { servers: [], credentials: [], variables: [] },
  });
});

it('adds and removes entries, and keeps comments', () => {
  const env = environmentWith(
    '# my servers\nservers:\n  - https://a.example/ml # at work\nvariables: [TEAM]\n',
  );
  allowInUserConfig('servers', 'https://b.example', env);
  allowInUserConfig('credentials', 'https://b.example', env);
  allowInUserConfig('servers', 'https://b.example', env);
  expect(readUserConfig(env)).toMatchObject({
    value: {
      servers: ['https://a.example', 'https://b.example'],
      credentials: ['https://b.example'],
      variables: ['TEAM'],
    },
  });
  forbidInUserConfig('https://b.example', env);
  expect(readUserConfig(env)).toMatchObject({
    value: { servers: ['https://a.example'], credentials: [], variables: ['TEAM'] },
  });
  expect(readFileSync(join(env.XDG_CONFIG_HOME, 'unroll', 'config.yaml'), 'utf8')).toMatch(
    /# my servers[^]*# at work/,
  );
});
