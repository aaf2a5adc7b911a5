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
import { hideNamedSecrets } from './hide-secrets.ts';
import { readUserConfig } from './user-config.ts';
import { interpolate, type Environment } from './environment.ts';
import { writeValue } from './describe.ts';
import { find, type Located, type LocatedMap } from './located.ts';
import { mergeSpecs } from './merge.ts';
import { applyOverrides, type Overrides } from './overrides.ts';
import { readSpecFile } from './read-file.ts';
import { readYaml } from './read-yaml.ts';

/** A spec as it was written, with everything it extends and what the command line changes; not yet validated. */
export interface SpecDocument {
  readonly path: string;
  readonly text: string;
  /** Absolute: where relative paths of the spec begin. */
  readonly baseDirectory: string;
  readonly root: LocatedMap;
  /** Where each extended file is named, for messages about what stands in it. */
  readonly extendedAt: ReadonlyMap<SourceText, SourceRange>;
}

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
  const read = await readChain(path, { extendedAt, open: [] });
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

/** The document of a text that is in no file, without `extends`; `path` is where it would lie. */
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
}

const readChain = async (
  path: string,
  chain: Chain,
): Promise<Result<{ source: SourceText; root: Located }>> => {
  const file = await readSpecFile(path);
  if (!file.ok) return file;
  const source = file.value;
  const read = readYaml({ source, text: source.text, shift: 0 });
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
        : 'one text',
  help: 'Begin with a copy of one of the specs under experiments/; mind the space after each colon.',
});
