import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { emulatedBfloat16 } from '../../src/tensorflow/processor.ts';
import { fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { recordedIn, torchCases, trainCase } from '../support/torch-cases.ts';
import { toyRun, trainUntil } from '../support/toy-training.ts';

await loadTensorFlow();
const kernels = fusedKernels();
const why = kernels.available ? '' : ` (left out: ${kernels.reason})`;

/** Made by fixtures/bfloat16/make.py with PyTorch: the same networks with the operands of products rounded by hand. */
const cases = JSON.parse(
  readFileSync(new URL('../fixtures/bfloat16/bfloat16.json', import.meta.url), 'utf8'),
) as readonly {
  readonly model: string;
  readonly train: readonly number[];
}[];

const apart = (some: readonly number[], others: readonly number[]): number =>
  Math.max(...some.map((one, at) => Math.abs(one - (others[at] ?? NaN))));

describe.skipIf(!kernels.available)(`train.precision: bfloat16${why}`, () => {
  test.each(torchCases.cases.map((one, at) => ({ ...one, rounded: cases[at]?.train ?? [] })))(
    'has the losses that PyTorch computes with rounded operands: $model',
    async ({ rounded, ...one }) => {
      expect(cases.map(({ model }) => model)).toEqual(torchCases.cases.map(({ model }) => model));
      const { losses } = await trainCase(one, {
        train: `stateful: true, batchSize: ${torchCases.streams}, precision: bfloat16`,
      });
      expect(losses).toHaveLength(rounded.length);
      expect(apart(losses, rounded)).toBeLessThan(1e-6);
      // Without rounding the losses are others.
      expect(apart(losses, one.train)).toBeGreaterThan(1e-4);
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
      return {
        id: run.id,
        train: recordedIn(directory, 'train/loss'),
        val: recordedIn(directory, 'val/loss'),
      };
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
