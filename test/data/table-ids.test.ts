import { expect, it } from 'vitest';
import { checkNamedSection } from '../../src/language/sections.ts';
import { registry } from '../../src/registry/rows.ts';
import type { Json } from '../../src/system/json.ts';

const configured = (dataset: Readonly<Record<string, Json>>): Readonly<Record<string, Json>> => {
  const checked = checkNamedSection(registry, 'dataset', {
    name: 'csv-sequences',
    file: 'a.csv',
    ...dataset,
  });
  if (!checked.ok) throw new Error(checked.errors[0]?.message);
  return checked.value.value;
};

/** What a run of version 0.1 has of these settings. */
const recorded = {
  ...{ name: 'csv-sequences', file: 'a.csv', validationFile: null, testFile: null, validationFraction: null },
  ...{
    testFraction: null,
    splitSeed: 1,
    task: 'classification',
    layout: 'long',
    sequence: 'id',
    order: null,
  },
  ...{ features: null, targets: ['y'], standardize: true, delimiter: ',', featuresPerStep: 1, length: null },
};

it('settings that came later leave the configuration of a recorded run as it is', () => {
  expect(configured({ sequence: 'id', targets: ['y'] })).toEqual(recorded);
  const defaults = { missing: 'error', deltaTime: false, categorical: null, split: 'random', folds: null };
  expect(configured({ sequence: 'id', targets: ['y'], ...defaults, decimal: '.' })).toEqual(recorded);
});

it('a regression is another run than before, unless it trains on raw targets', () => {
  const regression = { sequence: 'id', targets: ['y'], task: 'regression' };
  const before = { ...recorded, task: 'regression' };
  expect(configured(regression)).toEqual({ ...before, standardizeTargets: true });
  expect(configured({ ...regression, standardizeTargets: true })).toEqual(configured(regression));
  expect(configured({ ...regression, standardizeTargets: false })).toEqual(before);
});
