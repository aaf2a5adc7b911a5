import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, type Node } from 'yaml';
import { specSchema } from '../../src/language/spec-schema.ts';
import { trainSchema } from '../../src/language/train-section.ts';
import { namedSections, registry } from '../../src/registry/rows.ts';

/**
 * Every key of a spec has a wrong value in the corpus. The keys come from the schemas, so a new key fails here until it
 * has one; the goldens are compared with what is reported by `corpus.test.ts`.
 */

/** The part of a schema that lists its keys. */
interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly items?: Schema;
}

/** A key; `*` is any key or index. */
interface Key {
  readonly path: readonly string[];
  /** Entries that share a key share its schema. */
  readonly schema: string;
}

const keysOf = (schema: Schema, path: readonly string[] = []): readonly Key[] => {
  const inside = Object.entries(schema.properties ?? {}).flatMap(([name, one]) => [
    { path: [...path, name], schema: JSON.stringify(one) },
    ...keysOf(one, [...path, name]),
  ]);
  const anyKey = schema.additionalProperties;
  const isSchema = typeof anyKey === 'object' && anyKey !== null;
  return [
    ...inside,
    ...(schema.items ? keysOf(schema.items, [...path, '*']) : []),
    ...(isSchema ? keysOf(anyKey, [...path, '*']) : []),
  ];
};

/** Where a spec of the corpus is wrong: the path of the key, and the entries that its sections name. */
interface Mistake {
  readonly path: readonly string[];
  readonly names: Readonly<Record<string, unknown>>;
}

const folders = ['load', 'validate', 'unroll', 'data'].map((stage) => join('test/corpus', stage));

/** The other folders are checked with the entries of `test/support/registry.ts`; losses are the same everywhere. */
const hasRealEntry = (file: string, section: string): boolean =>
  section === 'loss' || file.startsWith('test/corpus/data/');

const mistakesIn = (golden: string): readonly Mistake[] =>
  [...golden.matchAll(/^(test\/corpus\/\S+?):(\d+):(\d+) (?:error|warning) \[/gm)].flatMap(
    ([, file = '', line, column]) => {
      // A file may be the mistake: it is missing, or a folder.
      if (!file.endsWith('.yaml') || !existsSync(file)) return [];
      const lines = new LineCounter();
      const document = parseDocument(readFileSync(file, 'utf8'), { lineCounter: lines });
      const offset = (lines.lineStarts[Number(line) - 1] ?? 0) + Number(column) - 1;
      const path = pathAt(document.contents, offset);
      const names = Object.fromEntries(
        namedSections.flatMap((section) => {
          const name = document.getIn([section, 'name']);
          return hasRealEntry(file, section) && name !== undefined ? [[section, name] as const] : [];
        }),
      );
      return path.length > 0 ? [{ path, names }] : [];
    },
  );

const pathAt = (node: unknown, offset: number): readonly string[] => {
  if (isMap(node)) {
    for (const pair of node.items) {
      if (!isPair(pair) || !isScalar(pair.key)) continue;
      const key = String(pair.key.value);
      if (contains(pair.key, offset)) return [key];
      if (contains(pair.value as Node | null, offset)) return [key, ...pathAt(pair.value, offset)];
    }
  }
  if (isSeq(node)) {
    const at = node.items.findIndex((item) => contains(item as Node | null, offset));
    if (at >= 0) return [String(at), ...pathAt(node.items[at], offset)];
  }
  return [];
};

const contains = (node: Node | null, offset: number): boolean => {
  const [start = 0, end = 0] = node?.range ?? [];
  return start <= offset && offset < Math.max(end, start + 1);
};

const mistakes = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .flatMap((name) => mistakesIn(readFileSync(join(folder, name), 'utf8'))),
);

const isAt = (key: readonly string[], mistake: readonly string[]): boolean =>
  key.every((part, at) => at < mistake.length && (part === '*' || part === mistake[at]));

it.each(namedSections)('the corpus has a wrong value of every parameter of %s', (section) => {
  const keys = new Map<string, { readonly path: string; readonly names: string[] }>();
  const found = new Set<string>();
  for (const [name, { parameters }] of Object.entries(registry[section])) {
    for (const { path, schema } of keysOf(parameters as Schema)) {
      const shown = path.join('.');
      const id = `${shown} ${schema}`;
      const key = keys.get(id) ?? { path: shown, names: [] };
      keys.set(id, key);
      key.names.push(name);
      if (mistakes.some((one) => one.names[section] === name && isAt([section, ...path], one.path)))
        found.add(id);
    }
  }
  const lacking = [...keys]
    .filter(([id]) => !found.has(id))
    .map(([, { path, names }]) => `${path} of ${names.join(', ')}`);
  expect(lacking, 'add a spec with a wrong value to test/corpus/data').toEqual([]);
});

it('the corpus has a wrong value of every other key of a spec', () => {
  const others = Object.entries(specSchema.properties).filter(
    ([name]) => !namedSections.some((section) => section === name),
  );
  const keys = [
    ...keysOf({ properties: Object.fromEntries(others) as Record<string, Schema> }),
    ...keysOf(trainSchema as Schema, ['train']),
  ];
  const lacking = keys.filter(({ path }) => !mistakes.some((one) => isAt(path, one.path)));
  expect(
    lacking.map(({ path }) => path.join('.')),
    'add a spec with a wrong value to test/corpus/validate',
  ).toEqual([]);
});
