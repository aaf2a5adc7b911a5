import { Type } from '@sinclair/typebox';
import { expect, it } from 'vitest';
import { validateSpec } from '../../src/language/validate-spec.ts';
import { addedLater } from '../../src/parameters/schema.ts';
import { unrollSpec } from '../../src/plan/plan-experiment.ts';
import type { Registry } from '../../src/registry/rows.ts';
import type { Json } from '../../src/system/json.ts';
import { documentOf, soundPlan, specText } from '../support/spec.ts';
import { testRegistry } from '../support/registry.ts';

const row = testRegistry.dataset['mnist-rows'];
if (!row) throw new Error('the test registry has no mnist-rows');

const zoom = addedLater(
  Type.Integer({ minimum: 1, default: 1, description: 'How many pixels a pixel becomes.' }),
);

/** The test registry after a release that gave `mnist-rows` another parameter. */
const grown: Registry = {
  ...testRegistry,
  dataset: {
    ...testRegistry.dataset,
    'mnist-rows': { ...row, parameters: Type.Object({ ...row.parameters.properties, zoom }) },
  },
};

const runsOf = async (more: Readonly<Record<string, Json>>) => {
  const spec = validateSpec(documentOf(specText(more)), grown);
  if (!spec.ok) throw new Error(spec.errors[0]?.message);
  const plan = await unrollSpec(spec.value, { cores: 2 });
  if (!plan.ok) throw new Error(plan.errors[0]?.message);
  return plan.value.runs;
};

it('a parameter that an entry got later changes no run that does not use it', async () => {
  const [before] = (await soundPlan()).runs;
  const [absent] = await runsOf({});
  const [written] = await runsOf({ dataset: { name: 'mnist-rows', zoom: 1 } });
  expect(absent).toEqual(before);
  expect(written).toEqual(before);
  const [other] = await runsOf({ dataset: { name: 'mnist-rows', zoom: 2 } });
  expect(other?.id).not.toBe(before?.id);
  expect(other?.config.dataset).toMatchObject({ zoom: 2 });
});

it('a sweep shows its default beside the other values', async () => {
  const runs = await runsOf({ sweep: { axes: { 'dataset.zoom': [1, 2] } } });
  expect(runs.map(({ varying }) => varying)).toEqual([{ 'dataset.zoom': 1 }, { 'dataset.zoom': 2 }]);
  expect(runs[0]?.id).toBe((await soundPlan()).runs[0]?.id);
});
