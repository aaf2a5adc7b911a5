import { mkdirSync, copyFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { findDataEntries, withDataEntries } from '../../src/plan/data-entries.ts';
import { planExperiment } from '../../src/plan/plan-experiment.ts';
import { runIdOf } from '../../src/plan/run-identity.ts';
import { registry } from '../../src/registry/rows.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('the data of a run has the test file that was found beside the training file', async () => {
  const folder = temporaryDirectory();
  writeFileSync(join(folder, 'One_TRAIN.tsv'), '1\t0.5\t1\n2\t0.25\t2\n1\t0.75\t1\n2\t0\t2\n');
  writeFileSync(join(folder, 'One_TEST.ts'), '0.5,1:1\n0.125,2:2\n');
  const spec = join(folder, 'spec.yaml');
  writeFileSync(
    spec,
    `
version: 1
name: archive
dataset: { name: ucr, file: One_TRAIN.tsv, validationFraction: 0 }
model: { name: gru, hiddenSize: 4 }
optimizer: { name: adam }
train: { batchSize: 2, steps: 2 }
`,
  );
  const plan = await planExperiment(spec, { cores: 2 });
  if (!plan.ok) throw new Error(plan.errors[0]?.message);
  const [run] = plan.value.runs;
  if (!run) throw new Error('no run');
  const entries = await findDataEntries(run, folder);
  expect([...entries.files.keys()]).toEqual(['data/file/One_TRAIN.tsv', 'data/file/One_TEST.ts']);

  const elsewhere = temporaryDirectory('elsewhere');
  for (const [name, path] of entries.files) {
    mkdirSync(dirname(join(elsewhere, name)), { recursive: true });
    copyFileSync(path, join(elsewhere, name));
  }
  const there = withDataEntries(run, entries);
  expect(runIdOf(there)).toBe(run.id);
  const { dataset } = there.config;
  const digest = await registry.dataset[dataset.name]?.digest(dataset, { baseDirectory: elsewhere });
  expect(digest).toBe(run.datasetDigest);
});
