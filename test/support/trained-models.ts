import * as tf from '@tensorflow/tfjs-core';
import type { SequenceShape } from '../../src/data/dataset.ts';
import type { Preprocessing } from '../../src/data/preprocessing.ts';
import { randomStream, type Random } from '../../src/data/random.ts';
import type { Json } from '../../src/system/json.ts';
import { isPerStep, outputsOf, stepsRead, type Task } from '../../src/data/task.ts';
import { risingQuantiles } from '../../src/losses/quantile-rows.ts';
import type { Model } from '../../src/models/model.ts';
import type { TrainedModel, Weights } from '../../src/export/trained-model.ts';
import { parametersOf, rows, scatterWeights, type AnyParameters, type CellName } from './networks.ts';

/** A network with weights, and what it reads and predicts: what every export of it is compared with. */
export interface TrainedCase {
  readonly title: string;
  readonly model: TrainedModel;
  readonly weights: Weights;
  /** Raw inputs `[examples, time, columns]`, in the unit of the files; tokens without the last axis. */
  readonly inputs: Float64Array | Int32Array;
  /** What the network reads of them: `[examples, time, features]`, or tokens. */
  readonly encoded: Float32Array | Int32Array;
  readonly columns: number;
  readonly examples: number;
  readonly time: number;
  /** Undefined where every sequence has the full length. */
  readonly lengths: Int32Array | undefined;
  /** Which series an example is of. */
  readonly series: Int32Array | undefined;
  /** Raw outputs of our own network. */
  readonly outputs: Float32Array;
  /** Probabilities or numbers in the unit of the data. */
  readonly predictions: Float32Array;
}

const variants: readonly (readonly [CellName, Partial<AnyParameters>])[] = [
  ['lstm', {}],
  ['gru', {}],
  ['simple-rnn', {}],
  ['lstm', { peepholes: true }],
  ['gru', { resetAfter: false }],
  ['lstm', { projectionSize: 3 }],
  ['gru', { layerNorm: true }],
  ['lstm', { projectionSize: 3, peepholes: true, forgetBias: 0.5 }],
  ['simple-rnn', { layerNorm: true }],
  ['lstm', { layerNorm: true }],
  ['lstm', { layerNorm: true, projectionSize: 6 }],
];

interface Data {
  readonly title: string;
  readonly task: Task;
  readonly input: SequenceShape['input'];
  readonly preprocessing: Preprocessing;
  readonly dataset?: Readonly<Record<string, Json>>;
  readonly loss: string;
  readonly quantiles?: readonly number[];
  /** A raw number of a column, or a token. */
  readonly draw: (random: Random, column: number, step: number) => number;
  /** What the network reads of the raw numbers of a step. */
  readonly encode: (raw: readonly number[], series: number) => readonly number[];
  /** A prediction of a target in its own unit. */
  readonly decode?: (output: number, target: number, series: number) => number;
  readonly series?: number;
}

const uniform = (random: Random) => random.uniform() * 1.6 - 0.8;
const none = { kind: 'none' } as const;
const asIs = {
  draw: uniform,
  encode: (raw: readonly number[]) => raw,
  preprocessing: none,
} as const;
const tokens = {
  input: { kind: 'tokens', vocabulary: 7 },
  draw: (random: Random) => random.integer(7),
} as const;

const table: Pick<Data, 'preprocessing' | 'input' | 'draw' | 'encode'> = {
  input: { kind: 'values', features: 6 },
  preprocessing: {
    kind: 'table',
    features: ['a', 'colour', 'b'],
    inputs: [
      { name: 'a', kind: 'number', mean: 1.7e9, factor: 1e-3, fill: 1.7e9 + 512, mask: true },
      { name: 'colour', kind: 'category', labels: ['blue', 'green', 'red'] },
      { name: 'b', kind: 'number', mean: -4, factor: 0.5, fill: -3, mask: false },
    ],
    targets: [
      { name: 'y', mean: 30, factor: 0.25 },
      { name: 'z', mean: -2, factor: 4 },
    ],
  },
  draw: (random, column) => {
    const missing = random.uniform() < 0.1;
    if (column === 1) return missing ? Number.NaN : random.integer(4) - 1;
    if (missing) return Number.NaN;
    return column === 0 ? 1.7e9 + 128 * (random.integer(17) - 8) : uniform(random) * 2 - 4;
  },
  encode: ([a = 0, colour = 0, b = 0]) => [
    ((Number.isNaN(a) ? 1.7e9 + 512 : a) - 1.7e9) * 1e-3,
    Number(Number.isNaN(a)),
    ...[0, 1, 2].map((label) => Number(label === colour)),
    ((Number.isNaN(b) ? -3 : b) + 4) * 0.5,
  ],
};

