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
import { basename, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { renderDiagnostics } from '../../src/diagnostic/render.ts';
import { registry, type Registry } from '../../src/registry/rows.ts';
import type { LoadOptions } from '../../src/language/load-spec.ts';
import { testRegistry } from '../support/registry.ts';
import { diagnose, optionsOf, type Stage, stages } from '../support/wrong-specs.ts';

/** Wrong specs, each in the folder of the stage that reports it, beside the golden text of its messages. */
const corpus = 'test/corpus';

const scratch = mkdtempSync(join(tmpdir(), 'unroll-corpus-'));
afterAll(() => rmSync(scratch, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

interface Reported {
  readonly stage: Stage;
  readonly text: string;
}

const report = async (
  path: string,
  { registry = testRegistry, ...options }: LoadOptions & { registry?: Registry } = {},
): Promise<Reported> => {
  const { stage, diagnostics } = await diagnose(path, registry, options);
  return { stage, text: renderDiagnostics(diagnostics) };
};

const compare = (said: string, golden: string): void => {
  const plain = stripVTControlCharacters(said);
  const text = `${plain.replaceAll(scratch, '<scratch>').replaceAll(process.cwd(), '<project>')}\n`;
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

const namesIn = (folder: string, suffix: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(suffix))
    .map(({ name }) => name.slice(0, -suffix.length));

const specsOf = (stage: Stage): string[] =>
  namesIn(join(corpus, stage), '.yaml').map((name) => join(corpus, stage, `${name}.yaml`));

const goldenOf = (path: string): string => path.replace(/\.yaml$/, '.txt');

describe.each(['load', 'validate', 'unroll'] as const)('wrong specs that %s reports', (stage) => {
  it.each(specsOf(stage))('%s', async (path) => {
    const reported = await report(path, optionsOf(path));
    expect(
      reported.stage,
      `the stage that reports it: move both files to ${join(corpus, reported.stage)}/`,
    ).toBe(stage);
    compare(reported.text, goldenOf(path));
    expectWhole(reported.text);
  });
});

describe("mistakes in the user's own data and its parameters", () => {
  it.each(specsOf('data'))('%s', async (path) => {
    vi.stubEnv('UNROLL_CACHE', join(scratch, 'cache'));
    const { text } = await report(path, { registry });
    compare(text, goldenOf(path));
    expectWhole(text);
    expect(text).toMatch(/ (error|warning) /);
  });
});

/** Files that no repository can hold. */
const unreadable: Readonly<Record<string, () => Promise<Reported>>> = {
  'missing-file': () => report(join(corpus, 'validate', 'unknwon-model.yaml')),
  'missing-folder': () => report(join(corpus, 'nowhere', 'spec.yaml')),
  'a-folder': () => report(join(corpus, 'load', 'parents')),
  'too-large': () => {
    const path = join(scratch, 'large.yaml');
    writeFileSync(path, '# long\n'.repeat(200_000));
    return report(path);
  },
  'no-permission': () => {
    const path = join(scratch, 'secret.yaml');
    writeFileSync(path, 'version: 1\n');
    chmodSync(path, 0o000);
    return report(path);
  },
};

describe('files that cannot be read', () => {
  // Root may read every file.
  const isRoot = process.getuid?.() === 0;
  it.each(Object.keys(unreadable).filter((name) => !isRoot || name !== 'no-permission'))(
    '%s',
    async (name) => {
      const { stage, text } = await (unreadable[name]?.() ?? { stage: 'data', text: '' });
      expect(stage).toBe('load');
      compare(text, join(corpus, 'load', `${name}.txt`));
      expect(text).toMatch(/\[file-(missing|unreadable|too-large)\]/);
    },
  );
});

it('has each file in the folder of a stage, and a spec for each golden text', () => {
  const flat = readdirSync(corpus, { withFileTypes: true }).filter((entry) => !entry.isDirectory());
  expect(
    flat.map(({ name }) => name),
    `move these into ${corpus}/<stage>/, the stage that reports the mistake: ${stages.join(', ')}`,
  ).toEqual([]);
  expect(readdirSync(corpus).sort()).toEqual([...stages].sort());
  for (const stage of stages) {
    const specs = specsOf(stage).map((path) => basename(path, '.yaml'));
    const known = stage === 'load' ? [...specs, ...Object.keys(unreadable)] : specs;
    expect(namesIn(join(corpus, stage), '.txt').filter((name) => !known.includes(name))).toEqual([]);
  }
});
