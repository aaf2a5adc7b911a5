import type { OnnxContext, OnnxGraph } from '../../models/onnx.ts';
import { mergedDirections, readOutputs } from '../cell-equations.ts';
import { plainFeatures, type LayerCells, type RecurrentNetwork } from '../recurrent-network.ts';
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
  const { input, layers, merge, readout, output } = network;
  let below = timeMajorInputs(graph, inputs, input);
  const sequences = sequencesOf(graph, below, lengths);
  for (const cells of layers.slice(0, -1)) below = everyOutput(sequences, below, { cells, merge });
  const top = { cells: layers.at(-1) as LayerCells, merge };
  const kernel = graph.floats(output.kernel.values, [output.kernel.rows, output.kernel.columns]);
  const bias = graph.floats(output.bias, [output.bias.length]);
  const outputLayer = (read: string) => graph.node('Add', [graph.node('MatMul', [read, kernel]), bias]);
  return readOutputs(readout, {
    every: () => everyOutput(sequences, below, top),
    last: () => outputAtLastIndex(sequences, below, top),
    finalState: () => finalStates(sequences, below, top),
    mean: (every) => meanOfSteps(sequences, every),
    max: (every) => maximumOfSteps(sequences, every),
    batchMajor: (every) => swapBatchAndTime(graph, every),
    outputLayer,
    lastSteps: (every, last) => {
      const [from, end, axis] = [[-last], [Number.MAX_SAFE_INTEGER], [1]].map((one) => graph.integers(one));
      const steps = graph.node('Slice', [every, from as string, end as string, axis as string]);
      return graph.node('Reshape', [outputLayer(steps), graph.integers([0, outputs])]);
    },
  });
};

/** `[time, batch, features]`. */
const timeMajorInputs = (graph: OnnxGraph, inputs: string, input: RecurrentNetwork['input']): string => {
  if (input.kind === 'values') return withVectors(graph, swapBatchAndTime(graph, inputs), input);
  const tokens = graph.node('Transpose', [inputs], { perm: [1, 0] });
  if (input.table) {
    const { rows, columns, values } = input.table;
    return graph.node('Gather', [graph.floats(values, [rows, columns]), tokens]);
  }
  const offOn = graph.floats([0, 1], [2]);
  // ONNX Runtime has no one-hot encoding of int32.
  const indices = graph.node('Cast', [tokens], { to: elementTypes.int64 });
  return graph.node('OneHot', [indices, graph.integers([input.vocabulary], []), offOn]);
};

/** Replaces features that are categories by their vectors, behind the other features. */
const withVectors = (
  graph: OnnxGraph,
  inputs: string,
  input: Extract<RecurrentNetwork['input'], { kind: 'values' }>,
): string => {
  const { embedded } = input;
  if (embedded.length === 0) return inputs;
  const numbers = plainFeatures(input);
  const vectors = embedded.map(({ feature, table: { rows, columns, values } }) => {
    const index = graph.node('Gather', [inputs, graph.integers([feature], [])], { axis: 2 });
    const whole = graph.node('Cast', [index], { to: elementTypes.int64 });
    return graph.node('Gather', [graph.floats(values, [rows, columns]), whole]);
  });
  const others =
    numbers.length === 0 ? [] : [graph.node('Gather', [inputs, graph.integers(numbers)], { axis: 2 })];
  return graph.node('Concat', [...others, ...vectors], { axis: 2 });
};

interface Layer extends Pick<RecurrentNetwork, 'merge'> {
  readonly cells: LayerCells;
}

/** The outputs of every step, `[time, batch, size]`, zero past the length. */
const everyOutput = (sequences: Sequences, inputs: string, layer: Layer): string => {
  const { graph } = sequences;
  if (isFused(layer.cells[0])) {
    const { every } = addFusedLayer(sequences, inputs, layer.cells);
    return mergedAlong(graph, every, { layer, axis: 1 });
  }
  return mergedDirections(
    operationsOf(graph),
    composedDirections(sequences, inputs, layer).map(({ every }) => every),
    layer.merge,
  );
};

/** Each direction's state after its whole sequence, `[batch, size]`. */
const finalStates = (sequences: Sequences, inputs: string, layer: Layer): string => {
  const { graph } = sequences;
  if (isFused(layer.cells[0])) {
    const { final } = addFusedLayer(sequences, inputs, layer.cells);
    return mergedAlong(graph, final, { layer, axis: 0 });
  }
  return mergedDirections(
    operationsOf(graph),
    composedDirections(sequences, inputs, layer).map(({ final }) => final),
    layer.merge,
  );
};

/** `[batch, size]`. Of one direction it is the state after the whole sequence, which needs no search for the last index. */
const outputAtLastIndex = (sequences: Sequences, inputs: string, layer: Layer): string =>
  layer.cells[1]
    ? lastStep(sequences, everyOutput(sequences, inputs, layer))
    : finalStates(sequences, inputs, layer);

const composedDirections = (sequences: Sequences, inputs: string, { cells }: Layer) =>
  cells
    .filter((cell) => cell !== undefined)
    .map((cell, at) => addComposedCell(sequences, inputs, { cell, backward: at === 1 }));

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
