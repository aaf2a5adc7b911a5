import { headOf, leadingAxes, outputCount, type Head } from '../head.ts';
import { encodeInputs, inputEncodingOf, type InputEncoding } from '../inputs.ts';
import { quantileMatrices } from '../quantile-matrices.ts';
import { targetScales } from '../target-scales.ts';
import { recurrentNetworkOf } from '../recurrent-network.ts';
import { modelKey, type TrainedModel, type Weights } from '../trained-model.ts';
import { bySeries, inputWriter, inputPorts, type TfPort } from './encode-inputs.ts';
import { createTfGraph, type TfGraph } from './graph.ts';
import { expandDims } from './operations.ts';
import { addRecurrentNetwork } from './recurrent-tfjs.ts';

/** A model for `tf.loadGraphModel`: `model.json`, and the values of its constants. */
export interface TfjsModel {
  readonly json: string;
  readonly weightsName: string;
  readonly weights: readonly Uint8Array[];
}

/** A trained built-in model as a graph model of TensorFlow.js; undefined for another model. */
export const toTfjs = (model: TrainedModel, trained: Weights): TfjsModel | undefined => {
  const { shape } = model;
  const network = recurrentNetworkOf(model, trained);
  if (!network) return undefined;
  const graph = createTfGraph();
  const encoding = inputEncodingOf(model);
  const inputs = inputPorts(encoding, shape.variableLength);
  for (const { name, type } of inputs) graph.placeholder(name, type);
  const raw = addRecurrentNetwork(graph, network, {
    inputs: encodeInputs(inputWriter(graph), encoding),
    lengths: shape.variableLength ? 'lengths' : undefined,
    outputs: outputCount(model),
  });
  const head = headOf(model);
  const leading = leadingAxes(model).map(() => -1);
  const named = namedOutputs(graph, raw, { head, leading: leading.length, encoding });
  for (const [name, value] of named) graph.output(value, name);
  const { topology, weights } = graph.result();
  const weightsName = 'group1-shard1of1.bin';
  const json = {
    format: 'graph-model',
    generatedBy: 'unroll',
    convertedBy: null,
    signature: {
      inputs: Object.fromEntries(inputs.map((port) => [port.name, tensorInfo(port)])),
      outputs: Object.fromEntries(
        named.map(([name]) => [name, tensorInfo({ name, type: 'DT_FLOAT', shape: leading })]),
      ),
    },
    userDefinedMetadata: {
      structuredOutputKeys: named.map(([name]) => name),
      [modelKey]: model,
    },
    modelTopology: topology,
    weightsManifest: [
      {
        paths: [weightsName],
        weights: weights.map(({ name, shape, dtype }) => ({ name, shape, dtype })),
      },
    ],
  };
  return {
    json: JSON.stringify(json),
    weightsName,
    weights: weights.map(({ values }) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  };
};

/** `TensorInfo`; the rank of outputs is not promised. */
const tensorInfo = ({ name, type, shape }: TfPort) => ({
  name,
  dtype: type,
  tensorShape: { dim: shape.map((size) => ({ size: String(size) })) },
});

interface Given {
  readonly head: Head;
  readonly leading: number;
  readonly encoding: InputEncoding;
}

/** Raw outputs first. */
const namedOutputs = (
  graph: TfGraph,
  raw: string,
  given: Given,
): readonly (readonly [name: string, value: string])[] => {
  const { head } = given;
  switch (head.kind) {
    case 'softmax':
      return [
        ['logits', raw],
        ['probabilities', graph.node('Softmax', [raw])],
      ];
    case 'sigmoid':
      return [
        ['logits', raw],
        ['probabilities', graph.node('Sigmoid', [raw])],
      ];
    case 'numbers':
      return [
        ['outputs', raw],
        ['predictions', numbersOf(graph, raw, { ...given, head })],
      ];
    case 'unknown':
      return [['outputs', raw]];
  }
};

type Numbers = Extract<Head, { kind: 'numbers' }>;

/** Predictions in the unit of the data. */
const numbersOf = (
  graph: TfGraph,
  raw: string,
  { head, leading, encoding }: Given & { readonly head: Numbers },
): string => {
  const numbers = transformed(graph, raw, { head, leading });
  const scales = targetScales(head, encoding, {
    vector: (values) => graph.floats(values, [values.length]),
    bySeries: (series, values) => bySeries(graph, series, values),
    withLastAxis: (value) => expandDims(graph, value, -1),
  });
  if (!scales) return numbers;
  return graph.node('AddV2', [graph.node('RealDiv', [numbers, scales.factor]), scales.mean]);
};

const transformed = (
  graph: TfGraph,
  raw: string,
  { head: { axes, transform }, leading }: Pick<Given, 'leading'> & { readonly head: Numbers },
): string => {
  const sizes = graph.integers(axes.map(({ size }) => size));
  const shape = graph.node('Shape', [raw]);
  const [from, count] = [graph.integers([0]), graph.integers([leading])];
  const begin = graph.node('Slice', [shape, from, count]);
  const whole = graph.node('ConcatV2', [begin, sizes, graph.integers([0], [])], { N: { i: 2 } });
  const reshaped = (value: string) => graph.node('Reshape', [value, whole]);
  if (transform === 'none') return reshaped(raw);
  if (transform === 'exp') return reshaped(graph.node('Exp', [raw]));
  const { quantiles, middle } = transform;
  const { base, steps } = quantileMatrices(quantiles, middle);
  const rows = graph.node('Reshape', [raw, graph.integers([-1, quantiles])]);
  const times = (value: string, matrix: readonly number[]) =>
    graph.node('MatMul', [value, graph.floats(matrix, [quantiles, quantiles])]);
  const rising = graph.node('AddV2', [times(rows, base), times(graph.node('Softplus', [rows]), steps)]);
  return reshaped(rising);
};
