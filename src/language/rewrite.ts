import { existsSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import {
  failed,
  failure,
  success,
  type Diagnostic,
  type Path,
  type Result,
  type SourceText,
  type SourceRange,
} from '../diagnostic/diagnostic.ts';
import { fileParameters, type Registry } from '../registry/rows.ts';
import { axisKinds } from './sweep/sweep.ts';
import {
  commandLine,
  find,
  formatPath,
  type Located,
  type LocatedEntry,
  type LocatedMap,
  type LocatedScalar,
  type SpecDocument,
} from './located.ts';
import { readYaml } from './read-yaml.ts';
import { isWeightsFile, trainingEnds } from './train-section.ts';
import { addDiagnostic } from '../diagnostic/most.ts';
import { nearest } from '../diagnostic/nearest.ts';
import { openVariables } from './spec-schema.ts';
import { userConfigPath } from './user-config.ts';

/** What the command line changes in a spec: the texts after `--set` and `--sweep`, in order. */
export interface Overrides {
  readonly set?: readonly string[];
  readonly sweep?: readonly string[];
}

/**
 * Applies `--set path=value` and `--sweep path=values`. The argument itself is the source text of what it sets, so a
 * mistake in it is shown in a frame of the command line.
 */
export const applyOverrides = (root: Located, { set = [], sweep = [] }: Overrides): Result<Located> => {
  const errors: Diagnostic[] = [];
  let merged = root;
  for (const text of set) {
    const one = readSet(text, merged);
    if (one.ok) merged = mergeSpecs(merged, one.value);
    else for (const error of one.errors) errors.push(error);
  }
  for (const text of sweep) {
    const one = readSweep(text);
    if (one.ok) merged = mergeSpecs(merged, one.value);
    else for (const error of one.errors) errors.push(error);
  }
  return errors.length ? failed(errors) : success(merged);
};

interface Assignment {
  readonly source: SourceText;
  readonly path: string;
  /** Offset of the path in the source text. */
  readonly pathStart: number;
  readonly value: string;
  readonly valueStart: number;
}

const readAssignment = (option: '--set' | '--sweep', text: string): Result<Assignment> => {
  const source = { name: commandLine, text: `${option} ${text}` };
  const pathStart = option.length + 1;
  const equals = text.indexOf('=');
  const path = (equals === -1 ? text : text.slice(0, equals)).trim();
  if (equals === -1 || path === '' || path.split('.').some((part) => part === '' || part === '__proto__')) {
    const example = option === '--set' ? 'optimizer.learningRate=1e-3' : 'optimizer.learningRate=1e-3,1e-2';
    return failure({
      code: 'bad-argument',
      severity: 'error',
      message: `${option} needs a path and a value.`,
      at: { source, start: pathStart, end: source.text.length },
      expected: option === '--set' ? 'path=value' : 'path=value,value,...',
      got: text === '' ? 'an empty string' : text,
      help: `Write for example ${option} ${example}.`,
    });
  }
  return success({
    source,
    path,
    pathStart: pathStart + text.indexOf(path),
    value: text.slice(equals + 1),
    valueStart: pathStart + equals + 1,
  });
};

const readValue = ({ source, value, valueStart }: Assignment, wrap: boolean): Result<Located> => {
  const shift = valueStart - (wrap ? 1 : 0);
  const read = readYaml({ source, text: wrap ? `[${value}]` : value, shift });
  if (read.ok) return read;
  return failure(
    ...read.errors.map((error) => ({
      ...error,
      code: error.code === 'yaml-syntax' ? ('bad-argument' as const) : error.code,
      message: error.code === 'yaml-syntax' ? `The value is not valid YAML. ${error.message}` : error.message,
    })),
  );
};

const readSet = (text: string, root: Located): Result<Located> => {
  const assignment = readAssignment('--set', text);
  if (!assignment.ok) return assignment;
  const { path, source, pathStart } = assignment.value;
  const axis = find(root, 'sweep', 'axes', path);
  if (axis) {
    return failure({
      code: 'conflict',
      severity: 'error',
      message: `${path} is an axis of the sweep, so setting it would change nothing.`,
      at: { source, start: pathStart, end: pathStart + path.length },
      expected: 'a path that no axis sets',
      got: path,
      related: [{ message: 'the axis', at: axis.at }],
      help: `Write --sweep ${path}=${assignment.value.value} to replace the axis.`,
    });
  }
  const value = readValue(assignment.value, false);
  if (!value.ok) return value;
  if (assignment.value.value.trim() === '') {
    return failure({
      code: 'bad-argument',
      severity: 'error',
      message: `--set ${path} has no value.`,
      at: { source, start: pathStart, end: source.text.length },
      expected: 'a value after the =',
      got: 'nothing',
      help: `Write ${path}=null to remove the value of the file.`,
    });
  }
  const prefix = /^sweep\.axes\./.exec(path)?.[0];
  const keys = prefix === undefined ? path.split('.') : ['sweep', 'axes', path.slice(prefix.length)];
  return success(nest(assignment.value, keys, value.value));
};

const readSweep = (text: string): Result<Located> => {
  const assignment = readAssignment('--sweep', text);
  if (!assignment.ok) return assignment;
  const read = readValue(assignment.value, true);
  if (!read.ok) return read;
  const [only, ...more] = read.value.kind === 'list' ? read.value.items : [];
  const { source, path, valueStart } = assignment.value;
  const isExpression =
    only !== undefined &&
    more.length === 0 &&
    (only.kind === 'list' || (only.kind === 'map' && axisKinds.some((kind) => only.entries.has(kind))));
  // The brackets around the values are not on the command line.
  const list = { ...read.value, at: { source, start: valueStart, end: source.text.length } };
  return success(nest(assignment.value, ['sweep', 'axes', path], isExpression ? only : list));
};

/** A tree that holds `value` at `keys`; each key's place is its part of the argument. */
const nest = (
  { source, path, pathStart }: Assignment,
  keys: readonly string[],
  value: Located,
): LocatedMap => {
  const whole = { source, start: pathStart, end: source.text.length };
  let inner = value;
  let end = pathStart + path.length;
  for (const key of [...keys].reverse()) {
    const start = Math.max(pathStart, end - key.length);
    const range = path.endsWith(key) || path.includes(`${key}.`) ? { source, start, end } : whole;
    const entry: LocatedEntry = { key: range, value: inner };
    inner = {
      kind: 'map',
      entries: new Map([[key, entry]]),
      at: { source, start: pathStart, end: whole.end },
    };
    end = Math.max(pathStart, start - 1);
  }
  return inner as LocatedMap;
};

/**
 * Lays a spec over the one it extends. Mappings are merged key by key, everything else is replaced: lists as a whole,
 * and the values of a sweep axis as a whole. `null` deletes the parent's value. The three ways to give the length of a
 * training (steps, epochs, trainingIters) replace each other: naming one drops the inherited ones.
 */
export const mergeSpecs = (parent: Located, child: Located): Located => mergeAt(parent, child, []);

const mergeAt = (parent: Located | undefined, child: Located, path: Path): Located => {
  if (child.kind !== 'map') return child;
  const under = parent?.kind === 'map' && !replacedWhole(path) ? parent : undefined;
  const entries = new Map<string, LocatedEntry>(under?.entries);
  if (formatPath(path) === 'train') dropOtherEnds(entries, child);
  for (const [key, entry] of child.entries) {
    if (entry.value.kind === 'scalar' && entry.value.value === null) entries.delete(key);
    else {
      const merged = mergeAt(under?.entries.get(key)?.value, entry.value, [...path, key]);
      entries.set(key, { key: entry.key, value: merged });
    }
  }
  return { kind: 'map', entries, at: child.at };
};

const replacedWhole = (path: Path): boolean => path.length === 3 && path[0] === 'sweep' && path[1] === 'axes';

const dropOtherEnds = (entries: Map<string, LocatedEntry>, child: LocatedMap): void => {
  const names = trainingEnds.filter((name) => {
    const entry = child.entries.get(name);
    return entry !== undefined && !(entry.value.kind === 'scalar' && entry.value.value === null);
  });
  if (names.length > 0) for (const name of trainingEnds) entries.delete(name);
};

/** The variables a spec may use, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment, and the names in it that the user has allowed for specs. */
export interface VariableSource {
  readonly environment: Environment;
  readonly allowed: readonly string[];
}

const variable = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]{0,4096}))?\}/g;

