import type { OnnxGraph } from '../../models/onnx.ts';
import type { Head } from '../head.ts';
import type { InputEncoding } from '../inputs.ts';
import { quantileMatrices } from '../quantile-matrices.ts';
import { targetScales } from '../target-scales.ts';
import { bySeries } from './encode-inputs.ts';
import { elementTypes } from './graph.ts';

type Numbers = Extract<Head, { kind: 'numbers' }>;

/** Adds predictions in the unit of the data: float32 of the leading axes and those of the head. */
export const addNumbers = (
  graph: OnnxGraph,
  outputs: string,
  {
    head,
    leading,
    encoding,
  }: { readonly head: Numbers; readonly leading: number; readonly encoding: InputEncoding },
): string => {
  const sizes = head.axes.map(({ size }) => size);
  const shape = graph.integers([...Array.from({ length: leading }, () => 0), ...sizes]);
  const numbers = transformed(graph, graph.node('Reshape', [outputs, shape]), head.transform);
  const scaling = targetScales(head, encoding, {
    vector: (values) => graph.doubles(values, [values.length]),
    bySeries: (series, values) => bySeries(graph, series, values),
    withLastAxis: (value) => graph.node('Unsqueeze', [value, graph.integers([-1])]),
  });
  if (!scaling) return numbers;
  const double = graph.node('Cast', [numbers], { to: elementTypes.float64 });
  const unscaled = graph.node('Add', [graph.node('Div', [double, scaling.factor]), scaling.mean]);
  return graph.node('Cast', [unscaled], { to: elementTypes.float32 });
};

const transformed = (graph: OnnxGraph, outputs: string, transform: Numbers['transform']): string => {
  switch (transform) {
    case 'none':
      return outputs;
    case 'exp':
      return graph.node('Exp', [outputs]);
    default:
      return risingQuantiles(graph, outputs, transform);
  }
};

const risingQuantiles = (
  graph: OnnxGraph,
  outputs: string,
  { quantiles, middle }: { readonly quantiles: number; readonly middle: number },
): string => {
  const { base, steps } = quantileMatrices(quantiles, middle);
  const times = (value: string, matrix: readonly number[]) =>
    graph.node('MatMul', [value, graph.floats(matrix, [quantiles, quantiles])]);
  return graph.node('Add', [times(outputs, base), times(graph.node('Softplus', [outputs]), steps)]);
};
