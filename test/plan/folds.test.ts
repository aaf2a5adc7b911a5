import { Type } from '@sinclair/typebox';
import { expect, it } from 'vitest';
import { validateSpec } from '../../src/language/validate-spec.ts';
import { addedLater, nullable } from '../../src/parameters/schema.ts';
import type { Run } from '../../src/plan/plan.ts';
import { unrollSpec } from '../../src/plan/plan-experiment.ts';
import type { RecordedRun } from '../../src/record/run-state.ts';
import type { Registry } from '../../src/registry/rows.ts';
import { comparisonToCsv } from '../../src/report/compare-csv.ts';
import { compareRuns } from '../../src/report/compare.ts';
import { renderComparison } from '../../src/report/render-compare.ts';
import type { Json } from '../../src/system/json.ts';
import { documentOf, soundPlan, specText } from '../support/spec.ts';
import { testRegistry } from '../support/registry.ts';

const row = testRegistry.dataset['mnist-rows'] ?? expect.fail();
const parameters = Type.Object({
  ...row.parameters.properties,
  folds: addedLater(nullable(Type.Integer({ minimum: 2, description: 'Parts that are tested in turn.' }))),
  fold: addedLater(nullable(Type.Integer({ minimum: 1, description: 'Which of them.' }))),
});

/** The test registry, in which `mnist-rows` can be cut into folds. */
const withFolds: Registry = {
  ...testRegistry,
  dataset: {
    ...testRegistry.dataset,
    'mnist-rows': {
      ...row,
      parameters,
      folds: ({ folds }: { readonly folds?: number }) => folds,
    },
  },
};

const planOf = async (more: Readonly<Record<string, Json>>) => {
  const spec = validateSpec(documentOf(specText(more)), withFolds);
  if (!spec.ok) throw new Error(spec.errors[0]?.message);
  const plan = await unrollSpec(spec.value, { cores: 2 });
  if (!plan.ok) throw new Error(plan.errors[0]?.got);
  return plan.value;
};

const threeFolds = { dataset: { name: 'mnist-rows', folds: 3 } };
const sweep = { axes: { 'model.hiddenSize': [8, 16] } };

it('a configuration is trained once a fold and seed, seeds fastest', async () => {
  const { axes, runs } = await planOf({ ...threeFolds, sweep, seeds: [1, 2] });
  expect(axes).toEqual(['model.hiddenSize', 'fold', 'seed']);
  expect(runs.map(({ varying }) => Object.values(varying))).toEqual(
    [8, 16].flatMap((size) => [1, 2, 3].flatMap((fold) => [1, 2].map((seed) => [size, fold, seed]))),
  );
  expect(runs[2]?.config.dataset).toEqual({ name: 'mnist-rows', trainSize: null, folds: 3, fold: 2 });
  expect(new Set(runs.map(({ id }) => id)).size).toBe(12);
  expect(new Set(runs.map(({ cell }) => cell)).size).toBe(2);
});

it('a fold that is chosen is the same run as that of all folds', async () => {
  const all = await planOf(threeFolds);
  const one = await planOf({ dataset: { name: 'mnist-rows', folds: 3, fold: 2 } });
  expect(one.runs.map(({ id }) => id)).toEqual([all.runs[1]?.id]);
});

it('without folds nothing changes', async () => {
  expect(await planOf({ sweep, seeds: [1, 2] })).toEqual(await soundPlan({ sweep, seeds: [1, 2] }));
});

it('folds count where a sweep has too many runs', async () => {
  const many = { axes: { 'model.hiddenSize': [8, 16] }, maxRuns: 11 };
  await expect(planOf({ ...threeFolds, sweep: many, seeds: [1, 2] })).rejects.toThrow(
    '2 points x 3 folds x 2 seeds = 12 runs',
  );
});

it('a comparison has statistics over folds and seeds, and pairs by both', async () => {
  const plan = await planOf({ ...threeFolds, sweep, seeds: [1, 2] });
  // Folds differ far more than the configurations do.
  const value = ({ config, varying, seed }: Run) =>
    0.5 +
    0.1 * Number(varying['fold']) +
    0.001 * seed +
    (config.model['hiddenSize'] === 16 ? 0.01 + 0.0001 * seed : 0);
  const recorded = plan.runs.map((run): RecordedRun => ({
    directory: `runs/test/${run.id}`,
    run,
    status: null,
    state: 'done',
    reason: '',
    metrics: { 'test/accuracy': value(run) },
  }));
  const comparison = compareRuns(recorded, {
    objective: plan.objective,
    planned: plan.runs,
    axes: plan.axes,
  });
  const [best, other] = comparison.configurations;
  expect(comparison).toMatchObject({ axes: ['model.hiddenSize'], seeds: [1, 2], folds: [1, 2, 3] });
  expect(best?.objective?.count).toBe(6);
  expect(other?.difference).toMatchObject({ kind: 'paired', count: 6 });
  expect(other?.difference?.mean).toBeCloseTo(-0.01015, 8);
  expect(other?.verdict).toBe('separated');
  const text = renderComparison(comparison, { width: 120, colour: false });
  expect(text).toContain('2 configurations, 3 folds, 2 seeds');
  expect(text).toContain('6/6');
  expect(comparisonToCsv(comparison).split('\n')[0]).toContain('model.hiddenSize,fold,seed,');
});
