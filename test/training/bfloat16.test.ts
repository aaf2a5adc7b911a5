import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { planExperiment } from '../../src/plan/plan-experiment.ts';
import { weightsFinder } from '../../src/report/find-weights.ts';
import { writeTensors } from '../../src/system/safetensors.ts';
import { emulatedBfloat16 } from '../../src/tensorflow/emulated-bfloat16.ts';
import { fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { metricsIn, toyRun, trainUntil } from '../support/toy-training.ts';

await loadTensorFlow();
const kernels = fusedKernels();
const why = kernels.available ? '' : ` (left out: ${kernels.reason})`;

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8'));

/** Made by fixtures/stateful/make.py with PyTorch. */
const setting = read('stateful/stateful.json') as {
  readonly text: string;
  readonly length: number;
  readonly streams: number;
  readonly passes: number;
  readonly learningRate: number;
  readonly hiddenSize: number;
  readonly cases: readonly {
    readonly layers: number;
    readonly weights: Readonly<Record<string, { readonly shape: number[]; readonly values: number[] }>>;
    readonly train: readonly number[];
  }[];
};

/** Made by fixtures/bfloat16/make.py with PyTorch: the same networks with the operands of products rounded by hand. */
const cases = read('bfloat16/bfloat16.json') as readonly {
  readonly model: string;
  readonly train: readonly number[];
}[];

const apart = (some: readonly number[], others: readonly number[]): number =>
  Math.max(...some.map((one, at) => Math.abs(one - (others[at] ?? NaN))));

const lossesIn = (directory: string, name: string): readonly number[] =>
  metricsIn(directory).flatMap(({ metrics: { [name]: loss } }) => (loss === undefined ? [] : [Number(loss)]));

describe.skipIf(!kernels.available)(`train.precision: bfloat16${why}`, () => {
  test.each(cases.map((one, at) => ({ ...one, ...setting.cases[at], rounded: one.train })))(
    'has the losses that PyTorch computes with rounded operands: $model',
    async ({ model, layers = 1, weights = {}, train, rounded }) => {
      const { text, length, streams, passes, learningRate, hiddenSize } = setting;
      const folder = temporaryDirectory('bfloat16');
      writeFileSync(join(folder, 'text.txt'), text);
      const startFile = join(folder, 'weights.safetensors');
      const tensors = new Map(
        Object.entries(weights).map(([name, { shape, values }]) => [
          name,
          { shape, values: Float32Array.from(values) },
        ]),
      );
      writeTensors(startFile, { tensors, metadata: {} });
      const path = join(folder, 'spec.yaml');
      writeFileSync(
        path,
        `version: 1
name: trial
dataset: { name: characters, file: ${join(folder, 'text.txt')}, length: ${length}, validationFraction: 0.3, testFraction: 0.3 }
model: { name: ${model}, hiddenSize: ${hiddenSize}, layers: ${layers}${model === 'lstm' ? ', forgetBias: 0' : ''} }
optimizer: { name: sgd, learningRate: ${learningRate} }
train: { from: weights.safetensors, epochs: ${passes}, batchSize: ${streams}, displayEvery: 1, shuffle: false, stateful: true, precision: bfloat16 }
`,
      );
      const plan = await planExperiment(path, { cores: 1, findWeights: weightsFinder(dirname(path)) });
      if (!plan.ok) throw new Error(plan.errors.map(({ message }) => message).join(' '));
      const [run] = plan.value.runs;
      if (!run) throw new Error('no run');
      const directory = join(folder, run.id);
      await trainUntil(run, directory, Infinity, { startFile });
      const losses = lossesIn(directory, 'train/loss');
      expect(losses).toHaveLength(rounded.length);
      expect(apart(losses, rounded)).toBeLessThan(1e-6);
      // Without rounding the losses are others.
      expect(apart(losses, train)).toBeGreaterThan(1e-4);
    },
  );

  const networks = [
    'name: lstm, hiddenSize: 17, bidirectional: true, layers: 2',
    'name: gru, hiddenSize: 5, recurrentDropout: 0.3, readout: mean',
    'name: simple-rnn, hiddenSize: 1, outputDropout: 0.2',
  ];

  test.each(networks)('rounds in training steps alone: %s', async (model) => {
    const folder = temporaryDirectory('bfloat16');
    const trained = async (precision: string) => {
      // So small a step changes no weight.
      const run = await toyRun(folder, {
        model,
        optimizer: 'name: sgd, learningRate: 1.0e-30',
        train: `steps: 3, evaluateEvery: 1, ${precision}`,
      });
      const directory = join(folder, run.id);
      await trainUntil(run, directory, Infinity);
      return { id: run.id, train: lossesIn(directory, 'train/loss'), val: lossesIn(directory, 'val/loss') };
    };
    const single = await trained('precision: float32');
    const rounded = await trained('precision: bfloat16');
    expect(rounded.val).toEqual(single.val);
    expect(apart(rounded.train, single.train)).toBeGreaterThan(0);
    expect(apart(rounded.train, single.train)).toBeLessThan(0.02);
    expect(rounded.id).not.toBe(single.id);
  });
});

test('the precision is part of a run, and the default is left out of it', async () => {
  const folder = temporaryDirectory('bfloat16');
  const planned = async (train: string) =>
    await toyRun(folder, { model: 'name: gru', optimizer: 'name: sgd, learningRate: 0.1', train });
  const [plain, single, rounded] = [
    await planned('steps: 3'),
    await planned('steps: 3, precision: float32'),
    await planned('steps: 3, precision: bfloat16'),
  ];
  expect(single.id).toBe(plain.id);
  expect(single.config.train).not.toHaveProperty('precision');
  expect(rounded.id).not.toBe(plain.id);
  expect(rounded.config.train.precision).toBe('bfloat16');
});

test('a processor without the instructions is named in a warning', () => {
  expect(emulatedBfloat16(['avx2', 'fma', 'avx512f'])).toMatchObject({ severity: 'warning' });
  expect(emulatedBfloat16(['avx2', 'fma', 'avx512f', 'avx512_bf16'])).toBeUndefined();
});
