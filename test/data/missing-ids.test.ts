import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { planExperiment } from '../../src/plan/plan-experiment.ts';
import { sharedDirectory } from '../support/temporary-directory.ts';

const folder = sharedDirectory('missing-ids');

beforeAll(() => {
  const rows = Array.from({ length: 60 }, (_, at) => `${at},${at % 7},${at % 5 || ''},${at % 3}`);
  writeFileSync(join(folder, 'series.csv'), ['t,y,wind,holiday', ...rows, ''].join('\n'));
  const steps = Array.from(
    { length: 80 },
    (_, at) => `${at >> 2},${at % 9},${at % 4 === 1 ? '' : at % 6},${at % 8 < 4 ? 'up' : 'down'}`,
  );
  writeFileSync(join(folder, 'table.csv'), ['id,x,y,label', ...steps, ''].join('\n'));
  const sequences = Array.from({ length: 20 }, (_, at) => `${at},?,${at % 3}:${at % 2 ? 'a' : 'b'}`);
  const head = ['@problemName p', '@univariate true', '@missing true', '@classLabel true a b', '@data'];
  writeFileSync(join(folder, 'p.ts'), [...head, ...sequences, ''].join('\n'));
});

const datasets = {
  series: 'name: csv-series, file: series.csv, time: t, targets: [y], past: [wind], window: 4',
  table: 'name: csv-sequences, file: table.csv, sequence: id, features: [x, y], targets: [label]',
  everyColumn: 'name: csv-sequences, file: table.csv, sequence: id, targets: [label]',
  archive: 'name: ucr, file: p.ts',
};

const idOf = async (dataset: keyof typeof datasets, missing?: string): Promise<string> => {
  const path = join(folder, 'spec.yaml');
  const setting = missing === undefined ? '' : `, missing: ${missing}`;
  writeFileSync(
    path,
    `version: 1
name: ids
dataset: { ${datasets[dataset]}${setting} }
model: { name: gru, hiddenSize: 4 }
optimizer: { name: adam, learningRate: 0.01 }
train: { batchSize: 4, steps: 5 }
`,
  );
  const plan = await planExperiment(path, { cores: 1 });
  if (!plan.ok) throw new Error(plan.errors.map(({ message }) => message).join('\n'));
  return plan.value.runs[0]?.id ?? '';
};

/** Of runs that were recorded before strategies could be chosen by column. */
it.each([
  ['series', 'interpolate', '13efa482fa63'],
  ['series', 'forward', '57019d4e8df5'],
  ['series', 'mean', '4b15d96f107e'],
  ['series', 'mask', 'b973bd420fbd'],
  ['table', 'interpolate', 'ca649a489c6a'],
  ['table', 'mask', '100efdbdaf5f'],
  ['archive', undefined, '8329cca7b7a6'],
  ['archive', 'mean', 'a446c26ef4eb'],
] as const)('%s with missing: %s has the id that it always had', async (dataset, missing, id) => {
  expect(await idOf(dataset, missing)).toBe(id);
});

describe('strategies by column', () => {
  it.each([
    ['series', 'mask', '{ y: mask, wind: mask }'],
    ['series', '{ wind: forward }', '{ y: error, wind: forward }'],
    ['series', '{ wind: mean, y: mask }', '{ y: mask, wind: mean }'],
    ['table', 'interpolate', '{ x: interpolate, y: interpolate }'],
    ['table', '{ y: mean }', '{ x: error, y: mean }'],
    ['archive', 'mask', '{ x: mask }'],
  ] as const)('of %s: %s and %s are the same run', async (dataset, one, other) => {
    expect(await idOf(dataset, other)).toBe(await idOf(dataset, one));
  });

  it.each([
    ['series', 'mask', '{ y: error, wind: mask }'],
    ['series', '{ y: mask, wind: forward }', '{ y: mask, wind: mean }'],
    ['table', 'mean', '{ x: forward, y: mean }'],
    // Which columns there are is known from the file alone.
    ['everyColumn', 'mean', '{ x: mean, y: mean }'],
  ] as const)('of %s: %s and %s are two runs', async (dataset, one, other) => {
    expect(await idOf(dataset, other)).not.toBe(await idOf(dataset, one));
  });
});
