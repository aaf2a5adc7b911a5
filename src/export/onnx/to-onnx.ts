import type { ModelRow } from '../../models/model.ts';
import { headOf, leadingAxes, outputCount, type Head } from '../head.ts';
import { encodeInputs, inputEncodingOf } from '../inputs.ts';
import { isBuiltInModel, recurrentNetworkOf } from '../recurrent-network.ts';
import { modelKey, tokenizerKey, vocabularyKey, type TrainedModel, type Weights } from '../trained-model.ts';
import { addNumbers } from './add-predictions.ts';
import { inputWriter, inputPorts } from './encode-inputs.ts';
import { createGraph, type Port } from './graph.ts';
import { content, integer, joined, mostBytes, type Message } from './protobuf.ts';
import { addRecurrentNetwork } from './recurrent-onnx.ts';
import { placesKey } from './weight-places.ts';

/** Of 2022: every runtime since ONNX Runtime 1.13 reads them. `docs/format.md` names both. */
const irVersion = 8;
const operatorSet = 17;

/** The file, or why there is none: a sentence. */
export type OnnxFile = { readonly pieces: readonly Uint8Array[] } | { readonly impossible: string };

/** Whether a model is built in or has a builder of its own. */
export const canExport = ({ model }: TrainedModel, row: Pick<ModelRow, 'onnx'>): boolean =>
  isBuiltInModel(model) || row.onnx !== undefined;

/** What else an ONNX file is made of. */
interface OnnxSources {
  /** Builds the graph of a model that is not built in. */
  readonly onnx?: ModelRow['onnx'] | undefined;
  /** Of a network that reads texts: its tokens by index, and the content of `tokenizer.json`. */
  readonly vocabulary?: readonly string[] | undefined;
  readonly tokenizer?: string | undefined;
}

/** A trained model as an ONNX file: raw inputs to predictions. */
export const toOnnx = (
  model: TrainedModel,
  weights: Weights,
  { onnx, vocabulary, tokenizer }: OnnxSources = {},
): OnnxFile => {
  const { shape } = model;
  const network = recurrentNetworkOf(model, weights);
  if (!network && !onnx)
    return {
      impossible: `The model ${model.model.name} has no \`onnx\` function that builds its ONNX graph.`,
    };
  const weightBytes = [...weights.values()].reduce((sum, { values }) => sum + values.byteLength, 0);
  if (weightBytes > mostBytes) return { impossible: tooLarge(weightBytes) };

  const graph = createGraph('unroll', weights);
  const encoding = inputEncodingOf(model);
  const { inputs, outputs } = onnxPorts(model);
  const context = {
    graph,
    shape,
    outputs: outputCount(model),
    inputs: encodeInputs(inputWriter(graph), encoding),
    lengths: shape.variableLength ? 'lengths' : undefined,
    weights,
  };
  const raw = network
    ? addRecurrentNetwork(context, network)
    : (onnx?.(model.model.parameters, context) ?? '');
  const head = headOf(model);
  const leading = leadingAxes(model);
  graph.output(raw, (outputs[0] as Port).name);
  if (head.kind === 'softmax') graph.output(graph.node('Softmax', [raw], { axis: -1 }), 'probabilities');
  if (head.kind === 'sigmoid') graph.output(graph.node('Sigmoid', [raw]), 'probabilities');
  if (head.kind === 'numbers')
    graph.output(addNumbers(graph, raw, { head, leading: leading.length, encoding }), 'predictions');

  const places = graph.weightPlaces();
  const file = modelMessage(graph.message(inputs, outputs), {
    [modelKey]: JSON.stringify(model),
    ...(places && { [placesKey]: JSON.stringify(places) }),
    ...(vocabulary && { [vocabularyKey]: JSON.stringify({ tokens: vocabulary }) }),
    ...(tokenizer !== undefined && { [tokenizerKey]: tokenizer }),
  });
  return file.bytes > mostBytes ? { impossible: tooLarge(file.bytes) } : file;
};

const tooLarge = (bytes: number): string =>
  `The file would have ${(bytes / 1e9).toFixed(2)} GB, and an ONNX file has at most 2 GB (2^31 - 1 bytes, the limit of protobuf).`;

/** What the file of a model takes and gives. */
export const onnxPorts = (
  model: TrainedModel,
): { readonly inputs: readonly Port[]; readonly outputs: readonly Port[] } => ({
  inputs: inputPorts(inputEncodingOf(model), model.shape.variableLength),
  outputs: outputPorts(headOf(model), leadingAxes(model), outputCount(model)),
});

/** Raw outputs first. */
const outputPorts = (head: Head, leading: readonly string[], outputs: number): readonly Port[] => {
  const port = (name: string, ...axes: readonly number[]): Port => ({
    name,
    type: 'float32',
    shape: [...leading, ...axes],
  });
  switch (head.kind) {
    case 'softmax':
    case 'sigmoid':
      return [port('logits', outputs), port('probabilities', outputs)];
    case 'numbers':
      return [port('outputs', outputs), port('predictions', ...head.axes.map(({ size }) => size))];
    case 'unknown':
      return [port('outputs', outputs)];
  }
};

/** `ModelProto`. */
const modelMessage = (graph: Message, metadata: Readonly<Record<string, string>>): Message =>
  joined(
    integer(1, irVersion),
    content(2, 'unroll'),
    content(7, graph),
    content(8, joined(content(1, ''), integer(2, operatorSet))),
    Object.entries(metadata).map(([key, value]) => content(14, joined(content(1, key), content(2, value)))),
  );