/**
 * Replaces `${NAME}` and `${NAME:-default}` in strings under `tracking`. Anywhere else a variable is an error: it would
 * change what a run computes without a trace in the spec. A spec is written by anybody and its tags are sent to a server,
 * so it reads only the open variables and those that the user has allowed.
 */
export const interpolate = (
  root: Located,
  { environment, allowed }: VariableSource,
  errors: Diagnostic[],
): Located =>
  replaceScalars(root, false, (scalar, inTracking) => {
    if (typeof scalar.value !== 'string' || !scalar.value.includes('${')) return scalar;
    const { at, value } = scalar;
    if (!inTracking) {
      if (new RegExp(variable.source).test(value)) {
        addDiagnostic(errors, {
          code: 'environment-variable',
          severity: 'error',
          message: 'Environment variables are allowed only under tracking.',
          at,
          expected: 'a value, since what a run computes must be readable from its spec',
          got: value,
          help:
            at.source.name === commandLine
              ? 'Write the value itself. A shell fills in a variable that is not in single quotes.'
              : 'Write the value here, or give it on the command line with --set.',
        });
      }
      return scalar;
    }
    const replaced = value.replace(variable, (whole, name: string, fallback: string | undefined) => {
      if (!(openVariables as readonly string[]).includes(name) && !allowed.includes(name)) {
        addDiagnostic(errors, notAllowed(name, at));
        return whole;
      }
      const found = environment[name] === '' ? fallback : (environment[name] ?? fallback);
      if (found !== undefined) return found;
      const near = nearest(name, Object.keys(environment));
      addDiagnostic(errors, {
        code: 'environment-variable',
        severity: 'error',
        message: `The variable ${name} is not set in the environment.`,
        at,
        expected: `${name} to be set`,
        got: environment[name] === '' ? 'an empty string' : 'no such variable',
        ...(near !== undefined && { nearest: near }),
        help: `Set it before the command (${name}=... unroll ...), or give a default here: \${${name}:-value}.`,
      });
      return whole;
    });
    return { ...scalar, value: replaced };
  });

