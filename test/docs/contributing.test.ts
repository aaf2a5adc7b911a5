import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const page = readFileSync('CONTRIBUTING.md', 'utf8');

interface Package {
  readonly scripts: Readonly<Record<string, string>>;
  readonly engines: { readonly node: string };
}
const { scripts, engines } = JSON.parse(readFileSync('package.json', 'utf8')) as Package;

test('every path in CONTRIBUTING.md exists', () => {
  const words = [...page.matchAll(/`([^`\n]+)`/g)].flatMap(([, text = '']) => text.split(' '));
  const paths = words.filter(
    (word) => /^(src|test|docs|native|scripts|bench|\.ci|\.github)\//.test(word) && !word.includes('<'),
  );
  expect(paths.length).toBeGreaterThan(40);
  expect(paths.filter((path) => !existsSync(path))).toEqual([]);
});

test('every script in CONTRIBUTING.md exists', () => {
  const named = [...page.matchAll(/\bnpm (?:run )?([\w:]+)/g)].map(([, name = '']) => name);
  expect(named).toContain('test:unit');
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

test('CI runs the whole gate on each supported release of Node', () => {
  const workflow = parse(readFileSync('.github/workflows/ci.yml', 'utf8')) as {
    jobs: { test: { strategy: { matrix: { node: number[] } }; steps: { run?: string }[] } };
  };
  const { strategy, steps } = workflow.jobs.test;
  const supported = [...engines.node.matchAll(/(?:\^|>=)(\d+)/g)].map(([, major]) => Number(major));
  expect(strategy.matrix.node).toEqual(supported);
  expect(steps.flatMap(({ run }) => run ?? [])).toEqual(['.ci/run']);
});
