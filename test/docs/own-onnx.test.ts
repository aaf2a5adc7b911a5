import { readFileSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { createRig } from '../support/rig.ts';
import { blocksOf } from './blocks.ts';

vi.setConfig({ testTimeout: 240_000 });

it('the model of the guide with an ONNX builder predicts from its file as from its run', async () => {
  const page = readFileSync('docs/guides/own-model.md', 'utf8');
  const module = blocksOf(page).find(({ text }) => text.includes('onnx: ('))?.text ?? '';
  const rig = createRig();
  rig.write('mean-pool.ts', module);
  rig.write(
    'unroll.config.ts',
    "import { meanPool } from './mean-pool.ts';\nexport default { models: [meanPool] };\n",
  );
  const rows = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, at) =>
      [0, 1, 2].map(
        (step) => `s${from + at},${step},${((from + at) * (step + 1)) % 7},${'ab'[at % 2] ?? ''}`,
      ),
    ).flat();
  rig.write('train.csv', ['id,t,x,label', ...rows(0, 40)].join('\n'));
  rig.write('new.csv', ['id,t,x,label', ...rows(40, 50)].join('\n'));
  rig.write(
    'own.yaml',
    `version: 1
name: own
dataset: { name: csv-sequences, file: train.csv, sequence: id, order: t, targets: [label], testFraction: 0.2 }
model: { name: mean-pool, hiddenSize: 4 }
optimizer: { name: adam, learningRate: 0.02 }
train: { batchSize: 8, steps: 6, displayEvery: 3 }
`,
  );
  expect((await rig.unroll('run', 'own.yaml', '--quiet')).code).toBe(0);
  const [id = ''] = rig.runIds('own');
  const verified = await rig.unroll('verify', id);
  expect(verified.stdout).toMatch(/model\.onnx predicts the 8 recorded examples as recorded/);
  const predict = (model: string) => rig.unroll('predict', model, '--input', 'new.csv');
  const [byRun, byFile] = [await predict(id), await predict(rig.runPath('own', id, 'model', 'model.onnx'))];
  expect(byFile).toEqual(byRun);
  expect(byRun.stdout.trim().split('\n')).toHaveLength(11);
});
