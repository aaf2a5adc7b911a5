import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { outputsOf } from '../../src/data/task.ts';
import { beforeAll, describe, expect, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import type { Model } from '../../src/models/model.ts';
import { drawMasks } from '../../src/models/network/masks.ts';
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
  shapeOf,
  type AnyParameters,
  type CellName,
  type NetworkSetting,
} from '../support/networks.ts';
import {
  plainChunked,
  plainForward,
  plainTrue,
  type Frozen,
  type PlainMasks,
  type PlainNetwork,
  type PlainSequence,
} from '../support/plain-network.ts';

/**
 * Every network against plain loops in double precision: outputs within 1e-5, and gradients within 1e-4 of difference
 * quotients of those loops.
 */

beforeAll(() => loadTensorFlow());

const lengths = [6, 1, 4];
const step = 3;
/** Of the difference quotients. */
const delta = 1e-5;

const plainMasks = (setting: NetworkSetting): PlainMasks => {
  const parameters = parametersOf(setting.name, setting.parameters);
  const drawn = drawMasks(parameters, (...purpose) => randomStream(1, ...purpose), {
    step,
    batch: lengths.length,
  });
  const own = parameters.projectionSize ?? parameters.hiddenSize;
  const between = parameters.bidirectional && parameters.merge === 'concat' ? 2 * own : own;
  const row = (mask: Tensor2D | undefined, at: number) => mask?.arraySync()[at];
  return {
    between: (layer, at) => row(drawn.between(layer, between), at),
    recurrent: (layer, direction, at) => row(drawn.recurrent(layer, direction as 'forward', own), at),
  };
};

const plainNetworkOf = (model: Model, setting: NetworkSetting): PlainNetwork => {
  const { task } = shapeOf(setting.shape);
  return {
    name: setting.name,
    parameters: parametersOf(setting.name, setting.parameters),
    perStep: task.kind === 'labelling' || task.kind === 'next-step',
    weights: new Map(
      [...model.variables].map(([name, variable]) => [
        name,
        { shape: variable.shape, values: Float64Array.from(variable.dataSync()) },
      ]),
    ),
    masks: plainMasks(setting),
  };
};

const forwardOf = ({ truncation }: NetworkSetting, frozen: (row: number) => Frozen) => {
  if (!truncation) return plainForward;
  return (network: PlainNetwork, sequence: PlainSequence) =>
    truncation.style === 'chunked'
      ? plainChunked(network, sequence, { frozen: frozen(sequence.row), chunk: truncation.steps })
      : plainTrue(network, sequence, { frozen: frozen(sequence.row), steps: truncation.steps });
};

/** What a network reads: numbers of all kinds, nothing but zeros (the first token), or at each step the same. */
type Inputs = 'random' | 'zero' | 'constant';

/** How many numbers of a weight have their gradient probed. */
const probesOf: Record<Inputs, number> = { random: 12, zero: 4, constant: 4 };