const notAllowed = (name: string, at: SourceRange): Diagnostic => ({
  code: 'environment-variable',
  severity: 'error',
  message: `The spec reads the variable ${name}, which you have not allowed.`,
  at,
  expected: `${openVariables.join(', ')}, or a variable that you allow`,
  got: name,
  help: `If this spec may read and send it, add --allow-variable ${name}, or list it under variables in ${userConfigPath()}.`,
});

type Replace = (scalar: LocatedScalar, inTracking: boolean) => LocatedScalar;

/** The same node where nothing is replaced: most specs have no variables. */
const replaceScalars = (node: Located, inTracking: boolean, replace: Replace, depth = 0): Located => {
  switch (node.kind) {
    case 'scalar':
      return replace(node, inTracking);
    case 'list': {
      const items = node.items.map((item) => replaceScalars(item, inTracking, replace, depth + 1));
      return items.some((item, index) => item !== node.items[index]) ? { ...node, items } : node;
    }
    case 'map': {
      const changed: [string, LocatedEntry][] = [];
      for (const [key, entry] of node.entries) {
        const inside = inTracking || (depth === 0 && key === 'tracking');
        const value = replaceScalars(entry.value, inside, replace, depth + 1);
        if (value !== entry.value) changed.push([key, { ...entry, value }]);
      }
      return changed.length === 0 ? node : { ...node, entries: new Map([...node.entries, ...changed]) };
    }
  }
};