/** The category and another one as vectors of the network, which reads 0 for a label that it lacks. */
const embedded: Pick<Data, 'preprocessing' | 'input' | 'draw' | 'encode'> = {
  input: {
    kind: 'values',
    features: 3,
    embedded: [
      { feature: 0, name: 'colour', categories: 4, size: 2 },
      { feature: 2, name: 'place', categories: 3, size: 3 },
    ],
  },
  preprocessing: {
    kind: 'table',
    features: ['colour', 'a', 'place'],
    inputs: [
      { name: 'colour', kind: 'category', labels: ['blue', 'green', 'red'], embeddingSize: 2 },
      { name: 'a', kind: 'number', mean: 0.5, factor: 2, fill: 0, mask: false },
      { name: 'place', kind: 'category', labels: ['north', 'south'], embeddingSize: 3 },
    ],
    targets: [],
  },
  draw: (random, column) => {
    if (column === 1) return uniform(random);
    return random.uniform() < 0.1 ? Number.NaN : random.integer(column === 0 ? 4 : 3) - 1;
  },
  encode: ([colour = 0, a = 0, place = 0]) => [
    Number.isNaN(colour) ? 0 : colour + 1,
    (a - 0.5) * 2,
    Number.isNaN(place) ? 0 : place + 1,
  ],
};

const seriesScales = [
  { mean: [10, 0], factor: [0.5, 2], fill: [11, 0.1] },
  { mean: [-100, 1], factor: [0.1, 1], fill: [-99, 0.9] },
  { mean: [5, 0.5], factor: [0.3, 1.5], fill: [4, 0.4] },
] as const;

const series: Pick<Data, 'preprocessing' | 'dataset' | 'input' | 'draw' | 'encode' | 'series'> = {
  dataset: { targets: ['load'], past: [], future: ['wind'], missing: 'mean' },
  // load, wind, horizon
  input: { kind: 'values', features: 3 },
  preprocessing: {
    kind: 'series',
    timeKind: 'number',
    step: { kind: 'fixed', length: 1 },
    columns: ['load', 'wind'],
    series: seriesScales.slice(0, 2).map(({ mean, factor, fill }, at) => ({
      name: `s${at}`,
      mean: [...mean],
      factor: [...factor],
      fill: [...fill],
      naiveErrors: [null],
    })),
    others: seriesScales[2] as unknown as { mean: number[]; factor: number[]; fill: number[] },
    statics: [],
    ends: [null],
    season: null,
    scaledTargets: true,
  },
  series: 3,
  draw: (random, column, step) => {
    if (column === 2) return Number(step >= 4);
    if (random.uniform() < 0.1) return Number.NaN;
    return column === 0 ? uniform(random) * 5 + 8 : uniform(random);
  },
  encode: ([load = 0, wind = 0, flag = 0], of) => {
    const { mean, factor, fill } = seriesScales[of] as (typeof seriesScales)[number];
    const scaled = (value: number, at: 0 | 1) =>
      ((Number.isNaN(value) ? fill[at] : value) - mean[at]) * factor[at];
    return [flag === 1 ? 0 : scaled(load, 0), scaled(wind, 1), flag];
  },
};

const ofSeries = (output: number, _: number, of: number) => {
  const { mean, factor } = seriesScales[of] as (typeof seriesScales)[number];
  return output / factor[0] + mean[0];
};

const quantiles = [0.1, 0.25, 0.5, 0.9];

