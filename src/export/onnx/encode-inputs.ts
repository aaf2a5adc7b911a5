import type { OnnxGraph } from '../../models/onnx.ts';
import {
  columnWidth,
  inputNames,
  type InputEncoding,
  type InputWriter,
  type ScaleNames,
  type TableColumn,
} from '../inputs.ts';
import { operationsOf } from './composed-cell.ts';
import { elementTypes, type Port } from './graph.ts';

type Columns = readonly TableColumn[];
type Series = Extract<InputEncoding, { kind: 'series' }>;

/** The inputs of a graph, by name. */
export const inputPorts = (encoding: InputEncoding, variableLength: boolean): readonly Port[] =>
  inputNames(encoding, variableLength).map((name) =>
    name === 'inputs' ? inputsPort(encoding) : { name, type: 'int32', shape: ['batch'] },
  );

const inputsPort = (encoding: InputEncoding): Port => {
  const port = (type: Port['type'], ...shape: Port['shape']): Port => ({ name: 'inputs', type, shape });
  switch (encoding.kind) {
    case 'tokens':
      return port('int32', 'batch', 'time');
    case 'numbers':
    case 'divided':
      return port('float32', 'batch', 'time', encoding.features);
    case 'columns':
      return port('float64', 'batch', 'time', encoding.columns.length);
    case 'series':
      return port('float64', 'batch', 'time', encoding.features);
  }
};

/** How an ONNX graph computes what the network reads. */
export const inputWriter = (graph: OnnxGraph): InputWriter => ({
  operations: operationsOf(graph),
  divided: (value, by) => graph.node('Div', [value, graph.floats([by], [])]),
  scaled: (numbers, scales) => scaled(graph, numbers, scales),
  columns: (inputs, columns) => encodeColumns(graph, inputs, columns),
  bySeries: (encoding, values) => bySeries(graph, encoding, values),
  feature: (values, at) =>
    graph.node('Slice', [values, ...[[at], [at + 1], [2]].map((one) => graph.integers(one))]),
});

const toFloat32 = (graph: OnnxGraph, value: string): string =>
  graph.node('Cast', [value], { to: elementTypes.float32 });

/** Replaces missing numbers, and scales; double precision keeps the digits of large numbers such as times. */
const scaled = (graph: OnnxGraph, numbers: string, { mean, factor, fill }: ScaleNames): string => {
  const whole = graph.node('Where', [graph.node('IsNaN', [numbers]), fill, numbers]);
  return toFloat32(graph, graph.node('Mul', [graph.node('Sub', [whole, mean]), factor]));
};

const encodeColumns = (graph: OnnxGraph, inputs: string, columns: Columns): string => {
  const at = (wanted: (column: Columns[number]) => boolean) =>
    columns.flatMap((column, index) => (wanted(column) ? [index] : []));
  const pick = (places: readonly number[]) =>
    places.length === columns.length
      ? inputs
      : graph.node('Gather', [inputs, graph.integers(places)], { axis: 2 });
  const numbers = at(({ kind }) => kind === 'number');
  const masks = at((column) => column.kind === 'number' && column.mask);
  const categories = at(({ kind }) => kind === 'category');
  const embedded = at(({ kind }) => kind === 'embedded');
  const pieces: string[] = [];
  /** The places of the pieces' inputs among those of the network. */
  const places: number[] = [];
  if (numbers.length > 0) {
    const each = numbers.map((index) => columns[index] as Extract<Columns[number], { kind: 'number' }>);
    const vector = (key: 'mean' | 'factor' | 'fill') =>
      graph.doubles(
        each.map((column) => column[key]),
        [each.length],
      );
    const scales = { mean: vector('mean'), factor: vector('factor'), fill: vector('fill') };
    pieces.push(scaled(graph, pick(numbers), scales));
    places.push(...numbers.map((index) => placeOf(columns, index)));
  }
  if (masks.length > 0) {
    pieces.push(toFloat32(graph, graph.node('IsNaN', [pick(masks)])));
    places.push(...masks.map((index) => placeOf(columns, index) + 1));
  }
  for (const index of categories) {
    const { labels } = columns[index] as Extract<Columns[number], { kind: 'category' }>;
    const column = graph.node('Gather', [inputs, graph.integers([index])], { axis: 2 });
    const every = graph.doubles(
      labels.map((_, label) => label),
      [labels.length],
    );
    const equal = graph.node('Equal', [column, every]);
    pieces.push(toFloat32(graph, equal));
    places.push(...labels.map((_, id) => placeOf(columns, index) + id));
  }
  if (embedded.length > 0) {
    // A missing label is NaN, which is no integer.
    const raw = pick(embedded);
    const known = graph.node('Where', [graph.node('IsNaN', [raw]), graph.doubles([-1], []), raw]);
    pieces.push(toFloat32(graph, graph.node('Add', [known, graph.doubles([1], [])])));
    places.push(...embedded.map((index) => placeOf(columns, index)));
  }
  const together = pieces.length === 1 ? (pieces[0] as string) : graph.node('Concat', pieces, { axis: 2 });
  const inOrder = places.map((_, place) => places.indexOf(place));
  if (inOrder.every((from, to) => from === to)) return together;
  return graph.node('Gather', [together, graph.integers(inOrder)], { axis: 2 });
};

/** Where the inputs of a column begin. */
const placeOf = (columns: Columns, index: number): number =>
  columns.slice(0, index).reduce((sum, column) => sum + columnWidth(column), 0);

/** A float64 constant by series: `[batch, 1, width]`, or `[width]` where all series are alike. */
export const bySeries = (graph: OnnxGraph, { scales }: Series, values: readonly number[]): string => {
  const width = values.length / scales.length;
  if (scales.length === 1) return graph.doubles(values, [width]);
  const table = graph.doubles(values, [scales.length, 1, width]);
  return graph.node('Gather', [table, 'series']);
};
