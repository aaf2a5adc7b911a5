import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/system/package-root.ts';

const dist = join(packageRoot, 'dist');
const statements = /\b(?:import|export)\s*(?:\{[^{}]*\}\s*from\s*)?"\.\/([^"/]+)"/g;

/** The files that a program of dist/ loads before its first line. */
const loadedBy = (file: string, known = new Set<string>()): ReadonlySet<string> => {
  if (known.has(file)) return known;
  known.add(file);
  for (const [, next = ''] of readFileSync(join(dist, file), 'utf8').matchAll(statements))
    loadedBy(next, known);
  return known;
};

const commandFile = (name: string): string => {
  const [file = ''] = [...readFileSync(join(dist, 'main.js'), 'utf8').matchAll(/import\("\.\/([^"]+)"\)/g)]
    .map(([, path = '']) => path)
    .filter((path) => path.startsWith(`${name}-`));
  return file;
};

test.each([
  ['the help', ['main.js'], 20],
  ['validate', ['main.js', commandFile('validate')], 30],
  ['predict', ['main.js', commandFile('predict')], 30],
  ['a training process', ['child.js'], 20],
])('%s starts from few files', (_, entries, most) => {
  const files = new Set(entries.flatMap((entry) => [...loadedBy(entry)]));
  expect(files.size).toBeGreaterThan(entries.length);
  expect(files.size).toBeLessThanOrEqual(most);
});

test('every file that one of dist/ imports is there', () => {
  for (const file of readdirSync(dist).filter((name) => name.endsWith('.js')))
    for (const [, next = ''] of readFileSync(join(dist, file), 'utf8').matchAll(statements))
      expect(existsSync(join(dist, next)), `${file} loads ${next}`).toBe(true);
});
