import { Type } from '@sinclair/typebox';
import { strategyOf, type MissingSetting } from '../data/columns/missing.ts';
import type { SeriesPreprocessing, TablePreprocessing } from '../data/preprocessing.ts';
import { columnPlaces } from '../data/series/series-inputs.ts';
import { parserOf } from '../system/schema.ts';
import type { Operations } from './cell-equations.ts';
import type { TrainedModel } from './trained-model.ts';

type PlainColumn = TablePreprocessing['inputs'][number];

/** A column of a table. */
export type TableColumn =
  | PlainColumn
  /** A category that the network embeds: it reads the index of the label plus 1, and 0 for another one. */
  | { readonly kind: 'embedded'; readonly name: string; readonly labels: readonly string[] };

/** What the inputs of an exported model are, and how they become what the network reads: plain data. */
export type InputEncoding =
  /** int32 `[batch, time]`. */
  | { readonly kind: 'tokens'; readonly vocabulary: number }
  /** float32 `[batch, time, features]`, as the network reads them. */
  | { readonly kind: 'numbers'; readonly features: number }
  /** float32 `[batch, time, features]`, divided by a number. */
  | { readonly kind: 'divided'; readonly features: number; readonly divide: number }
  /**
   * float64 `[batch, time, columns]`: numbers in the unit of the file, NaN where one is missing; of a column of categories
   * the index of its label, -1 or NaN for another one.
   */
  | { readonly kind: 'columns'; readonly columns: readonly TableColumn[] }
  /** float64 `[batch, time, features]`: numbers in the unit of the file, NaN where one is missing. */
  | {
      readonly kind: 'series';
      readonly features: number;
      /** By series, and at the end for series that are not listed; one alone where all are alike. */
      readonly scales: readonly InputScales[];
      /** The first inputs, which are not known in the steps of the horizon; the input `flag` is 1 there. */
      readonly ahead?: { readonly observed: number; readonly flag: number };
    };

/** By input: what a missing number is replaced with, and (number - mean) * factor. */
export interface InputScales {
  readonly mean: readonly number[];
  readonly factor: readonly number[];
  readonly fill: readonly number[];
}

export const inputEncodingOf = (model: TrainedModel): InputEncoding => {
  const { shape, preprocessing } = model;
  const { input } = shape;
  if (input.kind === 'tokens') return input;
  switch (preprocessing.kind) {
    case 'pixels':
      return { kind: 'divided', features: input.features, divide: preprocessing.divide };
    case 'table':
      return { kind: 'columns', columns: preprocessing.inputs.map(columnOf) };
    case 'series':
      return seriesEncoding(model, preprocessing, input.features);
    case 'text':
    case 'stream':
    case 'none':
      return { kind: 'numbers', features: input.features };
  }
};

const columnOf = (column: PlainColumn): TableColumn =>
  column.kind === 'category' && column.embeddingSize !== undefined
    ? { kind: 'embedded', name: column.name, labels: column.labels }
    : column;

/** How many inputs of the network a column becomes. */
export const columnWidth = (column: TableColumn): number => {
  switch (column.kind) {
    case 'number':
      return column.mask ? 2 : 1;
    case 'category':
      return column.labels.length;
    case 'embedded':
      return 1;
  }
};

/** Whether the scales of an example depend on its series, which is then an input. */
export const hasSeriesInput = (encoding: InputEncoding): boolean =>
  encoding.kind === 'series' && encoding.scales.length > 1;

/** The names of a graph's inputs, in their order. */
export const inputNames = (
  encoding: InputEncoding,
  variableLength: boolean,
): readonly ('inputs' | 'lengths' | 'series')[] => [
  'inputs',
  ...(variableLength ? (['lengths'] as const) : []),
  ...(hasSeriesInput(encoding) ? (['series'] as const) : []),
];

const columnNames = Type.Array(Type.String());

/** The columns of a dataset of series; `missing` was checked when the run was planned. */
const seriesColumnsOf = parserOf(
  Type.Object({
    targets: columnNames,
    past: columnNames,
    future: columnNames,
    missing: Type.Unsafe<MissingSetting>(Type.Unknown()),
  }),
);

