import { beforeAll, describe, expect, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { outputsOf } from '../../src/data/task.ts';
import type { SequenceShape } from '../../src/data/dataset.ts';
import type { ModelRow } from '../../src/models/model.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import {
  buildModel,
  cellNames,
  parametersOf,
  rows,
  shapeOf,
  type AnyParameters,
  type CellName,
} from '../support/networks.ts';

beforeAll(() => loadTensorFlow());

const mnist: SequenceShape = {
  steps: 28,
  input: { kind: 'values', features: 28 },
  variableLength: false,
  task: { kind: 'classification', classes: 10 },
};
const tokens: SequenceShape = {
  steps: 9,
  input: { kind: 'tokens', vocabulary: 11 },
  variableLength: false,
  task: { kind: 'next-step', classes: 11 },
};

/** Counted by hand: a cell is (inputs + hidden + 1) x gates x hidden, an output layer (inputs + 1) x outputs. */
const counts: readonly [CellName, Partial<AnyParameters>, SequenceShape, number][] = [
  ['lstm', { hiddenSize: 512 }, mnist, (28 + 512 + 1) * 2048 + 513 * 10],
  ['lstm', { hiddenSize: 512, bidirectional: true }, mnist, 2 * (28 + 512 + 1) * 2048 + 1025 * 10],
  ['lstm', { hiddenSize: 512, bidirectional: true, merge: 'sum' }, mnist, 2 * (28 + 513) * 2048 + 513 * 10],
  ['lstm', { hiddenSize: 64, layers: 3 }, mnist, (28 + 65 + 2 * (64 + 65)) * 256 + 65 * 10],
  [
    'lstm',
    { hiddenSize: 8, layers: 2, bidirectional: true },
    mnist,
    2 * (28 + 9) * 32 + 2 * (16 + 9) * 32 + 17 * 10,
  ],
  ['lstm', { hiddenSize: 8, peepholes: true }, mnist, (28 + 9) * 32 + 3 * 8 + 9 * 10],
  [
    'lstm',
    { hiddenSize: 8, projectionSize: 3, layers: 2 },
    mnist,
    (28 + 3 + 1) * 32 + (3 + 3 + 1) * 32 + 2 * 8 * 3 + 4 * 10,
  ],
  ['lstm', { hiddenSize: 8, layerNorm: true }, mnist, (28 + 9) * 32 + 2 * 32 + 2 * 8 + 9 * 10],
  ['lstm', { hiddenSize: 8, embeddingSize: 5 }, tokens, 11 * 5 + (5 + 9) * 32 + 9 * 11],
  ['lstm', { hiddenSize: 8 }, tokens, (11 + 9) * 32 + 9 * 11],
  ['gru', { hiddenSize: 8 }, mnist, (28 + 9) * 24 + 8 + 9 * 10],
  ['gru', { hiddenSize: 8, resetAfter: false }, mnist, (28 + 9) * 24 + 9 * 10],
  ['gru', { hiddenSize: 8, layerNorm: true }, mnist, (28 + 9) * 24 + 8 + 2 * 24 + 9 * 10],
  ['simple-rnn', { hiddenSize: 8 }, mnist, (28 + 9) * 8 + 9 * 10],
  ['simple-rnn', { hiddenSize: 8, layerNorm: true }, mnist, (28 + 9) * 8 + 8 + 9 * 10],
];

describe('the number of weights is exact, and that of the network built', () => {
  for (const [name, changed, shape, expected] of counts)
    test(`${name} ${JSON.stringify(changed)}`, async () => {
      const parameters = parametersOf(name, changed);
      expect(
        (rows[name] as ModelRow).parameterCount?.(parameters, { shape, outputs: outputsOf(shape.task) }),
      ).toBe(expected);
      const model = await buildModel({ name, parameters, shape });
      const built = [...model.variables.values()].reduce((sum, { size }) => sum + size, 0);
      expect(built).toBe(expected);
    });
});