const kindsOfData: readonly Data[] = [
  {
    title: 'classification of pixels',
    task: { kind: 'classification', classes: 3, labels: ['a', 'b', 'c'] },
    loss: 'cross-entropy',
    input: { kind: 'values', features: 4 },
    preprocessing: { kind: 'pixels', height: 6, width: 4, divide: 255 },
    draw: (random) => random.integer(256),
    encode: (raw) => raw.map((pixel) => pixel / 255),
  },
  {
    title: 'labelling of tokens',
    task: { kind: 'labelling', classes: 3 },
    loss: 'cross-entropy',
    ...asIs,
    ...tokens,
  },
  {
    title: 'regression on a table',
    task: { kind: 'regression', outputs: 2 },
    loss: 'mse',
    ...table,
    decode: (output, target) => (target === 0 ? output / 0.25 + 30 : output / 4 - 2),
  },
  {
    title: 'multi-label classification',
    task: { kind: 'multi-label', classes: 3 },
    loss: 'binary-cross-entropy',
    input: { kind: 'values', features: 2 },
    ...asIs,
  },
  {
    title: 'forecast with inputs known ahead',
    task: { kind: 'forecast', horizon: 2, targets: ['load'], readsAhead: true, hasGaps: true },
    loss: 'quantile',
    quantiles,
    ...series,
    decode: ofSeries,
  },
  {
    title: 'labelling on a table of embedded categories',
    task: { kind: 'labelling', classes: 3 },
    loss: 'cross-entropy',
    ...embedded,
  },
  {
    title: 'next-step prediction',
    task: { kind: 'next-step', classes: 7 },
    loss: 'cross-entropy',
    ...asIs,
    ...tokens,
  },
  {
    title: 'regression at each step',
    task: { kind: 'regression', outputs: 2, perStep: true },
    loss: 'poisson',
    input: { kind: 'values', features: 2 },
    ...asIs,
  },
  {
    title: 'classification of tokens',
    task: { kind: 'classification', classes: 2 },
    loss: 'focal',
    ...asIs,
    ...tokens,
  },
  {
    title: 'forecast',
    task: { kind: 'forecast', horizon: 3, targets: ['a', 'b'] },
    loss: 'huber',
    input: { kind: 'values', features: 2 },
    ...asIs,
  },
];

/** Every cell with every kind of data: each pair is a case. */
export const pairs = variants.length * kindsOfData.length;

const time = 6;

/**
 * The case of a number: every cell meets every kind of data within as many cases as there are pairs; the other parameters
 * are drawn.
 */
export const trainedCase = async (number: number, examples = 1000): Promise<TrainedCase> => {
  const random = randomStream(19, 'trained-case', number);
  const [name, given] = variants[number % variants.length] as (typeof variants)[number];
  const data = kindsOfData[number % kindsOfData.length] as Data;
  const { task, input } = data;
  const pick = <T>(...values: readonly T[]): T => values[random.integer(values.length)] as T;
  const bidirectional = task.kind !== 'next-step' && pick(true, false);
  const single = isPerStep(task) || stepsRead(task) > 1;
  const parameters = parametersOf(name, {
    hiddenSize: given.layerNorm ? 12 : 5,
    ...given,
    bidirectional,
    merge: bidirectional ? pick('concat', 'sum', 'mean') : 'concat',
    readout: single ? 'auto' : pick('auto', 'last', 'final-state', 'mean', 'max'),
    layers: pick(1, 2),
    embeddingSize: input.kind === 'tokens' ? pick(null, 3) : null,
    // Without effect outside training.
    dropout: 0.3,
    recurrentDropout: 0.2,
  });
  const variableLength = task.kind !== 'forecast' && pick(true, true, false);
  const shape: SequenceShape = { steps: time, input, variableLength, task };
  const outputsPerTarget = data.quantiles?.length ?? 1;
  const network = await rows[name].build(parameters, {
    shape,
    outputs: outputsOf(task, { outputsPerTarget }),
    random: (...purpose) => randomStream(1, ...purpose),
    truncation: undefined,
  });
  scatterWeights(network);
  const model: TrainedModel = {
    dataset: { name: 'none', ...data.dataset },
    model: { name, parameters: ownParameters(name, parameters) },
    loss: { name: data.loss },
    outputsPerTarget,
    ...(data.quantiles && { quantiles: data.quantiles }),
    shape,
    preprocessing: data.preprocessing,
  };
  const drawn = draw(data, { random, examples, variableLength });
  const { outputs, predictions } = predict(network, data, drawn);
  const weights: Weights = new Map(
    [...network.variables].map(([key, variable]) => [
      key,
      { shape: variable.shape, values: variable.dataSync<'float32'>().slice() },
    ]),
  );
  for (const variable of network.variables.values()) variable.dispose();
  const { bidirectional: both, layers, merge, readout, embeddingSize } = parameters;
  const title = [
    `${number}: ${name} ${JSON.stringify(given)}`,
    data.title,
    JSON.stringify({ both, layers, merge, readout, embeddingSize, variableLength }),
  ].join(', ');
  return { title, model, weights, examples, time, ...drawn, outputs, predictions };
};