/**
 * The document with the paths of data files from the folder of the spec. A relative path starts at the folder of the file
 * that contains it, which may be an extended one, or at the working directory if it is on the command line. If there is
 * no such file but one at the same path from the folder of the spec, that one is used.
 */
export const withDataPaths = (document: SpecDocument, registry: Registry): SpecDocument => {
  const parameters = new Set(Object.keys(registry.dataset).flatMap((name) => fileParameters(registry, name)));
  const folderOf = ({ name }: SourceText): string => (name === commandLine ? '.' : dirname(name));
  const extended = new Set(document.extendedAt.keys());

  const fromSpec = (path: string, source: SourceText): string => {
    if (isAbsolute(path) || (source.name !== commandLine && !extended.has(source))) return path;
    const meant = resolve(folderOf(source), path);
    if (!existsSync(meant) && existsSync(resolve(document.baseDirectory, path))) return path;
    return relative(document.baseDirectory, meant).split(sep).join('/');
  };

  /** Below `isPath`, every string is a path. */
  const visit = (node: Located, isPath: boolean): Located => {
    switch (node.kind) {
      case 'scalar':
        return isPath && typeof node.value === 'string' && node.value !== ''
          ? { ...node, value: fromSpec(node.value, node.at.source) }
          : node;
      case 'list':
        return { ...node, items: node.items.map((item) => visit(item, isPath)) };
      case 'map':
        return mapEntries(node, (key, value) => visit(value, isPath || parameters.has(key)));
    }
  };

  /** A sweep names a path as `dataset.file`, or as `file` below `dataset`. */
  const visitSweep = (node: Located): Located => {
    switch (node.kind) {
      case 'scalar':
        return node;
      case 'list':
        return { ...node, items: node.items.map(visitSweep) };
      case 'map':
        return mapEntries(node, (key, value) => {
          if (key === 'dataset') return visit(value, false);
          if (key === 'model') return visitModel(value);
          if (key === 'model.embedding') return visitEmbedding(value);
          const isPath =
            (key.startsWith('dataset.') && parameters.has(key.slice('dataset.'.length))) ||
            (key.startsWith('model.embedding.') && vectorPaths.has(key.slice('model.embedding.'.length)));
          return isPath ? visit(value, true) : visitSweep(value);
        });
    }
  };

  /** `train.from` is a path only if it ends as one. */
  const visitWeights = (node: Located): Located => {
    if (node.kind === 'list') return { ...node, items: node.items.map(visitWeights) };
    return visit(node, node.kind === 'scalar' && isWeightsFile(node.value));
  };
  const visitTrain = (node: Located): Located =>
    node.kind === 'map'
      ? mapEntries(node, (key, value) => (key === 'from' ? visitWeights(value) : value))
      : node;

  /** The embedding of a model, where it is not only a size. */
  const visitEmbedding = (node: Located): Located => {
    if (node.kind === 'list') return { ...node, items: node.items.map(visitEmbedding) };
    if (node.kind === 'scalar') return node;
    return mapEntries(node, (key, value) =>
      vectorPaths.has(key) ? visit(value, true) : visitEmbedding(value),
    );
  };
  const visitModel = (node: Located): Located =>
    node.kind === 'map'
      ? mapEntries(node, (key, value) => (key === 'embedding' ? visitEmbedding(value) : value))
      : node;

  const root = mapEntries(document.root, (key, value) => {
    if (key === 'dataset') return visit(value, false);
    if (key === 'model') return visitModel(value);
    if (key === 'train') return visitTrain(value);
    return key === 'sweep' ? visitSweep(value) : value;
  });
  return { ...document, root };
};

/** The keys of `model.embedding` that are paths. */
const vectorPaths: ReadonlySet<string> = new Set(['file', 'tokens']);

const mapEntries = (node: LocatedMap, change: (key: string, value: Located) => Located): LocatedMap => ({
  ...node,
  entries: new Map(
    [...node.entries].map(([key, entry]) => [key, { ...entry, value: change(key, entry.value) }]),
  ),
});
