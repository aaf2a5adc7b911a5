import { addLayers, eachDirection, mergedDirections, readInputs, type Layer } from '../add-layers.ts';
import { equationsOf } from '../cell-equations.ts';
import type { Cell, Matrix, RecurrentNetwork } from '../recurrent-network.ts';
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
  network: RecurrentNetwork,
  given: { readonly inputs: string; readonly lengths: string | undefined; readonly outputs: number },
): string => {
  const first = batchMajorInputs(graph, given.inputs, network.input);
  const sequences = sequencesOf(graph, first, given.lengths);
  return addLayers<Sequences>(
    network,
    { first, sequences },
    {
      operations: operationsOf(graph),
      ...{ everyOutput, outputAtLastIndex, finalStates, meanOfSteps, maximumOfSteps },
      batchMajor: (every) => every,
      lastSteps: (every, last) => {
        const from = graph.node('Sub', [sequences.time, graph.integers([last], [])]);
        const steps = graph.node('Range', [from, sequences.time, graph.integers([1], [])]);
        return gather(graph, every, { indices: steps, axis: 1 });
      },
      sideBySide: (steps) => graph.node('Reshape', [steps, graph.integers([-1, given.outputs])]),
    },
  );
};

/** `[batch, time, features]`. */
const batchMajorInputs = (graph: TfGraph, inputs: string, input: RecurrentNetwork['input']): string => {
  const constant = ({ rows, columns, values }: Matrix) => graph.floats(values, [rows, columns]);
  return readInputs(input, {
    values: () => inputs,
    features: (values, places) => gather(graph, values, { indices: graph.integers(places), axis: 2 }),
    vectors: (values, { feature, table }) => {
      const index = gather(graph, values, { indices: graph.integers([feature], []), axis: 2 });
      return gather(graph, constant(table), { indices: cast(graph, index, 'DT_INT32'), axis: 0 });
    },
    concat: (parts) => concat(graph, parts, 2),
    tokenVectors: (table) => gather(graph, constant(table), { indices: inputs, axis: 0 }),
    oneHot: (vocabulary) => {
      const parameters = [graph.integers([vocabulary], []), graph.floats([1], []), graph.floats([0], [])];
      return cast(graph, graph.node('OneHot', [inputs, ...parameters], { axis: { i: -1 } }), 'DT_FLOAT');
    },
  });
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

interface CellOutputs {
  /** `[batch, time, size]`, zero past the length. */
  readonly every: string;
  /** `[batch, size]`, the last in the order of reading. */
  readonly final: string;
}

const everyOutput = (sequences: Sequences, inputs: string, layer: Layer): string =>
  mergedOf(sequences, inputs, layer, ({ every }) => every);

const finalStates = (sequences: Sequences, inputs: string, layer: Layer): string =>
  mergedOf(sequences, inputs, layer, ({ final }) => final);

const outputAtLastIndex = (sequences: Sequences, inputs: string, layer: Layer): string =>
  mergedOf(sequences, inputs, layer, ({ every, final }, direction) =>
    direction === 0 ? final : lastStep(sequences, every),
  );

const mergedOf = (
  sequences: Sequences,
  inputs: string,
  { cells, merge }: Layer,
  partOf: (outputs: CellOutputs, direction: number) => string,
): string => {
  const directions = eachDirection(cells, (direction) => runCell(sequences, inputs, direction));
  return mergedDirections(operationsOf(sequences.graph), directions.map(partOf), merge);
};

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
