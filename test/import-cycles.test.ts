import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
  .map((name) => `src/${name}`);

/** What a file imports of src, types and imports at run time included. */
const importsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+\.ts)'/g)].map(([, path = '']) =>
    join(dirname(file), path),
  );

const imports = new Map(files.map((file) => [file, importsOf(file)]));

/** All files that are reached by following imports from a file. */
const reachedFrom = (file: string): ReadonlySet<string> => {
  const reached = new Set<string>();
  const visit = (path: string) => {
    for (const next of imports.get(path) ?? []) {
      if (reached.has(next)) continue;
      reached.add(next);
      visit(next);
    }
  };
  visit(file);
  return reached;
};

it('no file of src imports itself through others, type imports included', () => {
  expect(files.filter((file) => reachedFrom(file).has(file))).toEqual([]);
});