const seriesEncoding = (
  { dataset, shape: { task } }: TrainedModel,
  preprocessing: SeriesPreprocessing,
  features: number,
): InputEncoding => {
  const { columns, series, others, statics } = preprocessing;
  const parameters = seriesColumnsOf(dataset);
  if (!parameters) throw new Error(`The dataset ${dataset.name} has no columns of series.`);
  const { places, observed } = columnPlaces(parameters);
  const readsAhead = task.kind === 'forecast' && task.readsAhead === true;
  const flag = readsAhead ? features - 1 : undefined;
  const staticWidth = statics.reduce((sum, one) => sum + (one.kind === 'words' ? one.words.length : 1), 0);
  const staticsAt = (flag ?? features) - staticWidth;
  const scalesOf = ({ mean, factor, fill }: InputScales): InputScales => {
    const scales = { mean: zeros(features), factor: zeros(features).fill(1), fill: zeros(features) };
    places.forEach(({ value: at }, column) => {
      scales.mean[at] = mean[column] as number;
      scales.factor[at] = factor[column] as number;
      scales.fill[at] = fill[column] as number;
    });
    let at = staticsAt;
    for (const one of statics) {
      if (one.kind === 'number') {
        scales.mean[at] = one.mean;
        scales.factor[at] = one.factor;
        scales.fill[at] = one.mean;
      }
      at += one.kind === 'words' ? one.words.length : 1;
    }
    return scales;
  };
  const filled = (one: InputScales): InputScales => ({
    ...one,
    fill: columns.map(
      (column, at) => (strategyOf(parameters.missing, column) === 'error' ? others : one).fill[at] as number,
    ),
  });
  const scales = [...series, others].map((one) => scalesOf(filled(one)));
  const first = JSON.stringify(scales[0]);
  return {
    kind: 'series',
    features,
    scales: scales.every((one) => JSON.stringify(one) === first) ? scales.slice(0, 1) : scales,
    ...(flag !== undefined && { ahead: { observed, flag } }),
  };
};

const zeros = (size: number): number[] => Array.from({ length: size }, () => 0);

type SeriesEncoding = Extract<InputEncoding, { kind: 'series' }>;

/** What a number is replaced by and scaled with, each by its name in a graph. */
export type ScaleNames = Readonly<Record<keyof InputScales, string>>;

/** How a kind of graph computes what the network reads. */
export interface InputWriter {
  readonly operations: Operations;
  readonly divided: (value: string, by: number) => string;
  /** Replaces missing numbers, and scales. */
  readonly scaled: (numbers: string, scales: ScaleNames) => string;
  readonly columns: (inputs: string, columns: readonly TableColumn[]) => string;
  /** A constant by series. */
  readonly bySeries: (encoding: SeriesEncoding, values: readonly number[]) => string;
  /** One feature, `[batch, time, 1]`. */
  readonly feature: (values: string, at: number) => string;
}

/** Adds what the network reads: float32 `[batch, time, features]`, or int32 `[batch, time]` for tokens. */
export const encodeInputs = (writer: InputWriter, encoding: InputEncoding): string => {
  const inputs = 'inputs';
  switch (encoding.kind) {
    case 'tokens':
    case 'numbers':
      return inputs;
    case 'divided':
      return writer.divided(inputs, encoding.divide);
    case 'columns':
      return writer.columns(inputs, encoding.columns);
    case 'series':
      return encodeSeries(writer, inputs, encoding);
  }
};

/** Scales the inputs, and hides what is observed in the steps of the horizon. */
const encodeSeries = (writer: InputWriter, inputs: string, encoding: SeriesEncoding): string => {
  const { operations } = writer;
  const { scales, features, ahead } = encoding;
  const table = (key: keyof InputScales) =>
    writer.bySeries(
      encoding,
      scales.flatMap((one) => one[key]),
    );
  const named = { mean: table('mean'), factor: table('factor'), fill: table('fill') };
  const values = writer.scaled(inputs, named);
  if (!ahead) return values;
  const flag = writer.feature(values, ahead.flag);
  const isObserved = Float32Array.from({ length: features }, (_, at) => Number(at < ahead.observed));
  const hidden = operations.mul(flag, operations.constant(isObserved, [features]));
  return operations.mul(values, operations.sub(operations.constant(Float32Array.of(1), []), hidden));
};
