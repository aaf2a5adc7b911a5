import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { renderDiagnostics } from '../../src/diagnostic/render.ts';
import { registry, type Registry } from '../../src/registry/rows.ts';
import { loadSpec, type LoadOptions } from '../../src/language/load-spec.ts';
import { unrollSpec } from '../../src/plan/unroll-spec.ts';
import { validateSpec } from '../../src/language/validate-spec.ts';
import { testRegistry } from '../support/registry.ts';

const folder = 'test/corpus';
const ownData = join(folder, 'own-data');
const scratch = mkdtempSync(join(tmpdir(), 'unroll-corpus-'));
afterAll(() => rmSync(scratch, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

/** Everything that is said of a spec: its errors, or the warnings and notices of its plan. */
const messages = async (
  path: string,
  { registry = testRegistry, ...options }: LoadOptions & { registry?: Registry } = {},
): Promise<string> => {
  const document = await loadSpec(path, {
    environment: { MLFLOW_TRACKING_URL: 'http://localhost' },
    ...options,
  });
  if (!document.ok) return renderDiagnostics(document.errors);
  const spec = validateSpec(document.value, registry);
  if (!spec.ok) return renderDiagnostics(spec.errors);
  const plan = await unrollSpec(spec.value, { cores: 2 });
  return renderDiagnostics(plan.ok ? [...spec.notices, ...plan.notices] : plan.errors);
};

const compare = (said: string, golden: string): void => {
  const text = `${stripVTControlCharacters(said).replaceAll(scratch, '<scratch>')}\n`;
  if (process.env['UPDATE_GOLDEN']) writeFileSync(golden, text);
  expect(existsSync(golden), `${golden} is missing; write it with UPDATE_GOLDEN=1`).toBe(true);
  expect(text).toBe(readFileSync(golden, 'utf8'));
};

/** That each message has a place, the reason and a correct form. */
const expectWhole = (said: string): void => {
  for (const message of stripVTControlCharacters(said).split(/\n\n(?=\S)/)) {
    expect(message, 'a place: file:line:column, or the argument').toMatch(
      /^(test\/corpus\/|command line:)\S*:?\S*/,
    );
    expect(message, 'a position').toMatch(/^.*:\d+:\d+ (error|warning|notice) \[[a-z-]+\] /);
    // A file that is no text has no line to show.
    if (!/\[file-(empty|unreadable)\] The file/.test(message))
      expect(message, 'a frame').toMatch(/\n {2}\d+ \| .*\n {2} *\| *~+/);
    expect(message, 'expected').toContain('\n  expected: ');
    expect(message, 'got').toContain('\n  got:      ');
    expect(message, 'help').toContain('\n  help:     ');
    expect(message, 'no stack trace').not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  }
};

/** A comment in the first line, `# unroll plan FILE --set ...`, may give options of the command line. */
const optionsOf = (path: string): LoadOptions => {
  const line = /^# unroll plan FILE (.*)$/m.exec(readFileSync(path, 'latin1'))?.[1] ?? '';
  const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
  const after = (option: string) => words.filter((_, index) => words[index - 1] === option);
  return { set: after('--set'), sweep: after('--sweep') };
};

const specsIn = (folder: string) =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.yaml'))
    .map(({ name }) => name);

const files = specsIn(folder);

describe('each wrong spec is told what is wrong and how to mend it', () => {
  it.each(files)('%s', async (name) => {
    const path = join(folder, name);
    const said = await messages(path, optionsOf(path));
    compare(said, path.replace(/\.yaml$/, '.txt'));
    expectWhole(said);
  });
});

describe("each mistake in a person's own data and its parameters is told in the same way", () => {
  it.each(specsIn(ownData))('%s', async (name) => {
    vi.stubEnv('UNROLL_CACHE', join(scratch, 'cache'));
    const path = join(ownData, name);
    const said = await messages(path, { registry });
    compare(said, path.replace(/\.yaml$/, '.txt'));
    expectWhole(said);
    expect(said).toContain(' error ');
  });
});

describe('what is no file to read', () => {
  const cases: Readonly<Record<string, () => Promise<string>>> = {
    'missing-file': () => messages(join(folder, 'unknwon-model.yaml')),
    'missing-folder': () => messages(join(folder, 'nowhere/spec.yaml')),
    'a-folder': () => messages(join(folder, 'parents')),
    'too-large': () => {
      const path = join(scratch, 'large.yaml');
      writeFileSync(path, '# long\n'.repeat(200_000));
      return messages(path);
    },
    'no-permission': () => {
      const path = join(scratch, 'secret.yaml');
      writeFileSync(path, 'version: 1\n');
      chmodSync(path, 0o000);
      return messages(path);
    },
  };
  // Whoever may read everything cannot be told that a file is forbidden.
  const isRoot = process.getuid?.() === 0;
  it.each(Object.keys(cases).filter((name) => !isRoot || name !== 'no-permission'))('%s', async (name) => {
    const said = await (cases[name]?.() ?? '');
    compare(said, join(folder, `${name}.txt`));
    expect(said).toMatch(/\[file-(missing|unreadable|too-large)\]/);
  });
});

it('has a golden text for each spec and nothing besides', () => {
  const texts = readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .map((name) => name.replace(/\.txt$/, ''));
  const known = [
    ...files.map((name) => name.replace(/\.yaml$/, '')),
    'missing-file',
    'missing-folder',
    'a-folder',
    'too-large',
    'no-permission',
  ];
  expect(texts.filter((name) => !known.includes(name))).toEqual([]);
  expect(files.length).toBeGreaterThanOrEqual(60);
});
