import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import {
  buildModel,
  cellNames,
  intTensor,
  largestDifference,
  lossAndGradients,
  numbers,
  scatterWeights,
} from '../support/networks.ts';

/** Padding never changes a result or a gradient, and a sequence does not depend on what shares its batch. */

beforeAll(() => loadTensorFlow());

const features = 2;
const classes = 2;

const cases = fc.record({
  lengths: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
  padding: fc.integer({ min: 0, max: 3 }),
  seed: fc.integer({ min: 0, max: 1000 }),
  parameters: fc.record({
    layers: fc.integer({ min: 1, max: 2 }),
    bidirectional: fc.boolean(),
    layerNorm: fc.boolean(),
    recurrentDropout: fc.constantFrom(0, 0.3),
    readout: fc.constantFrom('last' as const, 'final-state' as const, 'mean' as const, 'max' as const),
  }),
  perStep: fc.boolean(),
  truncation: fc.constantFrom(
    undefined,
    { steps: 2, style: 'chunked' as const },
    { steps: 2, style: 'true' as const },
  ),
});

describe('padding changes neither outputs nor gradients', () => {
  for (const name of cellNames)
    test(name, async () => {
      await fc.assert(
        fc.asyncProperty(cases, async ({ lengths, padding, seed, perStep, parameters, truncation }) => {
          const bidirectional = parameters.bidirectional && truncation?.style !== 'true';
          const longest = Math.max(...lengths);
          const task = { kind: perStep ? 'labelling' : 'classification', classes } as const;
          const run = async (steps: number, filler: number) => {
            const model = await buildModel({
              name,
              parameters: { ...parameters, bidirectional, hiddenSize: 3 },
              shape: { steps, variableLength: true, task },
              ...(truncation && { truncation }),
            });
            scatterWeights(model);
            const values = lengths.flatMap((length, row) => [
              ...numbers(randomStream(seed, 'row', row), length * features),
              ...Array.from({ length: (steps - length) * features }, () => filler),
            ]);
            const rowsOut = perStep ? steps : 1;
            const lossWeights = lengths.flatMap((length, row) => [
              ...numbers(randomStream(seed, 'loss', row), (perStep ? length : 1) * classes),
              ...Array.from({ length: perStep ? (steps - length) * classes : 0 }, () => 0),
            ]);
            const result = lossAndGradients(
              model,
              {
                inputs: tf.tensor3d(values, [lengths.length, steps, features]),
                lengths: intTensor(lengths),
              },
              { lossWeights: Float32Array.from(lossWeights), step: 5 },
            );
            const outputs = lengths.flatMap((length, row) => {
              const from = row * rowsOut * classes;
              return [...result.outputs.subarray(from, from + (perStep ? length : 1) * classes)];
            });
            for (const variable of model.variables.values()) variable.dispose();
            return { outputs, gradients: [...result.gradients.values()].flatMap((values) => [...values]) };
          };
          const short = await run(longest, 0);
          const long = await run(longest + padding, 9);
          expect(largestDifference(long.outputs, short.outputs)).toBeLessThan(1e-6);
          expect(largestDifference(long.gradients, short.gradients)).toBeLessThan(1e-5);
        }),
        { numRuns: 12 },
      );
    });
});
