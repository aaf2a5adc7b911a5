import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openModel } from '../../src/prediction/open-model.ts';
import { readTensors } from '../../src/system/safetensors.ts';
import { createRig } from '../support/rig.ts';
import { sharedDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const rig = createRig({}, sharedDirectory());
const runsDirectory = join(rig.directory, 'runs');
rig.write(
  'spec.yaml',
  `version: 1
name: toy
dataset: { name: toy-sequences, trainSize: 60, testSize: 20, validationSize: 20 }
model: { name: lstm, hiddenSize: 4 }
optimizer: { name: adam, learningRate: 0.01 }
train: { batchSize: 16, steps: 10, displayEvery: 5 }
run: { concurrency: 1, threadsPerRun: 1 }
`,
);
const trained = await rig.unroll('run', 'spec.yaml', '--no-mlflow');
const [id = ''] = rig.runIds('toy');
const folder = rig.runPath('toy', id, 'model');
const open = (reference: string) => openModel(reference, { runsDirectory });

/** A copy of the folder with another model.json. */
const copyWith = (change: (file: Record<string, unknown>) => unknown): string => {
  const copy = temporaryDirectory();
  cpSync(folder, copy, { recursive: true });
  const file = JSON.parse(readFileSync(join(copy, 'model.json'), 'utf8')) as Record<string, unknown>;
  writeFileSync(join(copy, 'model.json'), JSON.stringify(change(file)));
  return copy;
};

describe('openModel', () => {
  test('opens a run by the beginning of its id, its directory, best:EXPERIMENT and a copy of its folder', () => {
    expect(trained.code).toBe(0);
    const copy = copyWith((file) => file);
    for (const reference of [id.slice(0, 5), rig.runPath('toy', id), 'best:toy', folder, copy]) {
      const model = open(reference);
      if (!model.ok) throw new Error(`${reference}: ${model.errors[0]?.message ?? ''}`);
      expect(model.value.file.run.id).toBe(id);
      const stored = readTensors(join(folder, 'weights.safetensors')).tensors.get('weights/output/bias');
      expect(model.value.weights.get('output/bias')).toEqual(stored);
    }
  });

  test('opens a folder of an earlier version where its run shows the data, and names what is missing elsewhere', () => {
    const earlier = ({ model, loss, shape, versions }: Record<string, unknown>) => ({
      model: { ...(model as { parameters: object }).parameters, name: 'lstm', readout: 'auto' },
      loss,
      shape,
      versions,
    });
    const run = temporaryDirectory();
    cpSync(rig.runPath('toy', id, 'run.json'), join(run, 'run.json'));
    mkdirSync(join(run, 'model'));
    const alone = copyWith(earlier);
    cpSync(alone, join(run, 'model'), { recursive: true });
    const opened = open(join(run, 'model'));
    expect(opened).toMatchObject({
      value: {
        file: { run: { id }, model: { parameters: { readout: 'last' } }, preprocessing: { kind: 'none' } },
      },
    });
    expect(open(alone)).toMatchObject({
      errors: [
        { code: 'unsupported-version', help: expect.stringContaining('Train the run again') as string },
      ],
    });
  });

  test('refuses what is no model, a later format and a damaged folder, each with what to do', () => {
    expect(open('zzz')).toMatchObject({ errors: [{ code: 'unknown-run' }] });
    expect(open('best:nothing')).toMatchObject({ errors: [{ code: 'unknown-name' }] });
    expect(open(copyWith((file) => ({ ...file, format: 3 })))).toMatchObject({
      errors: [{ code: 'unsupported-version', expected: 'format 2' }],
    });
    const damaged = open(copyWith((file) => ({ ...file, shape: { steps: 'many' } })));
    expect(damaged).toMatchObject({ errors: [{ code: 'damaged-record' }] });
    const cut = copyWith((file) => file);
    const weights = readFileSync(join(cut, 'weights.safetensors'));
    writeFileSync(join(cut, 'weights.safetensors'), weights.subarray(0, weights.length - 4));
    expect(open(cut)).toMatchObject({ errors: [{ code: 'damaged-record' }] });
  });
});
