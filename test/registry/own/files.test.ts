import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { planExperiment } from '../../../src/plan/plan-experiment.ts';
import { scoredData } from '../../../src/plan/scored-data.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const config = `import { defineConfig, defineDataset, memorySplit, Type } from 'unroll-ml';
const shape = { steps: 1, input: { kind: 'values', features: 1 }, variableLength: false, task: { kind: 'classification', classes: 2 } };
export default defineConfig({ datasets: [defineDataset({
  name: 'lines',
  parameters: { source: Type.String(), repeat: Type.Integer({ default: 1 }) },
  files: ['source'],
  shape: () => shape,
  load: () => {
    const split = memorySplit({ size: 1, inputs: new Float32Array(1), targets: new Int32Array(1), lengths: new Int32Array(1).fill(1) });
    return { shape, train: split, test: split };
  },
})] });
`;

const spec = (source: string) => `
version: 1
name: own-files
dataset: { name: lines, source: ${source} }
model: { name: gru, hiddenSize: 2 }
optimizer: { name: adam }
train: { batchSize: 1, steps: 2 }
`;

const planWith = async (files: Readonly<Record<string, string>>, source: string) => {
  const folder = temporaryDirectory();
  mkdirSync(join(folder, 'data'));
  for (const [name, text] of Object.entries({ 'unroll.config.ts': config, ...files }))
    writeFileSync(join(folder, name), text);
  const path = join(folder, 'spec.yaml');
  writeFileSync(path, spec(source));
  return planExperiment(path, { cores: 2 });
};

const runWith = async (files: Readonly<Record<string, string>>, source: string) => {
  const plan = await planWith(files, source);
  const run = plan.ok ? plan.value.runs[0] : undefined;
  if (!run) throw new Error(JSON.stringify(plan));
  return run;
};

it('the content of the files of a dataset of your own decides the run, and their paths do not', async () => {
  const first = await runWith({ 'a.txt': 'same' }, 'a.txt');
  const moved = await runWith({ 'data/b.txt': 'same' }, 'data/b.txt');
  const changed = await runWith({ 'a.txt': 'other' }, 'a.txt');
  expect(first.files).toEqual(['source']);
  expect(moved.id).toBe(first.id);
  expect(changed.id).not.toBe(first.id);
  expect(scoredData(moved)).toEqual(scoredData(first));
  expect(scoredData(changed)).not.toEqual(scoredData(first));
});

it('a file that is not there is an error at its parameter', async () => {
  expect(await planWith({}, 'a.txt')).toMatchObject({
    ok: false,
    errors: [
      {
        code: 'data-missing',
        message: 'There is no file a.txt.',
        at: { start: spec('a.txt').indexOf('a.txt') },
      },
    ],
  });
});
