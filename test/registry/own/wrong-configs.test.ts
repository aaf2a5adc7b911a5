import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { renderDiagnostics } from '../../../src/diagnostic/render.ts';
import { loadPlugins } from '../../../src/registry/own/load-plugins.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

beforeEach(() => vi.stubEnv('UNROLL_CACHE', temporaryDirectory('cache')));

const model = (body: string) => `
import { defineModel, Type } from 'unroll-ml';
export const mine = defineModel(${body});
`;

const config = `
import { defineConfig } from 'unroll-ml';
import { mine } from './mine.ts';
export default defineConfig({ models: [mine] });
`;

const metric = (body: string) => `
import { defineMetric } from 'unroll-ml';
export const mine = defineMetric(${body});
`;

const metricConfig = config.replace('models:', 'metrics:');

const sound = `{ name: 'mine', parameters: { width: Type.Integer({ default: 4 }) }, build: () => ({ forward: ({ inputs }) => inputs }) }`;

interface Wrong {
  readonly config?: string;
  readonly mine?: string;
  /** Code, place and what is said, besides that there is no stack trace. */
  readonly says: readonly (string | RegExp)[];
}

const cases: Readonly<Record<string, Wrong>> = {
  'a module that is missing': {
    config: config.replace('./mine.ts', './mien.ts'),
    says: ['unroll.config.ts:3:22 error [plugin-broken]', 'does not exist', '"./mien.ts"'],
  },
  'a package that is not installed': {
    mine: `import 'no-such-package';\n${model(sound)}`,
    says: ['mine.ts:1:8 error [plugin-broken]', 'npm install no-such-package'],
  },
  'code that is no TypeScript': {
    mine: 'export const mine = {{;\n',
    says: [/mine\.ts:1:2[12] error \[plugin-broken\]/, 'cannot be read'],
  },
  'code that throws at its import': {
    mine: `const text: string = 'no number';\n\nthrow new Error(text);\nexport const mine = 1;\n`,
    says: ['mine.ts:3:7 error [plugin-broken]', 'got:      no number'],
  },
  'no default export': {
    config: 'export const models = [];\n',
    says: ['unroll.config.ts:1:1 error [plugin-invalid]', 'no default export'],
  },
  'a list that is misspelt': {
    config: config.replace('models:', 'model:'),
    says: ['[plugin-invalid] A config has no "model"', 'nearest:  models'],
  },
  'an export that is misspelt': {
    config: config.replace('import { mine }', 'import * as all').replace('[mine]', '[all.mien]'),
    says: ['[plugin-invalid]', 'undefined (is the export spelt right?)'],
  },
  'a metric without goal, unit, tasks and value': {
    config: metricConfig,
    mine: metric("{ name: 'mine', range: [1, 0] }"),
    says: [
      '[plugin-invalid] The metric mine has no function build',
      'The metric mine lists no tasks',
      'The metric mine has no goal',
      'The metric mine has no unit',
      'The range of metric mine is not a range',
    ],
  },
  'a metric that comes with Unroll': {
    config: metricConfig,
    mine: metric(
      "{ name: 'rmse', goal: 'minimize', unit: 'mm', tasks: ['regression'], build: () => ({ add: () => undefined, value: () => 0 }) }",
    ),
    says: ['[plugin-invalid] The name rmse is taken: a metric of this name comes with Unroll'],
  },
  'a name that comes with Unroll': {
    mine: model(sound.replace("'mine'", "'lstm'")),
    says: ['mine.ts:3:41 error [plugin-invalid]', 'a model of this name comes with Unroll', 'my-lstm'],
  },
  'a name that is taken twice': {
    config: config.replace('[mine]', '[mine, mine]'),
    says: ['mine.ts:3:41 error [plugin-invalid]', 'the config has already'],
  },
  'a name that a spec cannot hold': {
    mine: model(sound.replace("'mine'", "'My Model'")),
    says: ['mine.ts:3:35 error [plugin-invalid]', '"My Model"', 'small letters'],
  },
  'no build': {
    mine: model(sound.replace('build:', 'built:')),
    says: ['[plugin-invalid] The model mine has no function build'],
  },
  'files that are no parameters': {
    config: `import { defineConfig, defineDataset } from 'unroll-ml';
export default defineConfig({ datasets: [defineDataset({ name: 'lines', parameters: {}, files: ['file'], shape() {}, load() {} })] });`,
    says: ['[plugin-invalid] The files of dataset lines are not parameters of it.', 'got:      "file"'],
  },
  'parameters that are one schema': {
    mine: model(sound.replace('parameters: {', "parameters: { type: 'object',")),
    says: ['[plugin-invalid] The parameters of model mine', 'Type.Object is not needed'],
  },
  'a schema without a type': {
    mine: model(sound.replace('Type.Integer({ default: 4 })', '{ default: 4 }')),
    says: ['The parameter width of model mine', 'a schema with a type'],
  },
  'a schema with a wrong keyword': {
    mine: model(sound.replace('default: 4', "default: 4, minimum: 'one'")),
    says: ['The parameter width of model mine', 'minimum must be number'],
  },
  'a default that is not finite': {
    mine: model(sound.replace('Integer({ default: 4 })', 'Number({ default: Infinity })')),
    says: ['The parameter width of model mine', 'default Infinity', 'must be number'],
  },
  'a default outside of the bounds': {
    mine: model(sound.replace('default: 4', 'default: 4, minimum: 8')),
    says: ['The parameter width of model mine', 'default 4', 'must be >= 8'],
  },
};

it.each(Object.keys(cases))('%s is told with its file and place', async (name) => {
  const wrong = cases[name] as Wrong;
  const folder = temporaryDirectory();
  const files = { 'unroll.config.ts': wrong.config ?? config, 'mine.ts': wrong.mine ?? model(sound) };
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  const loaded = await loadPlugins(folder);
  expect(loaded.ok, 'the config is refused').toBe(false);
  const said = loaded.ok ? '' : renderDiagnostics(loaded.errors);
  for (const text of wrong.says)
    expect(said).toMatch(text instanceof RegExp ? text : new RegExp(escaped(text)));
  expect(said).toMatch(/expected: .*\n {2}got: .*\n/);
  expect(said).toContain('  help:     ');
  expect(said, 'no stack trace').not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
});

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

it('accepts what the cases make wrong', async () => {
  const folder = temporaryDirectory();
  writeFileSync(join(folder, 'unroll.config.ts'), config);
  writeFileSync(join(folder, 'mine.ts'), model(sound));
  const loaded = await loadPlugins(folder);
  expect(loaded.ok && Object.keys(loaded.value.registry.model)).toContain('mine');
});