const compare = async (setting: NetworkSetting, kind: Inputs = 'random'): Promise<void> => {
  const shape = shapeOf(setting.shape);
  const model = await buildModel(setting);
  scatterWeights(model);
  const random = randomStream(2, 'data');
  const batch = lengths.length;
  const usedLengths = shape.variableLength ? lengths : lengths.map(() => shape.steps);
  const features = shape.input.kind === 'values' ? shape.input.features : shape.input.vocabulary;
  const drawnTokens = Array.from({ length: batch * shape.steps }, () => random.integer(features));
  const drawnValues = numbers(random, batch * shape.steps * features);
  const tokens = kind === 'random' ? drawnTokens : drawnTokens.map(() => (kind === 'zero' ? 0 : 1));
  const values = kind === 'random' ? drawnValues : drawnValues.map(() => (kind === 'zero' ? 0 : 0.6));
  const inputs =
    shape.input.kind === 'values'
      ? tf.tensor3d(values, [batch, shape.steps, features])
      : tf.tensor2d(tokens, [batch, shape.steps], 'int32');

  const frozen = plainNetworkOf(model, setting);
  const outputCount = outputsOf(shape.task);
  const rowsOut = frozen.perStep ? shape.steps : 1;
  const lossWeights = numbers(random, batch * rowsOut * outputCount);
  // Steps past the length do not count.
  for (let row = 0; row < batch && frozen.perStep; row++)
    lossWeights.fill(
      0,
      (row * shape.steps + (usedLengths[row] ?? 0)) * outputCount,
      (row + 1) * shape.steps * outputCount,
    );

  const embedded = (network: PlainNetwork, row: number): number[][] =>
    Array.from({ length: usedLengths[row] ?? 0 }, (_, at) => {
      const place = row * shape.steps + at;
      if (shape.input.kind === 'values')
        return [...values.subarray(place * features, (place + 1) * features)];
      const token = tokens[place] ?? 0;
      const embedding = network.weights.get('embedding');
      const size = embedding?.shape[1] ?? 0;
      return embedding
        ? [...embedding.values.subarray(token * size, (token + 1) * size)]
        : Array.from({ length: features }, (__, index) => (index === token ? 1 : 0));
    });
  const forward = forwardOf(setting, (row) => ({
    network: frozen,
    sequence: { steps: embedded(frozen, row), row },
  }));
  const plainOutputs = (network: PlainNetwork): number[][][] =>
    usedLengths.map((_, row) => forward(network, { steps: embedded(network, row), row }));
  const plainLoss = (network: PlainNetwork): number => {
    let sum = 0;
    plainOutputs(network).forEach((outputs, row) =>
      outputs.forEach((output, at) =>
        output.forEach((value, index) => {
          sum += value * (lossWeights[(row * rowsOut + at) * outputCount + index] ?? NaN);
        }),
      ),
    );
    return sum;
  };

  const found = lossAndGradients(
    model,
    { inputs, lengths: shape.variableLength ? intTensor(lengths) : undefined },
    { lossWeights, step },
  );
  plainOutputs(frozen).forEach((outputs, row) =>
    outputs.forEach((output, at) => {
      const from = (row * rowsOut + at) * outputCount;
      expect(
        largestDifference(found.outputs.subarray(from, from + outputCount), output),
        `output ${String(at)} of row ${String(row)}`,
      ).toBeLessThan(1e-5);
    }),
  );
  for (const [name, weight] of frozen.weights) {
    const lossAt = (at: number, value: number): number => {
      const values = Float64Array.from(weight.values);
      values[at] = value;
      return plainLoss({ ...frozen, weights: new Map([...frozen.weights, [name, { ...weight, values }]]) });
    };
    const gradient = found.gradients.get(name) ?? new Float32Array();
    expect(gradient.length).toBe(weight.values.length);
    const probed = [...weight.values.keys()].filter(
      (at) => at % Math.ceil(weight.values.length / probesOf[kind]) === 0,
    );
    const quotients = probed.map((at) => {
      const value = weight.values[at] ?? NaN;
      return (lossAt(at, value + delta) - lossAt(at, value - delta)) / (2 * delta);
    });
    const probes = probed.map((at) => gradient[at] ?? NaN);
    expect(largestDifference(probes, quotients), `gradient of ${name}`).toBeLessThan(1e-4);
    if (kind === 'random')
      expect(Math.max(...quotients.map(Math.abs)), `${name} has an effect`).toBeGreaterThan(1e-4);
  }
  for (const variable of model.variables.values()) variable.dispose();
};

const small = { hiddenSize: 3 };
const labelling = { task: { kind: 'labelling', classes: 2 } } as const;
const fixed = { variableLength: false } as const;
const tokens = { input: { kind: 'tokens', vocabulary: 4 } } as const;

const settings: Record<string, Omit<NetworkSetting, 'name'>> = {
  'one layer': {},
  'fixed length': { shape: fixed },
  'mean of the outputs': { parameters: { readout: 'mean' } },
  'maximum of the outputs': { parameters: { readout: 'max' } },
  'two layers with dropout': { parameters: { layers: 2, dropout: 0.4 } },
  'recurrent dropout': { parameters: { recurrentDropout: 0.4 } },
  'layer normalisation': { parameters: { layerNorm: true } },
  'both directions, last index': { parameters: { bidirectional: true } },
  'both directions, last index, fixed length': {
    parameters: { bidirectional: true, layers: 2 },
    shape: fixed,
  },
  'both directions, final states, summed': {
    parameters: { bidirectional: true, readout: 'final-state', merge: 'sum' },
  },
  'both directions, two layers, mean': {
    parameters: { bidirectional: true, readout: 'mean', merge: 'mean', layers: 2, recurrentDropout: 0.3 },
  },
  'a label for each step': { parameters: { bidirectional: true, layers: 2 }, shape: labelling },
  'one-hot tokens': { shape: { ...tokens, task: { kind: 'next-step', classes: 4 } } },
  'embedded tokens': { parameters: { embeddingSize: 2 }, shape: tokens },
  regression: { shape: { task: { kind: 'regression', outputs: 1 } } },
  'chunks of 2': { parameters: { layers: 2 }, truncation: { steps: 2, style: 'chunked' } },
  'chunks of 4, fixed length': { shape: fixed, truncation: { steps: 4, style: 'chunked' } },
  'chunks of 4, a label for each step, both directions': {
    parameters: { bidirectional: true },
    shape: labelling,
    truncation: { steps: 4, style: 'chunked' },
  },
  'chunks of 4, recurrent dropout, both directions': {
    parameters: { bidirectional: true, recurrentDropout: 0.4 },
    truncation: { steps: 4, style: 'chunked' },
  },
  'true truncation after 2': { parameters: { layers: 2 }, truncation: { steps: 2, style: 'true' } },
  'true truncation after 3, fixed length': { shape: fixed, truncation: { steps: 3, style: 'true' } },
  'true truncation after 2, a label for each step, embedded tokens, dropout': {
    parameters: { layers: 2, dropout: 0.3, recurrentDropout: 0.3, embeddingSize: 2 },
    shape: { ...labelling, ...tokens },
    truncation: { steps: 2, style: 'true' },
  },
  'true truncation after 3, mean of the outputs': {
    parameters: { readout: 'mean' },
    truncation: { steps: 3, style: 'true' },
  },
};

