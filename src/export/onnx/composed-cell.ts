import type { OnnxGraph } from '../../models/onnx.ts';
import { epsilon, equationsOf, type Operations } from '../cell-equations.ts';
import type { Cell } from '../recurrent-network.ts';
import { lastStep, reversed, zeroPastLength, type Sequences } from './sequences.ts';

/** Adds one direction of a layer as a loop. Returns all outputs, `[time, batch, size]`, zero past the length, and the last ones, `[batch, size]`. */
export const addComposedCell = (
  sequences: Sequences,
  inputs: string,
  { cell, backward }: { readonly cell: Cell; readonly backward: boolean },
): { readonly every: string; readonly final: string } => {
  const { graph, lengths } = sequences;
  const { project, step, state } = equationsOf(cell);
  const turned = backward && lengths !== undefined;
  const batch = graph.node('Gather', [graph.node('Shape', [inputs]), graph.integers([1])]);
  const [final, ...others] = graph.scan({
    states: state.map((size) =>
      graph.node('ConstantOfShape', [graph.node('Concat', [batch, graph.integers([size])], { axis: 0 })]),
    ),
    sequences: [project(operationsOf(graph), turned ? reversed(sequences, inputs) : inputs)],
    reverse: backward && !turned,
    step: (body, before, [projected]) => {
      const after = step(operationsOf(body), projected as string, before);
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

export const operationsOf = (graph: OnnxGraph): Operations => ({
  constant: (values, shape) => graph.floats(values, shape),
  matMul: (left, right) => graph.node('MatMul', [left, right]),
  add: (left, right) => graph.node('Add', [left, right]),
  sub: (left, right) => graph.node('Sub', [left, right]),
  mul: (left, right) => graph.node('Mul', [left, right]),
  sigmoid: (value) => graph.node('Sigmoid', [value]),
  tanh: (value) => graph.node('Tanh', [value]),
  split: (value, sizes) =>
    graph.nodes('Split', [value, graph.integers(sizes)], {
      outputs: sizes.length,
      attributes: { axis: -1 },
    }),
  concat: (values) => graph.node('Concat', values, { axis: -1 }),
  normalised: (value, gain) =>
    graph.node('LayerNormalization', [value, gain], { axis: -1, epsilon: { float: epsilon } }),
});
