import type { OnnxGraph } from '../../models/onnx.ts';
import type { Head } from '../head.ts';
import type { InputEncoding } from '../inputs.ts';
import { quantileMatrices } from '../quantile-matrices.ts';
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
  const scaling = scalesOf(graph, head, encoding);
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

/** Of the targets, as they combine with the predictions. */
const scalesOf = (
  graph: OnnxGraph,
  { scaling, axes }: Numbers,
  encoding: InputEncoding,
): { readonly mean: string; readonly factor: string } | undefined => {
  if (!scaling) return undefined;
  const hasQuantiles = axes.at(-1)?.name === 'quantiles';
  const beforeQuantiles = (value: string) =>
    hasQuantiles ? graph.node('Unsqueeze', [value, graph.integers([-1])]) : value;
  if (scaling.kind === 'fixed') {
    const vector = (values: readonly number[]) => beforeQuantiles(graph.doubles(values, [values.length]));
    return { mean: vector(scaling.mean), factor: vector(scaling.factor) };
  }
  if (encoding.kind !== 'series') throw new Error('The inputs have no scales by series.');
  const ofTargets = (key: 'mean' | 'factor') =>
    beforeQuantiles(
      bySeries(
        graph,
        encoding,
        encoding.scales.flatMap((one) => one[key].slice(0, scaling.targets)),
      ),
    );
  return { mean: ofTargets('mean'), factor: ofTargets('factor') };
};
