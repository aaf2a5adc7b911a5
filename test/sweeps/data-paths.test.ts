import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { createRig, type Rig } from '../support/rig.ts';

// Real sweeps, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 240_000 });

/** Twelve sequences of two steps; `shift` makes files differ. */
const rows = (shift: number): string =>
  `id,time,x,label\n${Array.from({ length: 24 }, (_, row) => {
    const id = Math.floor(row / 2);
    return `${id},${row % 2},${id + shift},${id % 2 ? 'odd' : 'even'}\n`;
  }).join('')}`;

const dataset = 'name: csv-sequences, sequence: id, order: time, targets: [label], testFraction: 0.25';

const rest = `
model: { name: gru, hiddenSize: 3 }
optimizer: { name: adam }
train: { batchSize: 4, steps: 2 }
`;

interface PlannedRun {
  readonly id: string;
  readonly config: { readonly dataset: Readonly<Record<string, unknown>> };
}

/** Ids and data files of the runs of a plan. */
const planned = async (rig: Rig, ...words: readonly string[]) => {
  const { code, stdout, stderr } = await rig.unroll('plan', ...words, '--json');
  expect(code, stderr + stdout).toBe(0);
  const { runs } = JSON.parse(stdout) as { readonly runs: readonly PlannedRun[] };
  return runs.map(({ id, config }) => [id, config.dataset['file']]);
};

const files = async (rig: Rig, ...words: readonly string[]) =>
  (await planned(rig, ...words)).map(([, file]) => file);

/** `base/base.yaml` with its data, and `here/spec.yaml`, which extends it. */
const createFolders = (file: string, sweep = '') => {
  const rig = createRig();
  for (const folder of ['base', 'here']) mkdirSync(join(rig.directory, folder));
  rig.write('base/one.csv', rows(0));
  rig.write('base/two.csv', rows(1));
  rig.write('base/base.yaml', `version: 1\nname: x\ndataset: { ${dataset}, file: ${file} }${rest}${sweep}`);
  rig.write('here/spec.yaml', 'extends: ../base/base.yaml\n');
  return rig;
};

test('a path in an extended spec starts at the folder of that spec, and changes no id', async () => {
  const rig = createFolders('one.csv');
  const [[id] = []] = await planned(rig, 'base/base.yaml');
  expect(await planned(rig, 'here/spec.yaml')).toEqual([[id, '../base/one.csv']]);
  expect((await rig.unroll('run', 'here/spec.yaml')).code).toBe(0);
  expect((await rig.unroll('resume')).stdout).toContain('1 done');

  rig.write('here/spec.yaml', 'extends: ../base/base.yaml\ndataset: { file: missing.csv }\n');
  const { stderr } = await rig.unroll('validate', 'here/spec.yaml');
  expect(stderr).toContain(`leads to ${join(rig.directory, 'here', 'missing.csv')}`);
});

test.each([
  'dataset.file: [one.csv, two.csv]',
  `dataset: [{ ${dataset}, file: one.csv }, { ${dataset}, file: two.csv }]`,
])('so does a path in its sweep: %s', async (axes) => {
  const rig = createFolders('one.csv', `sweep: { axes: { ${axes} } }\n`);
  expect(await files(rig, 'here/spec.yaml')).toEqual(['../base/one.csv', '../base/two.csv']);
});

test('a path on the command line starts at the working directory', async () => {
  const rig = createFolders('one.csv');
  expect(await files(rig, 'here/spec.yaml', '--set', 'dataset.file=base/two.csv')).toEqual([
    '../base/two.csv',
  ]);
  const sweep = 'dataset.file=base/one.csv,base/two.csv';
  expect(await files(rig, 'here/spec.yaml', '--sweep', sweep)).toEqual([
    '../base/one.csv',
    '../base/two.csv',
  ]);
});

test('where nothing is there, a path starts at the folder of the spec, as in earlier versions', async () => {
  const rig = createFolders('own.csv');
  rig.write('here/own.csv', rows(2));
  expect(await files(rig, 'here/spec.yaml')).toEqual(['own.csv']);
  expect(await files(rig, 'base/base.yaml', '--set', 'dataset.file=two.csv')).toEqual(['two.csv']);
});
