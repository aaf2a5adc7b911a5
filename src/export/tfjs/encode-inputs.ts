import { inputNames, type InputEncoding, type InputWriter, type ScaleNames } from '../inputs.ts';
import type { TensorType, TfGraph } from './graph.ts';
import { cast, concat, expandDims, gather, operationsOf } from './operations.ts';

type Columns = Extract<InputEncoding, { kind: 'columns' }>['columns'];
type Series = Extract<InputEncoding, { kind: 'series' }>;

/** An input or output by name. A dimension of -1 may be of any size. */
export interface TfPort {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
}

/** The inputs of a graph. In the browser there is no float64: numbers are float32. */
export const inputPorts = (encoding: InputEncoding, variableLength: boolean): readonly TfPort[] =>
  inputNames(encoding, variableLength).map((name) =>
    name === 'inputs' ? inputsPort(encoding) : { name, type: 'DT_INT32', shape: [-1] },
  );

const inputsPort = (encoding: InputEncoding): TfPort => {
  if (encoding.kind === 'tokens') return { name: 'inputs', type: 'DT_INT32', shape: [-1, -1] };
  const columns = encoding.kind === 'columns' ? encoding.columns.length : encoding.features;
  return { name: 'inputs', type: 'DT_FLOAT', shape: [-1, -1, columns] };
};

/** How a TensorFlow.js graph computes what the network reads. */
export const inputWriter = (graph: TfGraph): InputWriter => ({
  operations: operationsOf(graph),
  divided: (value, by) => graph.node('RealDiv', [value, graph.floats([by], [])]),
  scaled: (numbers, scales) => scaled(graph, numbers, scales),
  columns: (inputs, columns) => encodeColumns(graph, inputs, columns),
  bySeries: (encoding, values) => bySeries(graph, encoding, values),
  feature: (values, at) => gather(graph, values, { indices: graph.integers([at]), axis: 2 }),
});

/** Replaces missing numbers, and scales. */
const scaled = (graph: TfGraph, numbers: string, { mean, factor, fill }: ScaleNames): string => {
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