const lstmOnly: Record<string, Omit<NetworkSetting, 'name'>> = {
  'another forget bias': { parameters: { forgetBias: -0.4 } },
  peepholes: { parameters: { peepholes: true } },
  'peepholes with recurrent dropout': { parameters: { peepholes: true, recurrentDropout: 0.3 } },
  projection: { parameters: { projectionSize: 2, layers: 2, bidirectional: true } },
  'projection, peepholes, true truncation after 2': {
    parameters: { projectionSize: 2, peepholes: true },
    shape: labelling,
    truncation: { steps: 2, style: 'true' },
  },
};

const gruOnly: Record<string, Omit<NetworkSetting, 'name'>> = {
  'reset before the product': { parameters: { resetAfter: false, recurrentDropout: 0.3 } },
};

describe('outputs and gradients are those of plain loops', () => {
  for (const name of ['lstm', 'gru', 'simple-rnn'] as const) {
    const own = name === 'lstm' ? lstmOnly : name === 'gru' ? gruOnly : {};
    for (const [title, setting] of Object.entries({ ...settings, ...own }))
      for (const kind of ['random', 'zero', 'constant'] as const)
        test(`${name}: ${title}, ${kind} inputs`, () =>
          compare({ ...setting, name, parameters: { ...small, ...setting.parameters } }, kind));
  }
});

/**
 * At its first weights a network without biases has a state of zeros as long as it reads zeros, so each normalised row
 * has no variance. Its derivative by the state is then over 100 a step: 30 such steps would overflow.
 */
describe('layer normalisation of blank steps gives a gradient to train with', () => {
  const variants: Record<string, Partial<AnyParameters>> = {
    'one layer': {},
    'two layers, both directions': { layers: 2, bidirectional: true },
    'recurrent dropout': { recurrentDropout: 0.3 },
  };
  const [batch, steps, blank, features] = [3, 40, 30, 4];
  const compareBlank = async (name: CellName, parameters: Partial<AnyParameters>): Promise<void> => {
    const setting = {
      name,
      parameters: { ...parameters, layerNorm: true, hiddenSize: 6 },
      shape: { steps, variableLength: true, input: { kind: 'values', features } },
    } as const;
    const model = await buildModel(setting);
    const values = numbers(randomStream(4, 'data'), batch * steps * features);
    for (let row = 0; row < batch; row++)
      values.fill(0, row * steps * features, (row * steps + blank) * features);
    const { outputs, gradients } = lossAndGradients(
      model,
      // One sequence ends before anything but blank steps is read.
      {
        inputs: tf.tensor3d(values, [batch, steps, features]),
        lengths: intTensor([steps, blank, steps - 3]),
      },
      { lossWeights: Float32Array.of(0.3, -0.6, 0.8, 0.4, -0.2, 0.5) },
    );
    expect(outputs.every(Number.isFinite)).toBe(true);
    for (const [weight, gradient] of gradients) {
      const largest = gradient.reduce((most, one) => (Math.abs(one) <= most ? most : Math.abs(one)), 0);
      expect(largest, `gradient of ${weight}`).toBeLessThan(100);
    }
    const kernel = gradients.get('layer1/forward/kernel') ?? new Float32Array();
    expect(
      kernel.some((one) => Math.abs(one) > 1e-4),
      'what is not blank has an effect',
    ).toBe(true);
    for (const variable of model.variables.values()) variable.dispose();
  };
  for (const name of cellNames)
    for (const [title, parameters] of Object.entries(variants))
      test(`${name}: ${title}`, () => compareBlank(name, parameters));
  test('lstm: projection', () => compareBlank('lstm', { projectionSize: 3 }));
});
