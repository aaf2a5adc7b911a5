import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import {
  failed,
  failure,
  success,
  type Diagnostic,
  type Result,
  type SourceRange,
  type SourceText,
} from '../diagnostic/diagnostic.ts';
import { readUserConfig } from './user-config.ts';
import { interpolate, type Environment, applyOverrides, mergeSpecs, type Overrides } from './rewrite.ts';
import { writeValue } from './describe.ts';
import { find, type Located, type LocatedMap, type SpecDocument } from './located.ts';
import { mostWork, readYaml, type ReadingBudget } from './read-yaml.ts';
import { endlessFile, readRegular } from '../system/files.ts';
import { readdir, stat } from 'node:fs/promises';
import { nearest } from '../diagnostic/nearest.ts';
import { addDiagnostic } from '../diagnostic/most.ts';
import { hideSecret, holdsSecret, isSecretName, keepUserInfo } from '../system/secrets.ts';

export interface LoadOptions extends Overrides {
  readonly environment?: Environment;
  /** The variables after `--allow-variable`. */
  readonly allowVariables?: readonly string[];
}

/**
 * Reads a spec: file, then what it `extends`, then `--set` and `--sweep`, then variables of the environment.
 * `path` is shown in messages as it is given.
 */
export const loadSpec = async (path: string, options: LoadOptions = {}): Promise<Result<SpecDocument>> => {
  const extendedAt = new Map<SourceText, SourceRange>();
  const read = await readChain(path, {
    extendedAt,
    open: [],
    budget: { work: mostWork, bytes: maxFileBytes },
  });
  if (!read.ok) return read;
  const { source, root } = read.value;
  const errors: Diagnostic[] = [];
  const { environment = process.env, allowVariables = [] } = options;
  const config = readUserConfig(environment);
  if (!config.ok) return config;
  const allowed = [...allowVariables, ...config.value.variables];
  const overridden = applyOverrides(root, options);
  if (!overridden.ok) for (const one of overridden.errors) errors.push(one);
  const interpolated = interpolate(overridden.ok ? overridden.value : root, { environment, allowed }, errors);
  if (errors.length) return failed(errors);
  for (const one of hideNamedSecrets(interpolated)) errors.push(one);
  if (errors.length) return failed(errors);
  return success({
    path,
    text: source.text,
    baseDirectory: dirname(resolve(path)),
    root: interpolated as LocatedMap,
    extendedAt,
  });
};

/** The document of a string that is not in a file, without `extends`; `path` is where the file would be. */
export const documentOfText = ({
  path,
  text,
}: {
  readonly path: string;
  readonly text: string;
}): Result<SpecDocument> => {
  const source = { name: basename(path), text };
  const root = readYaml({ source, text, shift: 0 });
  if (!root.ok) return root;
  const secrets = hideNamedSecrets(root.value);
  if (secrets.length) return failed(secrets);
  return success({
    path,
    text,
    baseDirectory: dirname(resolve(path)),
    root: root.value as LocatedMap,
    extendedAt: new Map(),
  });
};

interface Chain {
  readonly extendedAt: Map<SourceText, SourceRange>;
  /** The files that are being read, outermost first. */
  readonly open: readonly string[];
  readonly budget: ReadingBudget & { bytes: number };
}

/** Most specs that extend one another. */
const longestChain = 64;

