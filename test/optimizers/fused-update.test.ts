import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { packSettings } from '../../src/optimizers/update-settings.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { runNative } from '../../src/tensorflow/native.ts';
import { optimizerVariants } from '../support/optimizer-variants.ts';
import { runTypeScript } from '../support/run-typescript.ts';

await loadTensorFlow();
const kernels = fusedKernels();
const why = kernels.available ? '' : ` (left out: ${kernels.reason})`;

const [beta1, beta2, stepSize, epsilon, keep] = [0.9, 0.99, 0.01, 1e-3, 0.98];
const settings = () =>
  tf.tensor1d(
    packSettings('Adam', {
      beta1,
      oneMinusBeta1: 1 - beta1,
      beta2,
      oneMinusBeta2: 1 - beta2,
      stepSize,
      epsilon,
      keep,
    }),
  );

const draw = (name: string, shape: number[]): tf.Tensor => {
  const random = randomStream(1, name);
  return tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.uniform()),
    shape,
  );
};

/** Tensors of some weights, for each of what the operation takes a list of. */
const drawLists = (shapes: readonly number[][]): tf.Tensor[][] =>
  ['weight', 'gradient', 'mean', 'variance'].map((name) =>
    shapes.map((shape, index) => draw(`${name}/${index}`, shape)),
  );

const step = (lists: readonly (readonly tf.Tensor[])[], given = settings()) => {
  const count = lists[0]?.length ?? 0;
  return runNative('UnrollAdam', [...lists.flat(), given], {
    attributes: [
      { name: 'N', int: count },
      { name: 'M', int: 2 * count },
    ],
    outputs: 3 * count,
  });
};

/** Cheaper to compare than numbers one by one. */
const bitsOf = (tensors: readonly tf.Tensor[]) =>
  tensors.map((tensor) => Buffer.from(tensor.dataSync().slice().buffer).toString('base64'));

const valuesOf = (tensors: readonly tf.Tensor[]) => tensors.map((tensor) => tensor.dataSync());

describe.skipIf(!kernels.available)(`the fused update${why}`, () => {
  // The large ones are more than two threads take at once, with a remainder, and the cut goes through small weights, too.
  test.each([
    [[[]]],
    [[[1]]],
    [[[7, 5], [3], [0], [2, 2, 2]]],
    [[[140_009]]],
    [[[65_530], [3], [40], [], [140_009], [5]]],
  ])('computes its formula for weights of the shapes %j', (shapes: number[][]) => {
    const lists = drawLists(shapes);
    const before = lists.map(valuesOf);
    const bits = lists.map(bitsOf);
    const found = step(lists);
    expect(found.map(({ shape }) => shape)).toEqual([...shapes, ...shapes, ...shapes]);
    const results = valuesOf(found);
    let apart = 0;
    for (const index of shapes.keys()) {
      const [weights = [], ...others] = before.map((list) => [...(list[index] ?? [])]);
      for (const [at, weight] of weights.entries()) {
        const [gradient = 0, mean = 0, variance = 0] = others.map((values) => values[at]);
        const nextMean = beta1 * mean + (1 - beta1) * gradient;
        const nextVariance = beta2 * variance + (1 - beta2) * gradient ** 2;
        const nextWeight = keep * weight - (stepSize * nextMean) / (Math.sqrt(nextVariance) + epsilon);
        for (const [list, expected] of [nextWeight, nextMean, nextVariance].entries())
          apart = Math.max(
            apart,
            Math.abs((results[list * shapes.length + index]?.[at] ?? Number.NaN) - expected),
          );
      }
    }
    expect(apart).toBeLessThan(2e-7);
    // Who kept the tensors from before must find them unchanged.
    expect(lists.map(bitsOf)).toEqual(bits);
  });

  test('agrees with the operations of tfjs for every rule', async () => {
    const file = join(packageRoot, 'test', 'support', 'optimizer-values.ts');
    const valuesWith = async (env: Record<string, string>) =>
      JSON.parse(await runTypeScript(file, env)) as {
        fused: boolean;
        values: Record<string, number[][]>;
      };
    const [fused, composed] = [await valuesWith({}), await valuesWith({ UNROLL_INSTRUCTION_SET: 'none' })];
    expect([fused.fused, composed.fused]).toEqual([true, false]);
    expect(Object.keys(fused.values)).toEqual(Object.keys(optimizerVariants));
    for (const [name, tensors] of Object.entries(fused.values)) {
      expect(tensors.map(({ length }) => length)).toEqual(composed.values[name]?.map(({ length }) => length));
      const expected = composed.values[name]?.flat() ?? [];
      for (const [at, value] of tensors.flat().entries()) {
        const wanted = expected[at] ?? Number.NaN;
        expect(Math.abs(value - wanted), `${name}, number ${at}: ${value} and ${wanted}`).toBeLessThanOrEqual(
          2e-6 * Math.max(1, Math.abs(wanted)),
        );
      }
    }
  });

  test('gives every weight the bits that it gets alone', () => {
    const shapes = [[65_530], [3], [40], [], [140_009], [5]];
    const lists = drawLists(shapes);
    const together = bitsOf(step(lists));
    for (const index of shapes.keys()) {
      const alone = bitsOf(step(lists.map((list) => [list[index] as tf.Tensor])));
      expect(alone).toEqual([0, 1, 2].map((list) => together[list * shapes.length + index]));
    }
  });

  test('says what is wrong with a call', () => {
    const [a, b] = [draw('a', [2, 3]), draw('b', [3, 2])];
    expect(() => step([[a], [a], [a], [b]])).toThrow('slot must have the shape [2, 3], not [3, 2]');
    expect(() =>
      step([
        [a, b],
        [a, a],
        [a, b],
        [a, b],
      ]),
    ).toThrow('gradient must have the shape [3, 2], not [2, 3]');
    expect(() => step([[a], [a], [a], [a]], tf.tensor1d([1]))).toThrow(
      'settings must have the shape [7], not [1]',
    );
    expect(() => step([[a], [a], [a], []])).toThrow();
  });
});
