import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { registry } from '../../src/registry/rows.ts';
import { generateSchemas } from '../../src/language/generate-schemas.ts';
import { loadSpec } from '../../src/language/load-spec.ts';
import { unrollSpec } from '../../src/plan/plan-experiment.ts';
import { validateSpec } from '../../src/language/validate-spec.ts';
import { testRegistry } from '../support/registry.ts';

const experiments = readdirSync('experiments', { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.ya?ml$/.test(name))
  .map((name) => join('experiments', name));

const parsed = (texts: Readonly<Record<string, string>>, name: string) =>
  JSON.parse(texts[name] ?? '') as Readonly<Record<string, unknown>>;

const ajv = new Ajv({ strict: false, allErrors: true });
const experimentOf = (from = registry) =>
  ajv.compile(parsed(generateSchemas(from), 'experiment.schema.json'));
const ofTestRegistry = experimentOf(testRegistry);

describe('the published schemas', () => {
  it.each(Object.entries(generateSchemas()))(
    '%s is what the registries make (else: npm run schema)',
    (name, text) => {
      if (process.env['UPDATE_GOLDEN']) writeFileSync(join('schema', name), text);
      expect(readFileSync(join('schema', name), 'utf8')).toBe(text);
    },
  );

  it('accept every shipped experiment', () => {
    const validate = experimentOf();
    for (const file of experiments) {
      validate(parse(readFileSync(file, 'utf8')));
      expect(validate.errors ?? [], file).toEqual([]);
    }
    expect(experiments.length).toBeGreaterThan(0);
  });

  it('accept the runs that the shipped experiments unroll into', async () => {
    const validate = ajv.compile(parsed(generateSchemas(), 'run.schema.json'));
    for (const file of experiments) {
      const document = await loadSpec(file, { environment: { MLFLOW_TRACKING_URI: 'http://localhost' } });
      if (!document.ok) throw new Error(`${file}: ${document.errors[0]?.message ?? ''}`);
      const spec = validateSpec(document.value);
      if (!spec.ok) throw new Error(`${file}: ${spec.errors[0]?.message ?? ''}`);
      const plan = await unrollSpec(spec.value, { cores: 2 });
      if (!plan.ok) throw new Error(`${file}: ${plan.errors[0]?.message ?? ''}`);
      for (const run of plan.value.runs) {
        validate(run);
        expect(validate.errors ?? [], file).toEqual([]);
      }
      expect(plan.value.runs.length).toBeGreaterThan(0);
    }
  });

  const base = {
    version: 1,
    name: 'x',
    dataset: { name: 'mnist-rows' },
    model: { name: 'lstm', hiddenSize: 64 },
    optimizer: { name: 'adam', learningRate: 0.001 },
    train: { steps: 1 },
  };
  it.each([
    ['an unknown key', { ...base, comment: 1 }],
    ['an unknown model', { ...base, model: { name: 'ltsm' } }],
    ['a misspelt parameter', { ...base, model: { name: 'lstm', hidenSize: 64 } }],
    ["another model's parameter", { ...base, model: { name: 'gru', forgetBias: 1 } }],
    ['a missing parameter', { ...base, optimizer: { name: 'adam' } }],
    ['a missing section', { ...base, model: undefined }],
    ['an unknown axis', { ...base, sweep: { axes: { 'model.hidenSize': [1] } } }],
    ['a wrong value of an axis', { ...base, sweep: { axes: { 'model.hiddenSize': [64, '128'] } } }],
    ['a wrong exclude', { ...base, sweep: { exclude: [{ 'model.hiddenSize': [64] }] } }],
  ])('refuse %s', (_, spec) => {
    const validate = ofTestRegistry;
    expect(validate(JSON.parse(JSON.stringify(base)))).toBe(true);
    expect(validate(JSON.parse(JSON.stringify(spec)))).toBe(false);
  });

  it.each([
    ['part of a spec that extends another', { extends: './base.yaml', model: { hiddenSize: 64 } }],
    ['blocks as values', { ...base, sweep: { axes: { optimizer: [{ name: 'sgd', learningRate: 0.1 }] } } }],
    [
      'expressions',
      { ...base, sweep: { axes: { 'optimizer.learningRate': { log: [1e-4, 1e-2], steps: 3 } } } },
    ],
    [
      'an empty section',
      { ...base, tracking: { mlflow: {} }, seeds: 3, run: { concurrency: 'auto', timeout: '30m' } },
    ],
  ])('accept %s', (_, spec) => {
    const validate = ofTestRegistry;
    validate(spec);
    expect(validate.errors ?? []).toEqual([]);
  });

  it('say of every key what it is, with a title and an example or default', () => {
    const silent: string[] = [];
    const whole = parsed(generateSchemas(), 'experiment.schema.json');
    const definitions = whole['definitions'] as Record<string, Record<string, unknown>>;
    const resolved = (schema: Record<string, unknown>) =>
      typeof schema['$ref'] === 'string'
        ? (definitions[schema['$ref'].replace('#/definitions/', '')] ?? {})
        : schema;
    const visit = (schema: Readonly<Record<string, unknown>>, path: string): void => {
      for (const [key, referred] of Object.entries(
        (schema['properties'] ?? {}) as Record<string, Record<string, unknown>>,
      )) {
        const value = resolved(referred);
        const here = `${path}.${key}`;
        const shown = ['examples', 'default', 'const', 'enum'].some((keyword) => keyword in value);
        const container = 'properties' in value || 'allOf' in value;
        if (typeof value['title'] !== 'string' || typeof value['description'] !== 'string') silent.push(here);
        else if (!shown && !container) silent.push(`${here} (no example)`);
        visit(value, here);
      }
      for (const rule of (schema['allOf'] ?? []) as { then?: Record<string, unknown> }[]) {
        if (rule.then) visit(rule.then, `${path}(${String(rule.then['title'])})`);
      }
      const items = schema['items'] as Record<string, unknown> | undefined;
      if (items) visit(items, `${path}[]`);
    };
    visit(whole, '');
    expect(silent).toEqual([]);
  });
});
