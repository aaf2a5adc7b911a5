import { join } from 'node:path';
import { isScalar, isSeq, parseDocument, type Document } from 'yaml';
import { failed, failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import { nearest } from '../diagnostic/nearest.ts';
import { writeWhole, readRegularText } from '../system/files.ts';
import { homeFolder, NoHome } from '../system/home-folder.ts';
import { describeValue } from './describe.ts';
import { toJson, type Located, type LocatedEntry } from './located.ts';
import { readYaml } from './read-yaml.ts';
import { webOrigin } from '../system/secrets.ts';
import { systemErrorOf } from '../system/system-error.ts';

/** What the user has set once and for all specs. */
export interface UserConfig {
  /** Origins that a spec may send runs to. */
  readonly servers: readonly string[];
  /** Origins that also get the credentials of the environment. */
  readonly credentials: readonly string[];
  /** Environment variables that a spec may read. */
  readonly variables: readonly string[];
  /** The shared store of runs: a directory, or s3://bucket/prefix. */
  readonly store?: string;
}

const lists = ['servers', 'credentials', 'variables'] as const satisfies readonly (keyof UserConfig)[];

type ListKey = (typeof lists)[number];

const keys: readonly string[] = [...lists, 'store'];

type Environment = Readonly<Record<string, string | undefined>>;

/** `$XDG_CONFIG_HOME/unroll/config.yaml`, else `~/.config/unroll/config.yaml`; undefined for a user without a home folder. */
const configPath = (env: Environment): string | undefined => {
  const home = homeFolder(env);
  const folder = env['XDG_CONFIG_HOME'] || (home === undefined ? undefined : join(home, '.config'));
  return folder && join(folder, 'unroll', 'config.yaml');
};

/** As `configPath`. Throws `NoHome` for a user without a home folder. */
export const userConfigPath = (env: Environment = process.env): string => {
  const path = configPath(env);
  if (path === undefined) throw new NoHome('your config', 'XDG_CONFIG_HOME');
  return path;
};

const readText = (path: string): Result<string> => {
  try {
    return success(readRegularText(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return success('');
    const trouble = systemErrorOf(error);
    return failure({
      code: 'file-unreadable',
      severity: 'error',
      message: `Your config ${path} cannot be read${trouble ? `: ${trouble.what}` : ''}.`,
      expected: 'a file that you may read',
      got: trouble?.code ?? (error as Error).message,
      help: 'Correct its permissions, or remove it.',
    });
  }
};

const nothing: UserConfig = { servers: [], credentials: [], variables: [] };

/** Reads the user's config; without a file nothing is allowed. */
export const readUserConfig = (env: Environment = process.env): Result<UserConfig> => {
  const path = configPath(env);
  if (path === undefined) return success(nothing);
  const text = readText(path);
  if (!text.ok) return text;
  const read = readYaml({ source: { name: path, text: text.value }, text: text.value, shift: 0 });
  if (!read.ok) return read;
  const root = read.value;
  if (root.kind === 'scalar' && root.value === null) return success(nothing);
  if (root.kind !== 'map')
    return failure(
      wrongType(root, {
        message: 'Your config must be a mapping.',
        expected: `the keys ${keys.join(', ')}`,
        help: `Write for example ${examples.servers}.`,
      }),
    );
  const errors = [...root.entries].flatMap(([key, entry]) =>
    isList(key)
      ? entryErrors(key, entry.value)
      : key === 'store'
        ? storeErrors(entry.value)
        : [unknownKey(key, entry)],
  );
  if (errors.length > 0) return failed(errors);
  const values = toJson(root) as Readonly<Partial<Record<ListKey, readonly string[] | null>>> & {
    readonly store?: string | null;
  };
  return success({
    servers: (values.servers ?? []).map(webOrigin),
    credentials: (values.credentials ?? []).map(webOrigin),
    variables: values.variables ?? [],
    ...(values.store && { store: values.store }),
  });
};

const examples: Readonly<Record<ListKey | 'store', string>> = {
  servers: 'servers: [https://mlflow.example.com]',
  credentials: 'credentials: [https://mlflow.example.com]',
  variables: 'variables: [TEAM]',
  store: 'store: s3://my-bucket/unroll',
};

/** The user's config has no folder of its own that a relative path could start from. */
const storeErrors = (value: Located): readonly Diagnostic[] => {
  if (value.kind === 'scalar' && value.value === null) return [];
  if (
    value.kind === 'scalar' &&
    typeof value.value === 'string' &&
    /^(~?\/|[a-z0-9]+:\/\/)/i.test(value.value)
  )
    return [];
  return [
    wrongType(value, {
      message: 'store is not the address of a store.',
      expected: 'the whole path of a directory, or s3://bucket/prefix',
      help: `Write for example ${examples.store}.`,
    }),
  ];
};

const isList = (key: string): key is ListKey => lists.some((list) => list === key);

const wrongType = (at: Located, more: Pick<Diagnostic, 'message' | 'expected' | 'help'>): Diagnostic => ({
  code: 'wrong-type',
  severity: 'error',
  at: at.at,
  got: describeValue(toJson(at)),
  ...more,
});

const entryErrors = (key: ListKey, value: Located): readonly Diagnostic[] => {
  if (value.kind === 'scalar' && value.value === null) return [];
  const help = `Write for example ${examples[key]}.`;
  if (value.kind !== 'list')
    return [wrongType(value, { message: `${key} must be a list.`, expected: 'a list of strings', help })];
  const [expected, fits] =
    key === 'variables'
      ? ['the name of an environment variable', (one: string) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(one)]
      : ['the address of a server, with http:// or https://', (one: string) => isHttp(one)];
  return value.items
    .filter((item) => !(item.kind === 'scalar' && typeof item.value === 'string' && fits(item.value)))
    .map((item) => wrongType(item, { message: `An entry of ${key} is invalid.`, expected, help }));
};

const isHttp = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

const unknownKey = (key: string, { key: at }: LocatedEntry): Diagnostic => {
  const near = nearest(key, keys);
  return {
    code: 'unknown-key',
    severity: 'error',
    message: `Your config has no key ${key}.`,
    at,
    expected: keys.join(', '),
    got: key,
    ...(near !== undefined && { nearest: near }),
    help: 'Remove the key, or correct it.',
  };
};

const parsed = (env: Environment): Document => {
  const text = readText(userConfigPath(env));
  return parseDocument(text.ok ? text.value : '');
};

const write = (document: Document, env: Environment): void =>
  writeWhole(userConfigPath(env), document.toString());

/** Adds an entry to a list of the user's config, and keeps its comments. The config must be readable. */
export const allowInUserConfig = (list: ListKey, entry: string, env: Environment = process.env): void => {
  const document = parsed(env);
  const before = document.get(list);
  if (isSeq(before)) {
    if (!before.toJSON().includes(entry)) before.add(entry);
  } else document.set(list, [entry]);
  write(document, env);
};

/** Removes an entry from the given lists of the user's config. */
export const forbidInUserConfig = (entry: string, env: Environment = process.env): void => {
  const document = parsed(env);
  for (const list of lists) {
    const before = document.get(list);
    if (isSeq(before))
      before.items = before.items.filter(
        (item) => !(isScalar(item) && webOrigin(String(item.value)) === entry),
      );
  }
  write(document, env);
};
