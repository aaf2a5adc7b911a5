import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { isMap, isSeq, parseDocument, type Document } from 'yaml';
import { failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import { nearest } from '../diagnostic/nearest.ts';

/** What the user has allowed once and for all specs. */
export interface UserConfig {
  /** Origins that a spec may send runs to. */
  readonly servers: readonly string[];
  /** Origins that also get the credentials of the environment. */
  readonly credentials: readonly string[];
  /** Environment variables that a spec may read. */
  readonly variables: readonly string[];
}

const lists = ['servers', 'credentials', 'variables'] as const satisfies readonly (keyof UserConfig)[];

type Environment = Readonly<Record<string, string | undefined>>;

/** `$XDG_CONFIG_HOME/unroll/config.yaml`, else `~/.config/unroll/config.yaml`. */
export const userConfigPath = (env: Environment = process.env): string =>
  join(env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config'), 'unroll', 'config.yaml');

const originOf = (uri: string): string => (URL.canParse(uri) ? new URL(uri).origin : uri);

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
};

const wrong = (path: string, message: string, more: Partial<Diagnostic>): Result<never> =>
  failure({ code: 'wrong-type', severity: 'error', message: `${path}: ${message}`, ...more });

/** Reads the user's config; without a file nothing is allowed. */
export const readUserConfig = (env: Environment = process.env): Result<UserConfig> => {
  const path = userConfigPath(env);
  const document = parseDocument(readText(path));
  const [error] = document.errors;
  if (error)
    return wrong(path, 'The file is not valid YAML.', {
      help: error.message.split('\n')[0] ?? error.message,
    });
  const written: unknown = document.toJS();
  if (written === null) return success({ servers: [], credentials: [], variables: [] });
  if (!isMap(document.contents))
    return wrong(path, 'The user config is a mapping.', { expected: `the keys ${lists.join(', ')}` });
  const values = written as Readonly<Record<string, unknown>>;
  for (const [key, value] of Object.entries(values)) {
    if (!lists.some((list) => list === key)) {
      const near = nearest(key, lists);
      return wrong(path, `The key ${key} is unknown.`, {
        code: 'unknown-key',
        expected: lists.join(', '),
        ...(near !== undefined && { nearest: near }),
        help: 'Remove the key, or correct it.',
      });
    }
    if (value !== null && !(Array.isArray(value) && value.every((one) => typeof one === 'string')))
      return wrong(path, `${key} has the wrong type.`, {
        expected: 'a list of strings',
        help: `Write for example ${key === 'variables' ? 'variables: [TEAM]' : `${key}: [https://mlflow.example.com]`}.`,
      });
  }
  const listOf = (key: keyof UserConfig) => (values[key] ?? []) as readonly string[];
  return success({
    servers: listOf('servers').map(originOf),
    credentials: listOf('credentials').map(originOf),
    variables: listOf('variables'),
  });
};

const write = (document: Document, env: Environment): void => {
  const path = userConfigPath(env);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.${process.pid}`, document.toString(), { mode: 0o600 });
  renameSync(`${path}.${process.pid}`, path);
};

/** Adds an entry to a list of the user's config, and keeps its comments. The config must be readable. */
export const allowInUserConfig = (
  list: keyof UserConfig,
  entry: string,
  env: Environment = process.env,
): void => {
  const document = parseDocument(readText(userConfigPath(env)));
  const before = document.get(list);
  if (isSeq(before)) {
    if (!before.toJSON().includes(entry)) before.add(entry);
  } else document.set(list, [entry]);
  write(document, env);
};

/** Removes an entry from the given lists of the user's config. */
export const forbidInUserConfig = (entry: string, env: Environment = process.env): void => {
  const document = parseDocument(readText(userConfigPath(env)));
  for (const list of lists) {
    const before = document.get(list);
    if (isSeq(before))
      document.set(
        list,
        (before.toJSON() as string[]).filter((one) => originOf(one) !== entry),
      );
  }
  write(document, env);
};
