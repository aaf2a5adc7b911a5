import type { OnnxGraph } from '../../models/onnx.ts';
import type { Cell, GruCell, LstmCell, Matrix, SimpleRnnCell } from '../recurrent-network.ts';
import { lastStep, reversed, zeroPastLength, type Sequences } from './sequences.ts';

/** A cell in elementary operations: the equations are in `src/tensorflow/kernels`. */
interface ComposedCell {
  /** The part that does not depend on the state, for all steps: `[time, batch, features]` to `[time, batch, columns]`. */
  readonly project: (graph: OnnxGraph, inputs: string) => string;
  /** One step from its projected input; the first part of the state is the output. */
  readonly step: (graph: OnnxGraph, projected: string, state: readonly string[]) => readonly string[];
  /** The sizes of the parts of the state. */
  readonly state: readonly number[];
}

/** Adds one direction of a layer as a loop. Returns all outputs, `[time, batch, size]`, zero past the length, and the last ones, `[batch, size]`. */
export const addComposedCell = (
  sequences: Sequences,
  inputs: string,
  { cell, backward }: { readonly cell: Cell; readonly backward: boolean },
): { readonly every: string; readonly final: string } => {
  const { graph, lengths } = sequences;
  const { project, step, state } = composed(graph, cell);
  const turned = backward && lengths !== undefined;
  const batch = graph.node('Gather', [graph.node('Shape', [inputs]), graph.integers([1])]);
  const [final, ...others] = graph.scan({
    states: state.map((size) =>
      graph.node('ConstantOfShape', [graph.node('Concat', [batch, graph.integers([size])], { axis: 0 })]),
    ),
    sequences: [project(graph, turned ? reversed(sequences, inputs) : inputs)],
    reverse: backward && !turned,
    step: (body, before, [projected]) => {
      const after = step(body, projected as string, before);
      return { states: after, outputs: [after[0] as string] };
    },
  });
  const inReadingOrder = others.at(-1) as string;
  if (!lengths) return { every: inReadingOrder, final: final as string };
  const every = turned ? reversed(sequences, inReadingOrder) : inReadingOrder;
  return {
    every: zeroPastLength(sequences, every),
    final: lastStep(sequences, inReadingOrder),
  };
};

const composed = (graph: OnnxGraph, cell: Cell): ComposedCell => {
  switch (cell.kind) {
    case 'lstm':
      return composedLstm(graph, cell);
    case 'gru':
      return composedGru(graph, cell);
    case 'simple-rnn':
      return composedSimpleRnn(graph, cell);
  }
};

const matrix = (graph: OnnxGraph, { values, rows, columns }: Matrix): string =>
  graph.floats(values, [rows, columns]);

const vector = (graph: OnnxGraph, values: Float32Array): string => graph.floats(values, [values.length]);

/** Normalises the last axis and multiplies it by a gain. */
const normalised = (graph: OnnxGraph, rows: string, gain: string): string =>
  graph.node('LayerNormalization', [rows, gain], { axis: -1, epsilon: { float: 1e-5 } });

const parts = (graph: OnnxGraph, columns: string, sizes: readonly number[]): readonly string[] =>
  graph.nodes('Split', [columns, graph.integers(sizes)], {
    outputs: sizes.length,
    attributes: { axis: -1 },
  });

