import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { configurationIdOf } from '../../src/plan/run-identity.ts';
import { planExperiment } from '../../src/plan/plan-experiment.ts';
import type { Plan, Run } from '../../src/plan/plan.ts';
import { runStandings } from '../../src/runner/select.ts';
import { withEarlierIds } from '../../src/runner/continuations.ts';
import { canonicalJson, shortHash } from '../../src/system/json.ts';
import { listRuns } from '../../src/record/read-runs.ts';
import { createRig } from '../support/rig.ts';
import { dataFolder } from '../data/support/data-files.ts';
import { writeRunDirectory } from '../support/run-directories.ts';

const rows = Array.from({ length: 20 }, (_, at) => `${at / 7},${(at * at) % 11},${at % 2 ? 'up' : 'down'}`);
const data = ['x,y,label', ...rows].join('\n');

const spec = (file: string) => `
version: 1
name: moved
dataset: { name: csv-sequences, file: ${file}, layout: wide, targets: [label] }
model: { name: gru, hiddenSize: 4 }
optimizer: { name: adam }
train: { batchSize: 4, steps: 5 }
seeds: 2
`;

const planOf = async (folder: string, file: string): Promise<Plan> => {
  const path = join(folder, 'spec.yaml');
  writeFileSync(path, spec(file));
  const plan = await planExperiment(path, { cores: 1 });
  if (!plan.ok) throw new Error(JSON.stringify(plan.errors));
  return plan.value;
};

const idsOf = ({ runs }: Plan) => runs.map(({ id, cell }) => [id, cell]);

it('a data file that is moved changes no id, and one with other content every id', async () => {
  const { baseDirectory } = dataFolder({ 'a.csv': data });
  const before = await planOf(baseDirectory, 'a.csv');
  mkdirSync(join(baseDirectory, 'data'));
  renameSync(join(baseDirectory, 'a.csv'), join(baseDirectory, 'data/b.csv'));
  const after = await planOf(baseDirectory, 'data/b.csv');
  expect(idsOf(after)).toEqual(idsOf(before));
  expect(after.sweepId).toBe(before.sweepId);
  expect(after.runs[0]?.config.dataset['file']).toBe('data/b.csv');
  writeFileSync(join(baseDirectory, 'data/b.csv'), `${data}\n9,9,up\n`);
  const changed = await planOf(baseDirectory, 'data/b.csv');
  for (const [id, cell] of idsOf(changed))
    expect(idsOf(before).flat()).not.toEqual(expect.arrayContaining([id, cell]));
});

/** The ids of 0.1.0, which hashed the path, too. */
const asRecordedEarlier = (run: Run): Run => {
  const { config, datasetDigest, seed, versions } = run;
  const hashed = (identity: object) => shortHash(canonicalJson(identity));
  return {
    ...run,
    id: hashed({ config, datasetDigest, seed, versions }),
    cell: hashed({ config, datasetDigest, versions }),
  };
};

it('runs recorded by an earlier version are found by their old ids, also after the file was moved', async () => {
  const { baseDirectory } = dataFolder({ 'a.csv': data });
  const plan = await planOf(baseDirectory, 'a.csv');
  const [earlier] = plan.runs.map(asRecordedEarlier);
  if (!earlier) throw new Error('no run');
  expect(earlier.id).not.toBe(plan.runs[0]?.id);
  // A search proposes no configuration that is on record under its old id.
  expect(earlier.cell).not.toBe(plan.runs[0]?.cell);
  expect(configurationIdOf(earlier)).toBe(plan.runs[0]?.cell);
  const runsDirectory = join(baseDirectory, 'runs');
  writeRunDirectory(runsDirectory, earlier);
  renameSync(join(baseDirectory, 'a.csv'), join(baseDirectory, 'b.csv'));
  const found = withEarlierIds(await planOf(baseDirectory, 'b.csv'), runsDirectory);
  expect(found.runs.map(({ id }) => id)).toEqual([earlier.id, plan.runs[1]?.id]);
  expect(found.runs.map(({ cell }) => cell)).toEqual([earlier.cell, earlier.cell]);
  expect(runStandings(found, runsDirectory).map(({ state }) => state)).toEqual(['done', 'new']);
});

it('resume names a data file that the frozen plan no longer finds, and --updated reads it in its new place', async () => {
  const rig = createRig();
  rig.write('a.csv', data);
  rig.write('s.yaml', spec('a.csv'));
  expect(await rig.unroll('run', 's.yaml', '--limit', '1')).toMatchObject({ code: 0 });
  renameSync(join(rig.directory, 'a.csv'), join(rig.directory, 'b.csv'));
  rig.write('s.yaml', spec('b.csv'));
  const refused = await rig.unroll('resume');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('There is no a.csv, which the frozen plan reads.');
  const proposed = /unroll (resume [0-9a-f]{12} --updated)/.exec(refused.stderr)?.[1] ?? '';
  expect(await rig.unroll(...proposed.split(' '))).toMatchObject({ code: 0 });
  expect(listRuns(join(rig.directory, 'runs'), {}).runs.map(({ state }) => state)).toEqual(['done', 'done']);
});
