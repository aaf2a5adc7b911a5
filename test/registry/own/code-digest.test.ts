import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { findConfig } from '../../../src/registry/own/find-config.ts';
import { loadPlugins } from '../../../src/registry/own/load-plugins.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

beforeEach(() => vi.stubEnv('UNROLL_CACHE', temporaryDirectory('cache')));

const files = {
  'unroll.config.ts': `import { one } from './one.ts';\nimport two from './two.mjs';\nexport default { models: [one, two] };\n`,
  'one.ts': `import { width } from './shared.ts';\nexport const one = { name: 'one', parameters: {}, build: async () => (await import('./network.ts')).network(width as number) };\n`,
  'two.mjs': `import { readFileSync } from 'node:fs';\nconst title = readFileSync(new URL('title.txt', import.meta.url), 'utf8');\nexport default { name: 'two', title, parameters: {}, build: () => ({}) };\n`,
  'shared.ts': `export const width: number = 8;\n`,
  'network.ts': `export const network = (width: number) => ({ forward: () => width });\n`,
  'title.txt': 'Two',
};

const project = (): { readonly folder: string; readonly write: (name: string, text: string) => void } => {
  const folder = temporaryDirectory();
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  for (const [name, text] of Object.entries(files)) write(name, text);
  return { folder, write };
};

const digestsOf = async (folder: string) => {
  const loaded = await loadPlugins(folder);
  if (!loaded.ok) throw new Error(loaded.errors[0]?.message);
  const { one, two } = loaded.value.registry.model;
  return { one: one?.origin?.digest, two: two?.origin?.digest, title: two?.title };
};

it('a row has the digest of its module and of all that it imports, at once or later, and of nothing else', async () => {
  const { folder, write } = project();
  const before = await digestsOf(folder);
  expect(before.one).toMatch(/^[0-9a-f]{64}$/);
  for (const [name, text] of [
    ['shared.ts', files['shared.ts'].replace('8', '9')],
    ['network.ts', files['network.ts'].replace('width })', 'width + 1 })')],
  ] as const) {
    write(name, text);
    const after = await digestsOf(folder);
    expect(after.one, name).not.toBe(before.one);
    expect(after.two, name).toBe(before.two);
    write(name, files[name]);
  }
  expect(await digestsOf(folder)).toEqual(before);
});

it('a row made in the config itself has the digest of the whole config', async () => {
  const { folder, write } = project();
  write(
    'unroll.config.ts',
    `import { one } from './one.ts';\nexport default { models: [one, { ...one, name: 'two' }] };\n`,
  );
  const { two } = await digestsOf(folder);
  write('shared.ts', files['shared.ts'].replace('8', '9'));
  expect((await digestsOf(folder)).two).not.toBe(two);
});

it('a module finds the files beside it', async () => {
  expect((await digestsOf(project().folder)).title).toBe('Two');
});

it('the place of a project on the disk has no influence', async () => {
  const [here, there] = [await digestsOf(project().folder), await digestsOf(project().folder)];
  expect(there).toEqual(here);
});

it('the nearest config counts, as far up as the working directory', () => {
  const { folder } = project();
  const inside = join(folder, 'specs', 'deep');
  expect(findConfig(inside, folder)).toBe(join(folder, 'unroll.config.ts'));
  expect(findConfig(inside, join(folder, 'specs')), 'above the working directory').toBeUndefined();
  expect(findConfig(folder, join(folder, 'specs')), 'beside a spec elsewhere').toBe(
    join(folder, 'unroll.config.ts'),
  );
});