const composedLstm = (outer: OnnxGraph, cell: LstmCell): ComposedCell => {
  const { size, outputs, peepholes, projection, norm } = cell;
  const [inputKernel, recurrentKernel] = [
    matrix(outer, cell.inputKernel),
    matrix(outer, cell.recurrentKernel),
  ];
  const bias = vector(outer, cell.bias);
  const gains = norm && {
    input: vector(outer, norm.input),
    recurrent: vector(outer, norm.recurrent),
    cell: vector(outer, norm.cell),
    offset: vector(outer, norm.cellOffset),
  };
  const peeps = peepholes && {
    input: vector(outer, peepholes.input),
    forget: vector(outer, peepholes.forget),
    output: vector(outer, peepholes.output),
  };
  const map = projection && matrix(outer, projection);
  return {
    state: [outputs, size],
    project: (graph, inputs) => {
      const product = graph.node('MatMul', [inputs, inputKernel]);
      return graph.node('Add', [gains ? normalised(graph, product, gains.input) : product, bias]);
    },
    step: (graph, projected, [hidden, before]) => {
      const node = (operator: string, ...inputs: string[]) => graph.node(operator, inputs);
      const product = node('MatMul', hidden as string, recurrentKernel);
      const sums = node('Add', projected, gains ? normalised(graph, product, gains.recurrent) : product);
      const [i, j, f, o] = parts(graph, sums, [size, size, size, size]) as [string, string, string, string];
      const gate = (sum: string, peephole: 'input' | 'forget' | 'output', seen: string) =>
        node('Sigmoid', peeps ? node('Add', sum, node('Mul', seen, peeps[peephole])) : sum);
      const kept = node('Mul', gate(f, 'forget', before as string), before as string);
      const state = node('Add', kept, node('Mul', gate(i, 'input', before as string), node('Tanh', j)));
      const shown = gains ? node('Add', normalised(graph, state, gains.cell), gains.offset) : state;
      const output = node('Mul', gate(o, 'output', state), node('Tanh', shown));
      return [map === undefined ? output : node('MatMul', output, map), state];
    },
  };
};

const composedGru = (outer: OnnxGraph, cell: GruCell): ComposedCell => {
  const { size, norm, recurrentBias } = cell;
  const [inputKernel, recurrentKernel] = [
    matrix(outer, cell.inputKernel),
    matrix(outer, cell.recurrentKernel),
  ];
  const bias = vector(outer, cell.bias);
  const candidateBias = recurrentBias && vector(outer, recurrentBias);
  if (candidateBias === undefined)
    throw new Error('ONNX has an operator for the reset gate before the product.');
  const sizes = [2 * size, size];
  const gainsOf = (gain: Float32Array) =>
    [vector(outer, gain.slice(0, 2 * size)), vector(outer, gain.slice(2 * size))] as const;
  const gains = norm && { input: gainsOf(norm.input), recurrent: gainsOf(norm.recurrent) };
  /** The two gates together, and the candidate by itself. */
  const split = (graph: OnnxGraph, columns: string, by: readonly [string, string] | undefined) => {
    const [gates, candidate] = parts(graph, columns, sizes) as [string, string];
    return by
      ? ([normalised(graph, gates, by[0]), normalised(graph, candidate, by[1])] as const)
      : ([gates, candidate] as const);
  };
  return {
    state: [size],
    project: (graph, inputs) => {
      const product = graph.node('MatMul', [inputs, inputKernel]);
      const columns = gains
        ? graph.node('Concat', split(graph, product, gains.input), { axis: -1 })
        : product;
      return graph.node('Add', [columns, bias]);
    },
    step: (graph, projected, [hidden]) => {
      const node = (operator: string, ...inputs: string[]) => graph.node(operator, inputs);
      const [inputGates, inputCandidate] = split(graph, projected, undefined);
      const [stateGates, stateCandidate] = split(
        graph,
        node('MatMul', hidden as string, recurrentKernel),
        gains?.recurrent,
      );
      const gates = node('Sigmoid', node('Add', inputGates, stateGates));
      const [reset, update] = parts(graph, gates, [size, size]) as [string, string];
      const recurrent = node('Mul', reset, node('Add', stateCandidate, candidateBias));
      const candidate = node('Tanh', node('Add', inputCandidate, recurrent));
      return [node('Add', candidate, node('Mul', update, node('Sub', hidden as string, candidate)))];
    },
  };
};

const composedSimpleRnn = (outer: OnnxGraph, cell: SimpleRnnCell): ComposedCell => {
  const { size, norm } = cell;
  const [inputKernel, recurrentKernel] = [
    matrix(outer, cell.inputKernel),
    matrix(outer, cell.recurrentKernel),
  ];
  const bias = vector(outer, cell.bias);
  const gain = norm && vector(outer, norm);
  return {
    state: [size],
    project: (graph, inputs) => graph.node('MatMul', [inputs, inputKernel]),
    step: (graph, projected, [hidden]) => {
      const node = (operator: string, ...inputs: string[]) => graph.node(operator, inputs);
      const sums = node('Add', projected, node('MatMul', hidden as string, recurrentKernel));
      const shown = gain === undefined ? sums : normalised(graph, sums, gain);
      return [node('Tanh', node('Add', shown, bias))];
    },
  };
};
