import { equationsOf, mergedDirections, readOutputs } from '../cell-equations.ts';
import { plainFeatures, type Cell, type LayerCells, type RecurrentNetwork } from '../recurrent-network.ts';
import type { TfGraph } from './graph.ts';
import { cast, concat, expandDims, gather, operationsOf, reduceTime, sizeOf } from './operations.ts';

/** Sequences in a graph: `[batch, time, size]`. */
interface Sequences {
  readonly graph: TfGraph;
  /** int32 scalars. */
  readonly batch: string;
  readonly time: string;
  /** Undefined where every sequence has the full length. */
  readonly lengths: Lengths | undefined;
}

interface Lengths {
  /** int32 `[batch]`. */
  readonly each: string;
  /** bool `[batch, time, 1]`: true within a sequence's length. */
  readonly within: string;
  /** int32 `[batch, time]`: the step in the place of each when a sequence is reversed within its length. */
  readonly mirrored: string;
}

/** Adds a built-in network to a graph. Returns its raw outputs, as `Model.forward` gives them. */
export const addRecurrentNetwork = (
  graph: TfGraph,
  { input, layers, merge, readout, output }: RecurrentNetwork,
  given: { readonly inputs: string; readonly lengths: string | undefined; readonly outputs: number },
): string => {
  let below = readInputs(graph, given.inputs, input);
  const sequences = sequencesOf(graph, below, given.lengths);
  for (const cells of layers.slice(0, -1)) below = everyOutput(sequences, below, { cells, merge });
  const top: Layer = { cells: layers.at(-1) as LayerCells, merge };
  const operations = operationsOf(graph);
  const outputLayer = (read: string) =>
    operations.add(
      operations.matMul(
        read,
        graph.floats(output.kernel.values, [output.kernel.rows, output.kernel.columns]),
      ),
      graph.floats(output.bias, [output.bias.length]),
    );
  return readOutputs(readout, {
    every: () => everyOutput(sequences, below, top),
    last: () => outputAtLastIndex(sequences, below, top),
    finalState: () => finalStates(sequences, below, top),
    mean: (every) => meanOfSteps(sequences, every),
    max: (every) => maximumOfSteps(sequences, every),
    batchMajor: (every) => every,
    outputLayer,
    lastSteps: (every, last) => {
      const from = graph.node('Sub', [sequences.time, graph.integers([last], [])]);
      const steps = graph.node('Range', [from, sequences.time, graph.integers([1], [])]);
      const read = outputLayer(gather(graph, every, { indices: steps, axis: 1 }));
      return graph.node('Reshape', [read, graph.integers([-1, given.outputs])]);
    },
  });
};

/** `[batch, time, features]`. */
const readInputs = (graph: TfGraph, inputs: string, input: RecurrentNetwork['input']): string => {
  if (input.kind === 'values') return withVectors(graph, inputs, input);
  if (input.table) {
    const { rows, columns, values } = input.table;
    return gather(graph, graph.floats(values, [rows, columns]), { indices: inputs, axis: 0 });
  }
  const parameters = [graph.integers([input.vocabulary], []), graph.floats([1], []), graph.floats([0], [])];
  return cast(graph, graph.node('OneHot', [inputs, ...parameters], { axis: { i: -1 } }), 'DT_FLOAT');
};

/** Replaces features that are categories by their vectors, behind the other features. */
const withVectors = (
  graph: TfGraph,
  inputs: string,
  input: Extract<RecurrentNetwork['input'], { kind: 'values' }>,
): string => {
  const { embedded } = input;
  if (embedded.length === 0) return inputs;
  const numbers = plainFeatures(input);
  const vectors = embedded.map(({ feature, table: { rows, columns, values } }) => {
    const index = gather(graph, inputs, { indices: graph.integers([feature], []), axis: 2 });
    return gather(graph, graph.floats(values, [rows, columns]), {
      indices: cast(graph, index, 'DT_INT32'),
      axis: 0,
    });
  });
  const others =
    numbers.length === 0 ? [] : [gather(graph, inputs, { indices: graph.integers(numbers), axis: 2 })];
  return concat(graph, [...others, ...vectors], 2);
};

const sequencesOf = (graph: TfGraph, inputs: string, lengths: string | undefined): Sequences => {
  const batch = sizeOf(graph, inputs, 0);
  const time = sizeOf(graph, inputs, 1);
  if (lengths === undefined) return { graph, batch, time, lengths: undefined };
  const [zero, one] = [graph.integers([0], []), graph.integers([1], [])];
  const steps = expandDims(graph, graph.node('Range', [zero, time, one]), 0);
  const each = expandDims(graph, lengths, 1);
  const within = graph.node('Less', [steps, each]);
  const turned = graph.node('Sub', [graph.node('Sub', [each, one]), steps]);
  return {
    graph,
    batch,
    time,
    lengths: {
      each: lengths,
      within: expandDims(graph, within, 2),
      mirrored: cast(graph, graph.node('SelectV2', [within, turned, steps]), 'DT_INT32'),
    },
  };
};

interface Layer extends Pick<RecurrentNetwork, 'merge'> {
  readonly cells: LayerCells;
}