const ownParameters = (name: CellName, parameters: AnyParameters) => {
  const known = rows[name].parameters.properties;
  return Object.fromEntries(Object.entries(parameters).filter(([key]) => key in known));
};

type Drawn = Pick<TrainedCase, 'inputs' | 'encoded' | 'columns' | 'lengths' | 'series'>;

const draw = (
  data: Data,
  given: { readonly random: Random; readonly examples: number; readonly variableLength: boolean },
): Drawn => {
  const { random, examples, variableLength } = given;
  const { input, preprocessing } = data;
  const isTokens = input.kind === 'tokens';
  const columns =
    preprocessing.kind === 'table' ? preprocessing.inputs.length : isTokens ? 1 : input.features;
  const width = isTokens ? 1 : input.features;
  const raw = new Float64Array(examples * time * columns);
  const encoded = new Float32Array(examples * time * width);
  const lengths = Int32Array.from({ length: examples }, () =>
    variableLength ? 1 + random.integer(time) : time,
  );
  const series = Int32Array.from({ length: examples }, () => random.integer(data.series ?? 1));
  for (let example = 0; example < examples; example++)
    for (let step = 0; step < (lengths[example] as number); step++) {
      const at = example * time + step;
      const numbers = Array.from({ length: columns }, (_, column) => data.draw(random, column, step));
      // What the graph takes as float32 is rounded before, as in a file of float32.
      const given =
        preprocessing.kind === 'table' || preprocessing.kind === 'series'
          ? numbers
          : numbers.map(Math.fround);
      raw.set(given, at * columns);
      encoded.set(data.encode(given, series[example] as number), at * width);
    }
  return {
    columns,
    inputs: isTokens ? Int32Array.from(raw) : raw,
    encoded: isTokens ? Int32Array.from(encoded) : encoded,
    lengths: variableLength ? lengths : undefined,
    series: data.series === undefined ? undefined : series,
  };
};

const predict = (
  network: Model,
  { input, task, loss, quantiles, decode }: Data,
  { encoded, lengths, series }: Drawn,
): Pick<TrainedCase, 'outputs' | 'predictions'> => {
  const width = input.kind === 'tokens' ? 1 : input.features;
  const examples = encoded.length / time / width;
  const outputs = tf.tidy(() =>
    network
      .forward(
        {
          inputs:
            input.kind === 'tokens'
              ? tf.tensor2d(encoded, [examples, time], 'int32')
              : tf.tensor3d(encoded, [examples, time, width]),
          lengths: lengths && tf.tensor1d(lengths, 'int32'),
        },
        { training: false, step: 0 },
      )
      .dataSync<'float32'>()
      .slice(),
  );
  switch (task.kind) {
    case 'classification':
    case 'labelling':
    case 'next-step': {
      const logits = tf.tensor2d(outputs, [outputs.length / task.classes, task.classes]);
      return { outputs, predictions: tf.tidy(() => tf.softmax(logits).dataSync<'float32'>().slice()) };
    }
    case 'multi-label':
      return { outputs, predictions: outputs.map((logit) => 1 / (1 + Math.exp(-logit))) };
    case 'regression':
    case 'forecast': {
      const numbers = quantiles
        ? risingQuantiles(outputs, quantiles)
        : loss === 'poisson'
          ? outputs.map(Math.exp)
          : outputs;
      const perExample = outputs.length / examples;
      const perTarget = quantiles?.length ?? 1;
      const targets = task.kind === 'forecast' ? task.targets.length : task.outputs;
      const predictions = numbers.map((number, at) => {
        const target = Math.floor(at / perTarget) % targets;
        return decode?.(number, target, series?.[Math.floor(at / perExample)] ?? 0) ?? number;
      });
      return { outputs, predictions };
    }
  }
};