const readChain = async (
  path: string,
  chain: Chain,
): Promise<Result<{ source: SourceText; root: Located }>> => {
  const file = await readSpecFile(path, chain.budget);
  if (!file.ok) return file;
  const source = file.value;
  const read = readYaml({ source, text: source.text, shift: 0 }, chain.budget);
  if (!read.ok) return read;
  const root = read.value;
  if (root.kind !== 'map') return failure(notAMapping(root, source));
  const parent = find(root, 'extends');
  if (!parent || (parent.kind === 'scalar' && parent.value === null)) return success({ source, root });
  if (parent.kind !== 'scalar' || typeof parent.value !== 'string' || parent.value === '') {
    return failure({
      code: 'wrong-type',
      severity: 'error',
      message: 'extends has the wrong type.',
      at: parent.at,
      expected: 'the path of one spec, from the folder of this file',
      got:
        parent.kind === 'list'
          ? 'a list'
          : parent.kind === 'map'
            ? 'a mapping'
            : JSON.stringify(parent.value),
      help: 'Write for example `extends: ./base.yaml`; a file that is extended may extend another one.',
    });
  }
  const parentPath = isAbsolute(parent.value) ? parent.value : join(dirname(path), parent.value);
  const open = [...chain.open, resolve(path)];
  if (open.includes(resolve(parentPath))) {
    return failure({
      code: 'extends-cycle',
      severity: 'error',
      message: 'The specs extend each other in a circle.',
      at: parent.at,
      expected: 'a spec that does not lead back to this one',
      got: [...open, resolve(parentPath)].map((one) => relative(process.cwd(), one)).join(' -> '),
      help: 'Remove extends from one of these files.',
    });
  }
  if (open.length >= longestChain) {
    return failure({
      code: 'not-allowed',
      severity: 'error',
      message: 'Too many specs extend one another.',
      at: parent.at,
      expected: `at most ${longestChain} files`,
      got: 'more',
      help: 'Write what these specs have in common into one file, and extend that.',
    });
  }
  const base = await readChain(parentPath, { ...chain, open });
  if (!base.ok) {
    // A file that cannot be read at all has no text to show: the mistake is where it is named.
    return failure(
      ...base.errors.map((error) =>
        error.at?.source.text === '' && error.at.source.name === parentPath
          ? { ...error, ...fromFolder(dirname(path), error), at: parent.at }
          : error,
      ),
    );
  }
  chain.extendedAt.set(base.value.source, parent.at);
  return success({ source, root: mergeSpecs(base.value.root, root) });
};

/** The name that was meant, as it is written in a file of the folder. */
const fromFolder = (folder: string, { nearest }: Diagnostic): Pick<Diagnostic, 'nearest' | 'help'> => {
  if (nearest === undefined) return {};
  const path = relative(folder, nearest);
  const written = path.startsWith('..') ? path : `./${path}`;
  return { nearest: written, help: `Did you mean ${written}? Write \`extends: ${writeValue(written)}\`.` };
};

const notAMapping = (root: Located, source: SourceText): Diagnostic => ({
  code: root.kind === 'scalar' && root.value === null ? 'file-empty' : 'wrong-type',
  severity: 'error',
  message: 'A spec is a mapping of keys to values.',
  at: root.at.end > 0 ? root.at : { source, start: 0, end: 1 },
  expected: 'lines such as `version: 1` and `model: { name: lstm }`',
  got:
    root.kind === 'list'
      ? 'a list'
      : root.kind === 'scalar' && root.value === null
        ? 'comments only'
        : 'a single value',
  help: 'Begin with a copy of one of the specs under experiments/; mind the space after each colon.',
});

/** Most bytes of a spec and those that it extends: 1 MiB. */
const maxFileBytes = 1024 * 1024;

/** A file's text, or why it cannot be a spec. Byte order marks are dropped. `path` is shown as it is written. */
const readSpecFile = async (path: string, budget: Chain['budget']): Promise<Result<SourceText>> => {
  const wrong = (diagnostic: Pick<Diagnostic, 'code' | 'message'> & Partial<Diagnostic>) =>
    failure({ severity: 'error', at: { source: { name: path, text: '' }, start: 0, end: 0 }, ...diagnostic });
  try {
    const state = await stat(path);
    if (state.isDirectory()) {
      const specs = await specsIn(path);
      return wrong({
        code: 'file-unreadable',
        message: 'This is a folder, not a spec.',
        expected: 'a YAML file',
        got: 'a folder',
        help: specs.length
          ? `Name one of its specs: ${specs.map((name) => join(path, name)).join(', ')}.`
          : 'Name a YAML file.',
      });
    }
    if (!state.isFile()) {
      return wrong({
        code: 'file-unreadable',
        message: `This is ${endlessFile(path) ?? 'something else'}, not a file.`,
        expected: 'a YAML file',
        got: endlessFile(path) ?? 'something else',
        help: 'Write the spec to a file and name that.',
      });
    }
    const before = maxFileBytes - budget.bytes;
    budget.bytes -= state.size;
    if (budget.bytes < 0) {
      return wrong({
        code: 'file-too-large',
        message:
          before === 0
            ? 'The file is too large to be a spec.'
            : 'The spec is too large, together with those that it extends.',
        expected: 'at most 1 MiB',
        got: `${((before + state.size) / maxFileBytes).toFixed(1)} MiB`,
        help: 'Give ranges such as { log: [1e-4, 1e-2], steps: 9 } in place of long lists of values.',
      });
    }
    return decode(path, readRegular(path), wrong);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      const near = nearest(basename(path), await specsIn(dirname(path)));
      return wrong({
        code: 'file-missing',
        message: 'The file does not exist.',
        expected: 'an existing YAML file',
        got: `no file ${path}`,
        ...(near && { nearest: join(dirname(path), near) }),
        help: near
          ? `Did you mean ${join(dirname(path), near)}?`
          : 'Check the path and the folder it starts from.',
      });
    }
    if (code === 'EACCES' || code === 'EPERM') {
      return wrong({
        code: 'file-unreadable',
        message: 'You have no permission to read the file.',
        expected: 'a file that you may read',
        got: code,
        help: `Allow it with: chmod u+r ${path}`,
      });
    }
    throw error;
  }
};

