import { hasSeriesInput, type InputEncoding } from '../inputs.ts';
import type { TensorType, TfGraph } from './graph.ts';
import { cast, concat, expandDims, gather } from './operations.ts';

type Columns = Extract<InputEncoding, { kind: 'columns' }>['columns'];
type Series = Extract<InputEncoding, { kind: 'series' }>;

/** An input or output by name. A dimension of -1 may be of any size. */
export interface TfPort {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
}

/** The inputs of a graph. In the browser there is no float64: numbers are float32. */
export const inputPorts = (encoding: InputEncoding, variableLength: boolean): readonly TfPort[] => [
  inputsPort(encoding),
  ...(variableLength ? [{ name: 'lengths', type: 'DT_INT32', shape: [-1] } as const] : []),
  ...(hasSeriesInput(encoding) ? [{ name: 'series', type: 'DT_INT32', shape: [-1] } as const] : []),
];

const inputsPort = (encoding: InputEncoding): TfPort => {
  if (encoding.kind === 'tokens') return { name: 'inputs', type: 'DT_INT32', shape: [-1, -1] };
  const columns = encoding.kind === 'columns' ? encoding.columns.length : encoding.features;
  return { name: 'inputs', type: 'DT_FLOAT', shape: [-1, -1, columns] };
};

/** Adds what the network reads to the graph: float32 `[batch, time, features]`, or int32 `[batch, time]` for tokens. */
export const encodeInputs = (graph: TfGraph, encoding: InputEncoding): string => {
  const inputs = 'inputs';
  switch (encoding.kind) {
    case 'tokens':
    case 'numbers':
      return inputs;
    case 'divided':
      return graph.node('RealDiv', [inputs, graph.floats([encoding.divide], [])]);
    case 'columns':
      return encodeColumns(graph, inputs, encoding.columns);
    case 'series':
      return encodeSeries(graph, inputs, encoding);
  }
};

/** Replaces missing numbers, and scales. */
const scaled = (
  graph: TfGraph,
  numbers: string,
  { mean, factor, fill }: { readonly mean: string; readonly factor: string; readonly fill: string },
): string => {
  const whole = graph.node('SelectV2', [graph.node('IsNan', [numbers]), fill, numbers]);
  return graph.node('Mul', [graph.node('Sub', [whole, mean]), factor]);
};

const encodeColumns = (graph: TfGraph, inputs: string, columns: Columns): string => {
  const pieces = columns.flatMap((column, at) => {
    const raw = gather(graph, inputs, { indices: graph.integers([at]), axis: 2 });
    if (column.kind === 'embedded') {
      const missing = graph.node('SelectV2', [graph.node('IsNan', [raw]), graph.floats([-1], []), raw]);
      return [graph.node('AddV2', [missing, graph.floats([1], [])])];
    }
    if (column.kind === 'category') {
      const every = graph.floats(
        column.labels.map((_, label) => label),
        [column.labels.length],
      );
      return [cast(graph, graph.node('Equal', [raw, every]), 'DT_FLOAT')];
    }
    const scalar = (value: number) => graph.floats([value], []);
    const { mean, factor, fill, mask } = column;
    const number = scaled(graph, raw, { mean: scalar(mean), factor: scalar(factor), fill: scalar(fill) });
    return mask ? [number, cast(graph, graph.node('IsNan', [raw]), 'DT_FLOAT')] : [number];
  });
  return pieces.length === 1 ? (pieces[0] as string) : concat(graph, pieces, 2);
};

const encodeSeries = (graph: TfGraph, inputs: string, encoding: Series): string => {
  const { scales, features, ahead } = encoding;
  const table = (key: 'mean' | 'factor' | 'fill') =>
    bySeries(
      graph,
      encoding,
      scales.flatMap((one) => one[key]),
    );
  const values = scaled(graph, inputs, { mean: table('mean'), factor: table('factor'), fill: table('fill') });
  if (!ahead) return values;
  const flag = gather(graph, values, { indices: graph.integers([ahead.flag]), axis: 2 });
  const isObserved = graph.floats(
    Array.from({ length: features }, (_, at) => Number(at < ahead.observed)),
    [features],
  );
  const hidden = graph.node('Mul', [flag, isObserved]);
  return graph.node('Mul', [values, graph.node('Sub', [graph.floats([1], []), hidden])]);
};

/** A constant by series: `[batch, 1, width]`, or `[width]` where all series are alike. -1 is a series that is not listed. */
export const bySeries = (graph: TfGraph, { scales }: Series, values: readonly number[]): string => {
  const width = values.length / scales.length;
  if (scales.length === 1) return graph.floats(values, [width]);
  const table = graph.floats(values, [scales.length, width]);
  const last = graph.integers([scales.length - 1], []);
  const isListed = graph.node('GreaterEqual', ['series', graph.integers([0], [])]);
  const index = cast(graph, graph.node('SelectV2', [isListed, 'series', last]), 'DT_INT32');
  return expandDims(graph, gather(graph, table, { indices: index, axis: 0 }), 1);
};
