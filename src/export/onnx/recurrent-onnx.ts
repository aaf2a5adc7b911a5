import type { OnnxContext, OnnxGraph } from '../../models/onnx.ts';
import { addLayers, eachDirection, mergedDirections, readInputs, type Layer } from '../add-layers.ts';
import type { Matrix, RecurrentNetwork } from '../recurrent-network.ts';
import { addComposedCell, operationsOf } from './composed-cell.ts';
import { elementTypes, type GraphBuilder } from './graph.ts';
import { addFusedLayer, isFused } from './fused-layer.ts';
import {
  lastStep,
  maximumOfSteps,
  meanOfSteps,
  sequencesOf,
  swapBatchAndTime,
  type Sequences,
} from './sequences.ts';

/** Adds a built-in network to a graph. Returns its raw outputs, as `Model.forward` gives them. */
export const addRecurrentNetwork = (
  { graph, inputs, lengths, outputs }: OnnxContext & { readonly graph: GraphBuilder },
  network: RecurrentNetwork,
): string => {
  const first = timeMajorInputs(graph, inputs, network.input);
  const sequences = sequencesOf(graph, first, lengths);
  return addLayers<Sequences>(
    network,
    { first, sequences },
    {
      operations: operationsOf(graph),
      ...{ everyOutput, outputAtLastIndex, finalStates, meanOfSteps, maximumOfSteps },
      batchMajor: (every) => swapBatchAndTime(graph, every),
      lastSteps: (every, last) => {
        const [from, end, axis] = [[-last], [Number.MAX_SAFE_INTEGER], [1]].map((one) => graph.integers(one));
        return graph.node('Slice', [every, from as string, end as string, axis as string]);
      },
      sideBySide: (steps) => graph.node('Reshape', [steps, graph.integers([0, outputs])]),
    },
  );
};

/** `[time, batch, features]`. */
const timeMajorInputs = (graph: OnnxGraph, inputs: string, input: RecurrentNetwork['input']): string => {
  const tokens = () => graph.node('Transpose', [inputs], { perm: [1, 0] });
  const table = ({ rows, columns, values }: Matrix) => graph.floats(values, [rows, columns]);
  const whole = (value: string) => graph.node('Cast', [value], { to: elementTypes.int64 });
  return readInputs(input, {
    values: () => swapBatchAndTime(graph, inputs),
    features: (values, places) => graph.node('Gather', [values, graph.integers(places)], { axis: 2 }),
    vectors: (values, embedded) => {
      const index = graph.node('Gather', [values, graph.integers([embedded.feature], [])], { axis: 2 });
      const row = whole(index);
      return graph.node('Gather', [table(embedded.table), row]);
    },
    concat: (parts) => graph.node('Concat', parts, { axis: 2 }),
    tokenVectors: (vectors) => {
      const rows = tokens();
      return graph.node('Gather', [table(vectors), rows]);
    },
    oneHot: (vocabulary) => {
      const rows = tokens();
      const offOn = graph.floats([0, 1], [2]);
      // ONNX Runtime has no one-hot encoding of int32.
      const indices = whole(rows);
      return graph.node('OneHot', [indices, graph.integers([vocabulary], []), offOn]);
    },
  });
};

/** The outputs of every step, `[time, batch, size]`, zero past the length. */
const everyOutput = (sequences: Sequences, inputs: string, layer: Layer): string => {
  const { graph } = sequences;
  if (isFused(layer.cells[0])) {
    const { every } = addFusedLayer(sequences, inputs, layer.cells);
    return mergedAlong(graph, every, { layer, axis: 1 });
  }
  return mergedParts(
    graph,
    layer,
    composedDirections(sequences, inputs, layer).map(({ every }) => every),
  );
};

/** Each direction's state after its whole sequence, `[batch, size]`. */
const finalStates = (sequences: Sequences, inputs: string, layer: Layer): string => {
  const { graph } = sequences;
  if (isFused(layer.cells[0])) {
    const { final } = addFusedLayer(sequences, inputs, layer.cells);
    return mergedAlong(graph, final, { layer, axis: 0 });
  }
  return mergedParts(
    graph,
    layer,
    composedDirections(sequences, inputs, layer).map(({ final }) => final),
  );
};

/** `[batch, size]`. Of one direction it is the state after the whole sequence, which needs no search for the last index. */
const outputAtLastIndex = (sequences: Sequences, inputs: string, layer: Layer): string =>
  layer.cells[1]
    ? lastStep(sequences, everyOutput(sequences, inputs, layer))
    : finalStates(sequences, inputs, layer);

const composedDirections = (sequences: Sequences, inputs: string, { cells }: Layer) =>
  eachDirection(cells, (direction) => addComposedCell(sequences, inputs, direction));

const mergedParts = (graph: OnnxGraph, { merge }: Layer, parts: readonly string[]): string =>
  mergedDirections(operationsOf(graph), parts, merge);

/** Merges the directions of a value that has them along an axis, before the last two. */
const mergedAlong = (
  graph: OnnxGraph,
  value: string,
  { layer: { cells, merge }, axis }: { readonly layer: Layer; readonly axis: 0 | 1 },
): string => {
  if (!cells[1]) return graph.node('Squeeze', [value, graph.integers([axis])]);
  switch (merge) {
    case 'concat': {
      const size = 2 * cells[0].outputs;
      const perm = axis === 0 ? [1, 0, 2] : [0, 2, 1, 3];
      const sideBySide = graph.node('Transpose', [value], { perm });
      return graph.node('Reshape', [sideBySide, graph.integers(axis === 0 ? [0, size] : [0, 0, size])]);
    }
    case 'sum':
      return graph.node('ReduceSum', [value, graph.integers([axis])], { keepdims: 0 });
    case 'mean':
      return graph.node('ReduceMean', [value], { axes: [axis], keepdims: 0 });
  }
};