type Wrong = (diagnostic: Pick<Diagnostic, 'code' | 'message'> & Partial<Diagnostic>) => Result<never>;

const decode = (name: string, bytes: Buffer, wrong: Wrong): Result<SourceText> => {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return wrong({
      code: 'file-unreadable',
      message: 'The file is not a UTF-8 text.',
      expected: 'YAML, encoded as UTF-8',
      got: bytes.includes(0) ? 'binary data or another encoding such as UTF-16' : 'bytes of another encoding',
      help: 'Save the file as UTF-8.',
    });
  }
  if (text.includes('\0')) {
    return wrong({
      code: 'file-unreadable',
      message: 'The file is not text: it contains zero bytes.',
      expected: 'YAML, encoded as UTF-8',
      got: 'binary data',
      help: 'Name a YAML file.',
    });
  }
  if (text.trim() === '') {
    return wrong({
      code: 'file-empty',
      message: 'The file is empty.',
      expected: 'a spec that begins with version: 1',
      got: 'no content',
      help: 'Begin with a copy of one of the specs under experiments/.',
    });
  }
  return success({ name, text });
};

const specsIn = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => /\.ya?ml$/.test(name)).sort();
};

/**
 * Hides the secrets that a spec holds, so that no record of it has them: values whose key is named as secrets are, and
 * passwords in addresses. Under `tracking` that is enough; elsewhere a secret would become a part of the run's record,
 * which is an error.
 */
const hideNamedSecrets = (root: Located): readonly Diagnostic[] => {
  hideIn(root, '');
  return recordedSecrets(root);
};

const hideIn = (node: Located, key: string): void => {
  switch (node.kind) {
    case 'scalar':
      if (typeof node.value !== 'string') return;
      keepUserInfo(node.value);
      if (isSecretName(key)) hideSecret(node.value);
      return;
    case 'list':
      for (const item of node.items) hideIn(item, key);
      return;
    case 'map':
      for (const [name, { value }] of node.entries) hideIn(value, name);
  }
};

const recordedSecrets = (root: Located): readonly Diagnostic[] => {
  const found: Diagnostic[] = [];
  const visit = (node: Located, depth: number): void => {
    switch (node.kind) {
      case 'scalar':
        if (typeof node.value === 'string' && holdsSecret(node.value)) addDiagnostic(found, recordedAt(node));
        return;
      case 'list':
        for (const item of node.items) visit(item, depth + 1);
        return;
      case 'map':
        for (const [key, { value }] of node.entries)
          if (depth > 0 || key !== 'tracking') visit(value, depth + 1);
    }
  };
  visit(root, 0);
  return found;
};

const recordedAt = ({ at }: Located): Diagnostic => ({
  code: 'not-allowed',
  severity: 'error',
  message: 'This value is a secret, and the spec is recorded.',
  at,
  expected: 'a value that may be recorded with each run and sent to MLflow',
  got: 'a password, token or key',
  help: 'Remove it here. Code that needs it can read it from the environment.',
});
