import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { TrainedModel } from '../../src/export/trained-model.ts';
import { toOnnx } from '../../src/export/onnx/to-onnx.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { largestDifference } from '../support/networks.ts';
import { trainedCase, type TrainedCase } from '../support/trained-models.ts';

await loadTensorFlow();

/** Pairs of a cell and a kind of data; 99 for all of them. */
const cases = Number(process.env['UNROLL_EXPORT_CASES'] ?? 33);

const fileOf = ({ model, weights }: TrainedCase): Uint8Array => {
  const file = toOnnx(model, weights);
  if ('impossible' in file) throw new Error(file.impossible);
  return Buffer.concat(file.pieces);
};

const feedsOf = ({ inputs, lengths, series, examples, time, columns, model }: TrainedCase) => {
  const isDouble = model.preprocessing.kind === 'table' || model.preprocessing.kind === 'series';
  return {
    inputs:
      inputs instanceof Int32Array
        ? new ort.Tensor('int32', inputs, [examples, time])
        : isDouble
          ? new ort.Tensor('float64', inputs, [examples, time, columns])
          : new ort.Tensor('float32', Float32Array.from(inputs), [examples, time, columns]),
    ...(lengths && { lengths: new ort.Tensor('int32', lengths, [examples]) }),
    ...(series && { series: new ort.Tensor('int32', series, [examples]) }),
  };
};

describe('an ONNX file in ONNX Runtime', () => {
  it.each(Array.from({ length: cases }, (_, number) => number))(
    'predicts as the network of case %i',
    async (number) => {
      const trained = await trainedCase(number);
      const session = await ort.InferenceSession.create(fileOf(trained));
      const results = await session.run(feedsOf(trained));
      const [outputs, predictions] = session.outputNames.map((name) => results[name]?.data as Float32Array);
      const scale = Math.max(1, ...trained.predictions.map(Math.abs));
      expect(largestDifference(outputs ?? [], trained.outputs), trained.title).toBeLessThan(1e-5);
      expect(
        largestDifference(predictions ?? [], trained.predictions) / scale,
        `predictions of ${trained.title}`,
      ).toBeLessThan(1e-5);
      await session.release();
    },
  );
});

const shape = {
  steps: 3,
  input: { kind: 'values', features: 2 },
  variableLength: false,
  task: { kind: 'classification', classes: 2 },
} as const;

const own: TrainedModel = {
  dataset: { name: 'my-data' },
  model: { name: 'my-mean', parameters: {} },
  loss: { name: 'cross-entropy' },
  outputsPerTarget: 1,
  shape,
  preprocessing: { kind: 'none' },
};

describe('the ONNX file of a model that is not built in', () => {
  const weights = new Map([['map', { shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) }]]);

  it('is what its own builder makes', async () => {
    const file = toOnnx(own, weights, {
      onnx: (_, { graph, inputs, weights: given }) => {
        const { shape: sizes, values } = given.get('map') ?? { shape: [], values: new Float32Array() };
        const mean = graph.node('ReduceMean', [inputs], { axes: [1], keepdims: 0 });
        return graph.node('MatMul', [mean, graph.floats(values, sizes)]);
      },
    });
    if ('impossible' in file) throw new Error(file.impossible);
    const session = await ort.InferenceSession.create(Buffer.concat(file.pieces));
    const inputs = new ort.Tensor('float32', Float32Array.of(1, 0, 2, 3, 3, 3), [1, 3, 2]);
    const { logits, probabilities } = await session.run({ inputs });
    expect([...(logits?.data as Float32Array)]).toEqual([8, 12]);
    expect(probabilities?.data[1]).toBeCloseTo(1 / (1 + Math.exp(-4)), 6);
    await session.release();
  });

  it('does not exist without a builder', () => {
    expect(toOnnx(own, weights)).toEqual({
      impossible: 'The model my-mean has no `onnx` function that builds its ONNX graph.',
    });
  });
});

it('refuses weights above the limit of protobuf', () => {
  const values = new Float32Array(2 ** 27);
  const weights = new Map(['a', 'b', 'c', 'd'].map((name) => [name, { shape: [2 ** 27], values }]));
  expect(toOnnx(own, weights, { onnx: () => '' })).toEqual({
    impossible:
      'The file would have 2.15 GB, and an ONNX file has at most 2 GB (2^31 - 1 bytes, the limit of protobuf).',
  });
});

it('computes with the digits of float64 before it scales', async () => {
  const column = { name: 'time', kind: 'number', mean: 1.7e9, factor: 1, fill: 0, mask: false } as const;
  const file = toOnnx(
    {
      ...own,
      shape: { ...shape, input: { kind: 'values', features: 1 } },
      preprocessing: { kind: 'table', features: ['time'], inputs: [column], targets: [] },
    },
    new Map(),
    { onnx: (_, { graph, inputs }) => graph.node('ReduceMax', [inputs], { axes: [1], keepdims: 0 }) },
  );
  if ('impossible' in file) throw new Error(file.impossible);
  const session = await ort.InferenceSession.create(Buffer.concat(file.pieces), { logSeverityLevel: 3 });
  const inputs = new ort.Tensor('float64', Float64Array.of(1.7e9 + 1, 1.7e9 + 2.5, 1.7e9), [1, 3, 1]);
  expect((await session.run({ inputs }))['logits']?.data[0]).toBe(2.5);
  await session.release();
});

it('gives numbers of texts in the unit of their targets, as it does those of tables', async () => {
  const file = toOnnx(
    {
      ...own,
      loss: { name: 'mse' },
      shape: {
        ...shape,
        input: { kind: 'tokens', vocabulary: 9 },
        task: { kind: 'regression', outputs: 1 },
      },
      preprocessing: {
        kind: 'text',
        unknown: 1,
        tokenizer: false,
        targets: [{ name: 'stars', mean: 10, factor: 0.5 }],
      },
    },
    new Map(),
    {
      onnx: (_, { graph, inputs }) => {
        const numbers = graph.node('Cast', [inputs], { to: 1 });
        return graph.node('ReduceMax', [numbers], { axes: [1], keepdims: 1 });
      },
    },
  );
  if ('impossible' in file) throw new Error(file.impossible);
  const session = await ort.InferenceSession.create(Buffer.concat(file.pieces), { logSeverityLevel: 3 });
  const inputs = new ort.Tensor('int32', Int32Array.of(2, 3, 4), [1, 3]);
  const { outputs, predictions } = await session.run({ inputs });
  expect(outputs?.data[0]).toBe(4);
  expect(predictions?.data[0]).toBe(18);
  await session.release();
});