describe('first weights', () => {
  test('depend on the seed alone', async () => {
    for (const name of cellNames) {
      const [one, same, other] = await Promise.all(
        [1, 1, 2].map(async (seed) => {
          const model = await buildModel({
            name,
            parameters: { hiddenSize: 4, outputInitializer: 'normal' },
            seed,
          });
          return Object.fromEntries([...model.variables].map(([key, value]) => [key, [...value.dataSync()]]));
        }),
      );
      expect(same).toEqual(one);
      for (const weight of ['layer1/forward/kernel', 'output/kernel', 'output/bias'])
        expect(other?.[weight]).not.toEqual(one?.[weight]);
    }
  });

  test('stand in a fixed order, the name saying layer and direction', async () => {
    const model = await buildModel({
      name: 'lstm',
      parameters: { hiddenSize: 2, layers: 2, bidirectional: true },
    });
    expect([...model.variables.keys()]).toEqual([
      'layer1/forward/kernel',
      'layer1/forward/bias',
      'layer1/backward/kernel',
      'layer1/backward/bias',
      'layer2/forward/kernel',
      'layer2/forward/bias',
      'layer2/backward/kernel',
      'layer2/backward/bias',
      'output/kernel',
      'output/bias',
    ]);
  });

  test('are drawn row by row from the stream of their name, in the way of the reference', async () => {
    const model = await buildModel({
      name: 'lstm',
      parameters: { hiddenSize: 3, outputInitializer: 'normal' },
      seed: 5,
    });
    const values = (name: string) => [...(model.variables.get(name)?.dataSync() ?? [])];
    const limit = Math.sqrt(6 / (2 + 3 + 12));
    const kernel = randomStream(5, 'init', 'layer1/forward/kernel');
    expect(values('layer1/forward/kernel')).toEqual(
      Array.from({ length: 60 }, () => Math.fround((2 * kernel.uniform() - 1) * limit)),
    );
    expect(values('layer1/forward/bias')).toEqual(Array.from({ length: 12 }, () => 0));
    for (const name of ['output/kernel', 'output/bias']) {
      const random = randomStream(5, 'init', name);
      expect(values(name)).toEqual(values(name).map(() => Math.fround(random.normal())));
    }
  });

  test('orthogonal: each gate of the hidden state', async () => {
    const size = 6;
    for (const [name, gates] of [
      ['lstm', 4],
      ['gru', 3],
      ['simple-rnn', 1],
    ] as const) {
      const model = await buildModel({
        name,
        parameters: { hiddenSize: size, kernelInitializer: 'orthogonal' },
      });
      const kernel = model.variables.get('layer1/forward/kernel')?.arraySync() as number[][];
      const recurrent = kernel.slice(2);
      for (let gate = 0; gate < gates; gate++)
        for (let a = 0; a < size; a++)
          for (let b = 0; b < size; b++) {
            const [first = [], second = []] = [a, b].map((row) =>
              recurrent[row]?.slice(gate * size, (gate + 1) * size),
            );
            const product = first.reduce((sum, value, at) => sum + value * (second[at] ?? NaN), 0);
            expect(product).toBeCloseTo(a === b ? 1 : 0, 6);
          }
    }
  });

  test('uniform: weights and biases within 1 / sqrt(hiddenSize)', async () => {
    const model = await buildModel({
      name: 'gru',
      parameters: { hiddenSize: 16, kernelInitializer: 'uniform', outputInitializer: 'uniform' },
    });
    for (const variable of model.variables.values()) {
      const largest = Math.max(...variable.dataSync().map(Math.abs));
      expect(largest).toBeLessThanOrEqual(1 / 4);
      expect(largest).toBeGreaterThan(1 / 16);
    }
  });

  test('glorot-normal: variance 2 / (rows + columns)', async () => {
    const model = await buildModel({
      name: 'simple-rnn',
      parameters: { hiddenSize: 100, kernelInitializer: 'glorot-normal' },
    });
    const values = model.variables.get('layer1/forward/kernel')?.dataSync() ?? [];
    const variance = [...values].reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(variance / (2 / (102 + 100))).toBeCloseTo(1, 1);
  });
});

describe('defaults', () => {
  for (const name of cellNames)
    test(`${name}: every parameter has one, which the row itself accepts`, () => {
      const row = rows[name] as ModelRow;
      const parameters = parametersOf(name);
      expect(Object.values(parameters)).not.toContain(undefined);
      expect(row.check?.(parameters)).toEqual([]);
      expect(row.checkWith?.(parameters, { shape: shapeOf(), truncation: undefined })).toEqual([]);
    });
});
