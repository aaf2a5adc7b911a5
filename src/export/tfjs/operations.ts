import { epsilon, type Operations } from '../cell-equations.ts';
import type { TfGraph } from './graph.ts';

/** Elementary operations along the last axis, as those of every export. */
export const operationsOf = (graph: TfGraph): Operations => {
  const add = (left: string, right: string) => graph.node('AddV2', [left, right]);
  const sub = (left: string, right: string) => graph.node('Sub', [left, right]);
  const mul = (left: string, right: string) => graph.node('Mul', [left, right]);
  const mean = (value: string) =>
    graph.node('Mean', [value, graph.integers([-1])], { keep_dims: { b: true } });
  return {
    constant: (values, shape) => graph.floats(values, shape),
    matMul: (left, right) => graph.node('BatchMatMulV2', [left, right]),
    add,
    sub,
    mul,
    sigmoid: (value) => graph.node('Sigmoid', [value]),
    tanh: (value) => graph.node('Tanh', [value]),
    split: (value, sizes) => {
      const name = graph.node('SplitV', [value, graph.integers(sizes), graph.integers([-1], [])], {
        num_split: { i: sizes.length },
      });
      return sizes.map((_, at) => `${name}:${at}`);
    },
    concat: (values) => concat(graph, values, -1),
    normalised: (value, gain) => {
      const centred = sub(value, mean(value));
      const variance = mean(graph.node('Square', [centred]));
      return mul(mul(centred, graph.node('Rsqrt', [add(variance, graph.floats([epsilon], []))])), gain);
    },
  };
};

export const concat = (graph: TfGraph, values: readonly string[], axis: number): string =>
  graph.node('ConcatV2', [...values, graph.integers([axis], [])], { N: { i: values.length } });

export const expandDims = (graph: TfGraph, value: string, axis: number): string =>
  graph.node('ExpandDims', [value, graph.integers([axis], [])]);

export const cast = (graph: TfGraph, value: string, type: 'DT_FLOAT' | 'DT_INT32'): string =>
  graph.node('Cast', [value], { DstT: { type } });

/** Entries along an axis; with `batch` those of each example by its own indices. */
export const gather = (
  graph: TfGraph,
  value: string,
  {
    indices,
    axis,
    batch = false,
  }: { readonly indices: string; readonly axis: number; readonly batch?: boolean },
): string =>
  graph.node('GatherV2', [value, indices, graph.integers([axis], [])], {
    batch_dims: { i: Number(batch) },
  });

/** The size of an axis, an int32 scalar. */
export const sizeOf = (graph: TfGraph, value: string, axis: number): string =>
  gather(graph, graph.node('Shape', [value]), { indices: graph.integers([axis], []), axis: 0 });

/** Along the time, which is axis 1. */
export const reduceTime = (graph: TfGraph, operator: 'Sum' | 'Mean' | 'Max', value: string): string =>
  graph.node(operator, [value, graph.integers([1])], { keep_dims: { b: false } });
