import type { Path, SourceRange, SourceText } from '../diagnostic/diagnostic.ts';
import type { Json } from '../system/json.ts';

/** The name of the source text that is the command line. */
export const commandLine = 'command line';

/** A value of a spec with the place where it is written. */
export type Located = LocatedScalar | LocatedList | LocatedMap;

export interface LocatedScalar {
  readonly kind: 'scalar';
  readonly value: null | boolean | number | string;
  readonly at: SourceRange;
}

export interface LocatedList {
  readonly kind: 'list';
  readonly items: readonly Located[];
  readonly at: SourceRange;
}

export interface LocatedMap {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, LocatedEntry>;
  readonly at: SourceRange;
}

export interface LocatedEntry {
  readonly key: SourceRange;
  readonly value: Located;
}

/** A spec as it was written, with everything it extends and what the command line changes; not yet validated. */
export interface SpecDocument {
  readonly path: string;
  readonly text: string;
  /** Absolute: where relative paths of the spec begin. */
  readonly baseDirectory: string;
  readonly root: LocatedMap;
  /** Where each extended file is named, for messages about its content. */
  readonly extendedAt: ReadonlyMap<SourceText, SourceRange>;
}

/** `model.hiddenSize`, `sweep.zip[0]`; keys that hold a dot are quoted. */
export const formatPath = (path: Path): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const key = part.includes('.') ? JSON.stringify(part) : part;
    return text === '' ? key : `${text}.${key}`;
  }, '');

/** The plain JSON value, without places. */
export const toJson = (located: Located): Json => {
  switch (located.kind) {
    case 'scalar':
      return located.value;
    case 'list':
      return located.items.map(toJson);
    case 'map':
      return Object.fromEntries(jsonEntries(located));
  }
};

const jsonEntries = function* ({ entries }: LocatedMap): Generator<[string, Json]> {
  for (const [key, { value }] of entries) yield [key, toJson(value)];
};

/** The place of a path: `value` and, inside of a mapping, `key`. */
export interface Place {
  readonly value: SourceRange;
  readonly key: SourceRange;
  /** False when the path is not written and this is the nearest enclosing place that is. */
  readonly exact: boolean;
  readonly node: Located;
}

/** Follows a path as far as it is written. */
export const locate = (root: Located, path: Path): Place => {
  let place: Place = { value: root.at, key: root.at, exact: true, node: root };
  for (const part of path) {
    const { node } = place;
    if (node.kind === 'map' && typeof part === 'string') {
      const entry = node.entries.get(part);
      if (!entry) return { ...place, exact: false };
      place = { value: entry.value.at, key: entry.key, exact: true, node: entry.value };
    } else if (node.kind === 'list' && typeof part === 'number') {
      const item = node.items[part];
      if (!item) return { ...place, exact: false };
      place = { value: item.at, key: item.at, exact: true, node: item };
    } else {
      return { ...place, exact: false };
    }
  }
  return place;
};

/** The value at a path of keys, or undefined where it is not written. */
export const find = (root: Located, ...path: Path): Located | undefined => {
  const place = locate(root, path);
  return place.exact ? place.node : undefined;
};

/** A part of a source text that is read as YAML; `shift` is where the part begins in the source. */
export interface YamlPart {
  readonly source: SourceText;
  readonly text: string;
  readonly shift: number;
}
