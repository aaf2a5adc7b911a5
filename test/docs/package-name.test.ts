import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/** The command's name, where it is not the beginning of `unroll-ml` or `unroll.config.ts`. */
const foreign = '[`\'"]?unroll(?!-ml|\\.\\w|[\\w/])';

/** Ways to get or use the npm package `unroll`, which is another project's. */
const ways: Readonly<Record<string, RegExp>> = {
  install: new RegExp(
    `\\b(npm|pnpm|yarn|bun|deno|cnpm)\\s+(install|i|ci|add|view|update|up|dlx|create|init|uninstall|remove)\\s+(--?[\\w=-]+\\s+|-D\\s+)*${foreign}`,
  ),
  'run without installing': new RegExp(
    `\\b(npx|bunx|pnpx|(npm|pnpm|yarn)\\s+(exec|x|dlx))\\s+((?!--no\\b)--?[\\w=-]+\\s+)*${foreign}`,
  ),
  'run by a program': /['"](npx|bunx|pnpx)['"],\s*\[\s*['"]unroll['"]/,
  import: /\b(from|import|require|resolve)\s*\(?\s*['"`]unroll(\/[^'"`]*)?['"`]/,
  depend: /"unroll"\s*:\s*"([~^>=<*\d]|latest|workspace:|npm:)/,
  download: /(npmjs\.com\/package|unpkg\.com|jsdelivr\.net\/npm|esm\.sh|registry\.npmjs\.org)\/unroll(?!-)/,
  path: /node_modules\/unroll(?![-\w])/,
};

/** `npx unroll` is fine where the package is installed, if the same paragraph or block says so. */
const insideProject = (text: string): boolean =>
  /\b(inside|in) a clone, or a project that has `unroll-ml` installed/.test(text) ||
  /npm install (?:--ignore-scripts )?unroll-ml/.test(text);

const mistakesIn = (text: string): string[] =>
  text.split(/\n\s*\n/).flatMap((paragraph) =>
    Object.entries(ways).flatMap(([way, pattern]) => {
      const found = pattern.exec(paragraph.replace(/\n\s*(\*|\/\/|#)?\s*/g, ' '));
      return found && !(way === 'run without installing' && insideProject(paragraph))
        ? [`${way}: ${found[0]}`]
        : [];
    }),
  );

/** Every text of the repository but this one and what earlier versions recorded. */
const texts = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .split('\0')
  .filter(
    (file) =>
      file &&
      existsSync(file) &&
      !/package-name\.test\.ts$|^test\/fixtures\/recorded-by-|\.(png|jsonl)$/.test(file),
  );

it('sends nobody to the npm package of another project', () => {
  expect(texts).toContain('README.md');
  // A changelog and a message name the old form to replace it.
  const named = new Set(["import: from 'unroll'"]);
  const mistakes = texts.flatMap((file) =>
    mistakesIn(readFileSync(file, 'utf8'))
      .filter((mistake) => file !== 'CHANGELOG.md' || !named.has(mistake))
      .map((mistake) => `${file}: ${mistake}`),
  );
  expect(mistakes).toEqual([]);
});

it.each([
  'npm install unroll',
  'npm i -g unroll',
  'npm install --global --ignore-scripts unroll@1',
  'pnpm add -D unroll',
  'yarn dlx unroll run a.yaml',
  'Run `npx unroll setup`.',
  'First run npm install unroll.',
  'npx --yes unroll run a.yaml',
  'npm exec -- unroll run a.yaml',
  "spawnSync('npx', ['unroll', 'run'])",
  "import { plan } from 'unroll';",
  'await import("unroll")',
  "require('unroll')",
  '{ "dependencies": { "unroll": "^0.1.0" } }',
  'https://www.npmjs.com/package/unroll',
  'node_modules/unroll/schema/experiment.schema.json',
])('finds %s', (text) => expect(mistakesIn(text)).not.toEqual([]));

it.each([
  'npm install --ignore-scripts unroll-ml\nnpx unroll setup',
  'npx --no unroll validate a.yaml',
  "import { plan } from 'unroll-ml';",
  'node_modules/unroll-ml/schema/experiment.schema.json',
  'node_modules/.bin/unroll',
  'npm install unroll-ml && unroll run unroll.yaml',
])('takes %s', (text) => expect(mistakesIn(text)).toEqual([]));
