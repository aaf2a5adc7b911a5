import type { Batch } from '../data/dataset.ts';
import { columnWidth, inputEncodingOf, hasSeriesInput, type InputEncoding } from '../export/inputs.ts';
import type { ModelFile } from '../record/run-files.ts';

/** An input of `model.onnx`. */
interface Feed {
  readonly name: string;
  readonly type: 'float32' | 'float64' | 'int32';
  readonly values: Float32Array | Float64Array | Int32Array;
  readonly axes: readonly number[];
}

/**
 * The inputs of `model.onnx` for a batch that the network reads: what was done to the values of the files is undone, since the
 * graph does it again. `series` are the names of the examples' series.
 */
export const onnxFeeds = (
  file: ModelFile,
  {
    batch: { size, inputs, lengths },
    steps,
    series,
  }: { readonly batch: Batch; readonly steps: number; readonly series: readonly string[] },
): readonly Feed[] => {
  const encoding = inputEncodingOf(file);
  const places = series.map((name) => placeOfSeries(file, name));
  return [
    inputsFeed(encoding, { inputs, size, steps, places }),
    ...(file.shape.variableLength
      ? [{ name: 'lengths', type: 'int32', values: lengths.slice(0, size), axes: [size] } as const]
      : []),
    ...(hasSeriesInput(encoding)
      ? [{ name: 'series', type: 'int32', values: Int32Array.from(places), axes: [size] } as const]
      : []),
  ];
};

/** -1 for a series that the model does not list. */
const placeOfSeries = ({ preprocessing }: ModelFile, series: string): number =>
  preprocessing.kind === 'series' ? preprocessing.series.findIndex(({ name }) => name === series) : -1;

const inputsFeed = (
  encoding: InputEncoding,
  {
    inputs,
    size,
    steps,
    places,
  }: {
    readonly inputs: Batch['inputs'];
    readonly size: number;
    readonly steps: number;
    readonly places: readonly number[];
  },
): Feed => {
  const feed = (type: Feed['type'], values: Feed['values'], ...axes: readonly number[]): Feed => ({
    name: 'inputs',
    type,
    values,
    axes: [size, steps, ...axes],
  });
  switch (encoding.kind) {
    case 'tokens':
      return feed('int32', Int32Array.from(inputs));
    case 'numbers':
      return feed('float32', Float32Array.from(inputs), encoding.features);
    case 'divided':
      return feed(
        'float32',
        Float32Array.from(inputs, (value) => Math.round(value * encoding.divide)),
        encoding.features,
      );
    case 'columns': {
      const { columns } = encoding;
      const width = columns.reduce((sum, column) => sum + columnWidth(column), 0);
      const raw = new Float64Array(size * steps * columns.length);
      for (let step = 0; step < size * steps; step++) {
        let at = step * width;
        columns.forEach((column, place) => {
          raw[step * columns.length + place] = columnValue(
            column,
            inputs.subarray(at, at + columnWidth(column)),
          );
          at += columnWidth(column);
        });
      }
      return feed('float64', raw, columns.length);
    }
    case 'series': {
      const { features, scales } = encoding;
      const raw = Float64Array.from(inputs, (value, at) => {
        const scale = scales.at(
          scales.length === 1 ? 0 : (places[Math.floor(at / (steps * features))] ?? -1),
        );
        return unscaled(value, scale?.mean[at % features] ?? 0, scale?.factor[at % features] ?? 1);
      });
      return feed('float64', raw, features);
    }
  }
};

const unscaled = (value: number, mean: number, factor: number): number =>
  factor === 0 ? mean : value / factor + mean;

type Column = Extract<InputEncoding, { kind: 'columns' }>['columns'][number];

const columnValue = (column: Column, encoded: ArrayLike<number>): number => {
  switch (column.kind) {
    case 'number':
      return column.mask && encoded[1] === 1
        ? Number.NaN
        : unscaled(encoded[0] ?? 0, column.mean, column.factor);
    case 'category':
      return Array.from(encoded).indexOf(1);
    case 'embedded':
      return (encoded[0] ?? 0) - 1;
  }
};