interface CellOutputs {
  /** `[batch, time, size]`, zero past the length. */
  readonly every: string;
  /** `[batch, size]`, the last in the order of reading. */
  readonly final: string;
}

const everyOutput = (sequences: Sequences, inputs: string, layer: Layer): string =>
  mergedDirections(
    operationsOf(sequences.graph),
    directions(sequences, inputs, layer).map(({ every }) => every),
    layer.merge,
  );

const finalStates = (sequences: Sequences, inputs: string, layer: Layer): string =>
  mergedDirections(
    operationsOf(sequences.graph),
    directions(sequences, inputs, layer).map(({ final }) => final),
    layer.merge,
  );

const outputAtLastIndex = (sequences: Sequences, inputs: string, layer: Layer): string =>
  mergedDirections(
    operationsOf(sequences.graph),
    directions(sequences, inputs, layer).map(({ every, final }, direction) =>
      direction === 0 ? final : lastStep(sequences, every),
    ),
    layer.merge,
  );

const directions = (sequences: Sequences, inputs: string, { cells }: Layer): readonly CellOutputs[] =>
  cells
    .filter((cell) => cell !== undefined)
    .map((cell, at) => runCell(sequences, inputs, { cell, backward: at === 1 }));

/** A loop over the steps that collects the outputs in a list. */
const runCell = (
  sequences: Sequences,
  inputs: string,
  { cell, backward }: { readonly cell: Cell; readonly backward: boolean },
): CellOutputs => {
  const { graph, batch, time, lengths } = sequences;
  const { state, project, step } = equationsOf(cell);
  const inOrder = backward ? reversed(sequences, inputs) : inputs;
  const projected = project(operationsOf(graph), inOrder);
  const initial = state.map((size) =>
    graph.node('Fill', [
      graph.node('Pack', [batch, graph.integers([size], [])], { axis: { i: 0 }, N: { i: 2 } }),
      graph.floats([0], []),
    ]),
  );
  const element = { element_dtype: { type: 'DT_FLOAT' } } as const;
  const list = graph.node('TensorListReserve', [graph.integers([-1, cell.outputs]), time], element);
  const results = graph.loop({
    values: [
      [graph.integers([0], []), 'DT_INT32'],
      [time, 'DT_INT32'],
      [projected, 'DT_FLOAT'],
      [list, 'DT_VARIANT'],
      ...initial.map((one) => [one, 'DT_FLOAT'] as const),
    ],
    goesOn: (body, [at, end]) => body.node('Less', [at as string, end as string]),
    step: (body, values) => {
      const [at, end, all, outputs, ...before] = values as readonly [string, string, string, string, string];
      const after = step(operationsOf(body), gather(body, all, { indices: at, axis: 1 }), before);
      return [
        body.node('AddV2', [at, body.integers([1], [])]),
        end,
        all,
        body.node('TensorListSetItem', [outputs, at, after[0] as string], element),
        ...after,
      ];
    },
  });
  const [, , , outputs, hidden] = results as readonly [string, string, string, string, string];
  const timeMajor = graph.node('TensorListStack', [outputs, graph.integers([-1, cell.outputs])], element);
  const read = graph.node('Transpose', [timeMajor, graph.integers([1, 0, 2])]);
  if (!lengths) return { every: backward ? reversed(sequences, read) : read, final: hidden };
  const every = backward ? reversed(sequences, read) : read;
  return {
    every: graph.node('Mul', [every, cast(graph, lengths.within, 'DT_FLOAT')]),
    final: lastStep(sequences, read),
  };
};

/** Reverses each sequence within its length. */
const reversed = ({ graph, lengths }: Sequences, sequence: string): string =>
  lengths
    ? gather(graph, sequence, { indices: lengths.mirrored, axis: 1, batch: true })
    : graph.node('ReverseV2', [sequence, graph.integers([1])]);

/** The last step within each length: `[batch, size]`. */
const lastStep = ({ graph, time, lengths }: Sequences, sequence: string): string => {
  const one = graph.integers([1], []);
  if (!lengths) return gather(graph, sequence, { indices: graph.node('Sub', [time, one]), axis: 1 });
  const places = expandDims(graph, graph.node('Sub', [lengths.each, one]), 1);
  return reduceTime(graph, 'Sum', gather(graph, sequence, { indices: places, axis: 1, batch: true }));
};

/** Mean of the steps within the lengths: `[batch, size]`. Past them `sequence` must be zero. */
const meanOfSteps = ({ graph, lengths }: Sequences, sequence: string): string => {
  if (!lengths) return reduceTime(graph, 'Mean', sequence);
  const counts = expandDims(graph, cast(graph, lengths.each, 'DT_FLOAT'), 1);
  return graph.node('RealDiv', [reduceTime(graph, 'Sum', sequence), counts]);
};

/** Maximum of the steps within the lengths: `[batch, size]`. */
const maximumOfSteps = ({ graph, lengths }: Sequences, sequence: string): string => {
  const shown = lengths
    ? graph.node('SelectV2', [lengths.within, sequence, graph.floats([-3.4e38], [])])
    : sequence;
  return reduceTime(graph, 'Max', shown);
};
