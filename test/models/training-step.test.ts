import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import type { Model, Truncation } from '../../src/models/model.ts';
import { drawMasks } from '../../src/models/network/masks.ts';
import { fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import {
  buildModel,
  cellNames,
  intTensor,
  largestDifference,
  lossAndGradients,
  numbers,
  parametersOf,
  scatterWeights,
  type AnyParameters,
  type NetworkSetting,
} from '../support/networks.ts';

await loadTensorFlow();
const kernels = fusedKernels();
const why = kernels.available ? '' : ` (left out: ${kernels.reason})`;

const [batch, steps] = [3, 6];
const inputs = () => tf.tensor3d(numbers(randomStream(1, 'inputs'), batch * steps * 2), [batch, steps, 2]);
const lossWeights = numbers(randomStream(1, 'loss'), batch * 2);

const run = (model: Model, step: number, training = true) =>
  lossAndGradients(
    model,
    { inputs: inputs(), lengths: intTensor([6, 2, 4]) },
    { lossWeights, step, training },
  );

const flat = (gradients: ReadonlyMap<string, Float32Array>): number[] =>
  [...gradients.values()].flatMap((values) => [...values]);

describe('dropout masks', () => {
  const dropping: Partial<AnyParameters> = {
    hiddenSize: 8,
    layers: 2,
    dropout: 0.5,
    recurrentDropout: 0.5,
    bidirectional: true,
  };
  for (const name of cellNames)
    test(`${name}: depend on seed and step only, and are absent in evaluation`, async () => {
      const build = async (setting: Partial<NetworkSetting> = {}) => {
        const model = await buildModel({ name, parameters: dropping, ...setting });
        scatterWeights(model);
        return model;
      };
      const model = await build();
      const first = run(model, 3);
      run(model, 1);
      expect(run(model, 3).outputs).toEqual(first.outputs);
      expect(run(await build(), 3).outputs).toEqual(first.outputs);
      expect(run(model, 4).outputs).not.toEqual(first.outputs);
      expect(run(await build({ seed: 2 }), 3).outputs).not.toEqual(first.outputs);

      const dry = await build({ parameters: { ...dropping, dropout: 0, recurrentDropout: 0 } });
      expect(largestDifference(run(model, 3, false).outputs, run(dry, 1).outputs)).toBeLessThan(1e-6);
    });
});

test('a mask is drawn sequence by sequence from a stream of its own', () => {
  const masks = drawMasks(
    parametersOf('gru', { dropout: 0.4, recurrentDropout: 0.2, inputDropout: 0.3, outputDropout: 0.6 }),
    (...purpose) => randomStream(1, ...purpose),
    { step: 7, batch: 5 },
  );
  const drawn = (rate: number, ...purpose: (string | number)[]) => {
    const random = randomStream(1, ...purpose, 7);
    return Array.from({ length: 15 }, () => (random.uniform() < rate ? 0 : Math.fround(1 / (1 - rate))));
  };
  const values = (mask: Tensor | undefined) => [...(mask?.dataSync() ?? [])];
  expect(values(masks.between(2, 3))).toEqual(drawn(0.4, 'dropout', 2));
  expect(values(masks.input(3))).toEqual(drawn(0.3, 'input-dropout'));
  expect(values(masks.output(3))).toEqual(drawn(0.6, 'output-dropout'));
  expect(values(masks.recurrent(1, 'backward', 3))).toEqual(drawn(0.2, 'recurrent-dropout', 1, 'backward'));
});

test('dropout before and after a single layer acts in training alone', async () => {
  for (const key of ['inputDropout', 'outputDropout'] as const) {
    const dropping = await buildModel({ name: 'lstm', parameters: { hiddenSize: 8, [key]: 0.5 } });
    const plain = await buildModel({ name: 'lstm', parameters: { hiddenSize: 8 } });
    scatterWeights(dropping);
    scatterWeights(plain);
    expect(run(dropping, 3, false).outputs).toEqual(run(plain, 3, false).outputs);
    expect(run(dropping, 3).outputs).not.toEqual(run(plain, 3).outputs);
    expect(run(dropping, 3).outputs).not.toEqual(run(dropping, 4).outputs);
  }
});

describe.skipIf(!kernels.available)(`fused kernels drop what composed operations drop${why}`, () => {
  const settings: Readonly<Record<string, Omit<NetworkSetting, 'name' | 'kernel'>>> = {
    'two layers, both directions': { parameters: { bidirectional: true, readout: 'final-state' } },
    'both directions in chunks': {
      parameters: { bidirectional: true },
      truncation: { steps: 4, style: 'chunked' },
    },
    'true truncation': { truncation: { steps: 3, style: 'true' } },
    'true truncation of every step': {
      parameters: { readout: 'mean' },
      truncation: { steps: 3, style: 'true' },
    },
  };
  describe.each(cellNames)('%s', (name) => {
    test.each(Object.entries(settings))('%s', async (_, setting) => {
      const parameters = { ...setting.parameters, hiddenSize: 20, layers: 2, recurrentDropout: 0.3 };
      const stepOf = async (kernel?: string) => {
        const model = await buildModel({ ...setting, name, parameters, ...(kernel && { kernel }) });
        scatterWeights(model);
        return { kernel: model.kernel, ...run(model, 1) };
      };
      const [fused, composed] = [await stepOf(), await stepOf(`composed-${name}`)];
      expect([fused.kernel, composed.kernel]).toEqual([`fused-${name}`, `composed-${name}`]);
      // The last bits tell that it was two kernels indeed.
      expect(fused.gradients).not.toEqual(composed.gradients);
      expect(largestDifference(fused.outputs, composed.outputs)).toBeLessThan(1e-5);
      for (const [weight, gradient] of fused.gradients) {
        const expected = composed.gradients.get(weight) ?? new Float32Array();
        const scale = Math.max(1, ...expected.map(Math.abs));
        expect(largestDifference(gradient, expected) / scale, weight).toBeLessThan(1e-5);
      }
    });
  });
});

describe('truncation', () => {
  const gradientsWith = async (name: (typeof cellNames)[number], truncation?: Truncation) => {
    const model = await buildModel({
      name,
      parameters: { hiddenSize: 4, layers: 2 },
      ...(truncation && { truncation }),
    });
    scatterWeights(model);
    return run(model, 1);
  };
  for (const name of cellNames)
    test(`${name}: is full backpropagation once it covers the sequence, and differs by style before`, async () => {
      const full = await gradientsWith(name);
      for (const style of ['chunked', 'true'] as const) {
        const covering = await gradientsWith(name, { steps, style });
        expect(largestDifference(flat(covering.gradients), flat(full.gradients))).toBe(0);
        const cut = await gradientsWith(name, { steps: 4, style });
        expect(largestDifference(cut.outputs, full.outputs)).toBeLessThan(1e-6);
        expect(largestDifference(flat(cut.gradients), flat(full.gradients))).toBeGreaterThan(1e-4);
      }
      const [chunked, exact] = [
        await gradientsWith(name, { steps: 4, style: 'chunked' }),
        await gradientsWith(name, { steps: 4, style: 'true' }),
      ];
      expect(largestDifference(flat(chunked.gradients), flat(exact.gradients))).toBeGreaterThan(1e-4);
    });
});

describe('no tensor is left behind by a step', () => {
  const variations: Partial<NetworkSetting>[] = [
    {},
    { parameters: { layers: 2, bidirectional: true, dropout: 0.3, recurrentDropout: 0.3, layerNorm: true } },
    { parameters: { layers: 2 }, truncation: { steps: 2, style: 'chunked' } },
    { parameters: { layers: 2 }, truncation: { steps: 2, style: 'true' } },
  ];
  for (const name of cellNames)
    test(name, async () => {
      for (const variation of variations) {
        const model = await buildModel({
          ...variation,
          name,
          parameters: { ...variation.parameters, hiddenSize: 3 },
        });
        const counts = [1, 2, 3].map((step) => {
          tf.tidy(() => void run(model, step));
          return tf.memory().numTensors;
        });
        expect(new Set(counts.slice(1)).size).toBe(1);
        tf.tidy(() => void run(model, 4, false));
        expect(tf.memory().numTensors).toBe(counts[2]);
      }
    });
});
