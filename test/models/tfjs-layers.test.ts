import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import {
  buildModel,
  largestDifference,
  numbers,
  scatterWeights,
  type AnyParameters,
  type CellName,
} from '../support/networks.ts';

/** The cells against those of tfjs-layers with the same weights. Its gates stand in another order. */

beforeAll(() => loadTensorFlow());

const [batch, steps, features, hiddenSize] = [4, 9, 5, 7];

/** Which of our blocks of columns tfjs-layers has at each place: input, forget, candidate, output; update, reset, candidate. */
const gateOrder: Record<CellName, readonly number[]> = {
  lstm: [0, 2, 1, 3],
  gru: [1, 0, 2],
  'simple-rnn': [0],
};

const reordered = (columns: Tensor, name: CellName): Tensor => {
  const blocks = tf.split(columns, gateOrder[name].length, -1);
  return tf.concat(
    gateOrder[name].map((block) => blocks[block] as Tensor),
    -1,
  );
};

const layerOf = (name: CellName): layers.layers.Layer => {
  const shared = { units: hiddenSize, returnSequences: true } as const;
  switch (name) {
    case 'lstm':
      return layers.layers.lstm({ ...shared, recurrentActivation: 'sigmoid', unitForgetBias: false });
    case 'gru':
      return layers.layers.gru({ ...shared, recurrentActivation: 'sigmoid' });
    case 'simple-rnn':
      return layers.layers.simpleRNN(shared);
  }
};

describe('a layer gives what tfjs-layers gives', () => {
  const own: Record<CellName, Partial<AnyParameters>> = {
    lstm: { forgetBias: 0 },
    gru: { resetAfter: false },
    'simple-rnn': {},
  };
  for (const name of ['lstm', 'gru', 'simple-rnn'] as const)
    test(name, async () => {
      const model = await buildModel({
        name,
        parameters: { hiddenSize, ...own[name] },
        shape: {
          steps,
          variableLength: false,
          input: { kind: 'values', features },
          task: { kind: 'labelling', classes: 3 },
        },
      });
      scatterWeights(model);
      const weight = (of: string) => model.variables.get(of) as unknown as Tensor2D;
      const inputs: Tensor3D = tf.tensor3d(numbers(randomStream(1, 'inputs'), batch * steps * features), [
        batch,
        steps,
        features,
      ]);
      const layer = layerOf(name);
      // The first call makes the weights.
      layer.apply(inputs);
      const [inputKernel, recurrentKernel] = tf.split(weight('layer1/forward/kernel'), [
        features,
        hiddenSize,
      ]);
      layer.setWeights([
        reordered(inputKernel as Tensor, name),
        reordered(recurrentKernel as Tensor, name),
        reordered(weight('layer1/forward/bias'), name),
      ]);
      const outputs = layer.apply(inputs) as Tensor3D;
      const expected = tf.add(
        tf.matMul(tf.reshape<tf.Rank.R2>(outputs, [batch * steps, hiddenSize]), weight('output/kernel')),
        weight('output/bias'),
      );
      const found = model.forward({ inputs, lengths: undefined }, { training: false, step: 0 });
      expect(found.shape).toEqual([batch, steps, 3]);
      expect(largestDifference(found.dataSync(), expected.dataSync())).toBeLessThan(1e-5);
    });
});
