import type { SequenceShape } from '../data/dataset.ts';
import { isPerStep, stepsRead } from '../data/task.ts';
import { vectorSizeOf } from '../models/embedding.ts';
import type { GruParameters } from '../models/gru.ts';
import type { LstmParameters } from '../models/lstm.ts';
import type { NetworkParameters } from '../models/parameters.ts';
import type { SimpleRnnParameters } from '../models/simple-rnn.ts';
import { categoryTable, directionsOf, type Direction } from '../models/weights.ts';
import type { TrainedModel, Weights } from './trained-model.ts';

/** A matrix, row-major. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

interface CellBase {
  /** The numbers that a step has. */
  readonly features: number;
  /** Units of the cell. */
  readonly size: number;
  /** The numbers of its hidden state. */
  readonly outputs: number;
  /** `[features, gates * size]`. */
  readonly inputKernel: Matrix;
  /** `[outputs, gates * size]`. */
  readonly recurrentKernel: Matrix;
  /** `[gates * size]`. */
  readonly bias: Float32Array;
}

/** Gates in the order input, candidate, forget, output. */
export interface LstmCell extends CellBase {
  readonly kind: 'lstm';
  /** Added to each bias of the forget gate. */
  readonly forgetBias: number;
  readonly peepholes?: {
    readonly input: Float32Array;
    readonly forget: Float32Array;
    readonly output: Float32Array;
  };
  readonly projection?: Matrix;
  readonly norm?: {
    readonly input: Float32Array;
    readonly recurrent: Float32Array;
    readonly cell: Float32Array;
    readonly cellOffset: Float32Array;
  };
}

/** Gates in the order reset, update, candidate. */
export interface GruCell extends CellBase {
  readonly kind: 'gru';
  /** `[size]`, of the candidate; given: the reset gate acts after the product, absent: before. */
  readonly recurrentBias?: Float32Array;
  readonly norm?: { readonly input: Float32Array; readonly recurrent: Float32Array };
}

export interface SimpleRnnCell extends CellBase {
  readonly kind: 'simple-rnn';
  /** The gain of layer normalisation, which comes before the bias. */
  readonly norm?: Float32Array;
}

export type Cell = LstmCell | GruCell | SimpleRnnCell;

/** The cells of a layer: forward, and backward where it reads in both directions. */
export type LayerCells = readonly [Cell, Cell?];

/** What the output layer reads of the top layer. */
export type Readout =
  | 'last'
  | 'final-state'
  | 'mean'
  | 'max'
  /** Every step. */
  | 'steps'
  /** The last steps, as many as are forecast. */
  | { readonly last: number };

/** A feature that holds the index of a row of a table. The rows follow the other features. */
export interface EmbeddedFeature {
  readonly feature: number;
  readonly table: Matrix;
}

/** A trained network of a built-in model as plain data, without names of parameters that only its training needs. */
export interface RecurrentNetwork {
  /** Numbers, some of which may be categories that are read as rows of a table; or tokens, as one-hot or as rows of a table. */
  readonly input:
    | { readonly kind: 'values'; readonly features: number; readonly embedded: readonly EmbeddedFeature[] }
    | { readonly kind: 'tokens'; readonly vocabulary: number; readonly table?: Matrix };
  readonly layers: readonly LayerCells[];
  readonly merge: NetworkParameters['merge'];
  readonly readout: Readout;
  readonly output: { readonly kernel: Matrix; readonly bias: Float32Array };
}

type BuiltInModel =
  | ({ readonly name: 'lstm' } & LstmParameters)
  | ({ readonly name: 'gru' } & GruParameters)
  | ({ readonly name: 'simple-rnn' } & SimpleRnnParameters);

export const isBuiltInModel = ({ name }: Pick<TrainedModel['model'], 'name'>): boolean =>
  name === 'lstm' || name === 'gru' || name === 'simple-rnn';

/** The model's section where it is a built-in one: its parameters were checked against the model's schema. */
const builtInModel = ({ name, parameters }: TrainedModel['model']): BuiltInModel | undefined =>
  isBuiltInModel({ name }) ? ({ name, ...parameters } as unknown as BuiltInModel) : undefined;

/** The network of a built-in model; undefined for another model. Throws where a weight is missing. */
export const recurrentNetworkOf = (
  { model, shape }: Pick<TrainedModel, 'model' | 'shape'>,
  weights: Weights,
): RecurrentNetwork | undefined => {
  const section = builtInModel(model);
  if (!section) return undefined;
  const layers = Array.from({ length: section.layers }, (_, layer) =>
    directionsOf(section).map((direction) => cellOf(section, weights, { layer: layer + 1, direction })),
  );
  return {
    input: inputOf(section, shape, weights),
    layers: layers as readonly (readonly Cell[])[] as readonly LayerCells[],
    merge: section.merge,
    readout: readoutOf(section, shape),
    output: { kernel: matrixOf(weights, 'output/kernel'), bias: valuesOf(weights, 'output/bias') },
  };
};

const valuesOf = (weights: Weights, name: string): Float32Array => {
  const found = weights.get(name);
  if (!found) throw new Error(`There is no weight ${name}.`);
  return found.values;
};

const matrixOf = (weights: Weights, name: string): Matrix => {
  const values = valuesOf(weights, name);
  const [rows = 0, columns = 0] = weights.get(name)?.shape ?? [];
  return { rows, columns, values };
};

const inputOf = (
  parameters: NetworkParameters,
  { input }: SequenceShape,
  weights: Weights,
): RecurrentNetwork['input'] => {
  if (input.kind === 'values') {
    const { features, embedded = [] } = input;
    const tables = embedded.map((one) => ({
      feature: one.feature,
      table: matrixOf(weights, categoryTable(one)),
    }));
    return { kind: 'values', features, embedded: tables };
  }
  return vectorSizeOf(parameters) === null ? input : { ...input, table: matrixOf(weights, 'embedding') };
};

/** The features that are read as they are. */
export const plainFeatures = ({
  features,
  embedded,
}: Extract<RecurrentNetwork['input'], { kind: 'values' }>): readonly number[] =>
  Array.from({ length: features }, (_, feature) => feature).filter((feature) =>
    embedded.every((one) => one.feature !== feature),
  );

const readoutOf = ({ readout }: NetworkParameters, { task }: SequenceShape): Readout => {
  if (isPerStep(task)) return 'steps';
  const last = stepsRead(task);
  if (last > 1) return { last };
  return readout === 'auto' ? 'last' : readout;
};

/** The biases of a cell with the forget bias added. */
export const biasOf = (cell: Cell): Float32Array =>
  cell.kind === 'lstm'
    ? cell.bias.map((value, at) => (Math.floor(at / cell.size) === 2 ? value + cell.forgetBias : value))
    : cell.bias;

const cellOf = (
  section: BuiltInModel,
  weights: Weights,
  { layer, direction }: { readonly layer: number; readonly direction: Direction },
): Cell => {
  const own = (name: string) => `layer${layer}/${direction}/${name}`;
  const values = (name: string) => valuesOf(weights, own(name));
  const { hiddenSize: size, layerNorm } = section;
  const outputs = section.name === 'lstm' ? (section.projectionSize ?? size) : size;
  const kernel = matrixOf(weights, own('kernel'));
  const features = kernel.rows - outputs;
  const rows = (from: number, to: number): Matrix => ({
    rows: to - from,
    columns: kernel.columns,
    values: kernel.values.subarray(from * kernel.columns, to * kernel.columns),
  });
  const base: CellBase = {
    features,
    size,
    outputs,
    inputKernel: rows(0, features),
    recurrentKernel: rows(features, kernel.rows),
    bias: values('bias'),
  };
  switch (section.name) {
    case 'lstm':
      return {
        ...base,
        kind: 'lstm',
        forgetBias: section.forgetBias,
        ...(section.peepholes && {
          peepholes: {
            input: values('inputPeephole'),
            forget: values('forgetPeephole'),
            output: values('outputPeephole'),
          },
        }),
        ...(section.projectionSize !== null && { projection: matrixOf(weights, own('projection')) }),
        ...(layerNorm && {
          norm: {
            input: values('inputGain'),
            recurrent: values('recurrentGain'),
            cell: values('cellGain'),
            cellOffset: values('cellOffset'),
          },
        }),
      };
    case 'gru':
      return {
        ...base,
        kind: 'gru',
        ...(section.resetAfter && { recurrentBias: values('recurrentBias') }),
        ...(layerNorm && { norm: { input: values('inputGain'), recurrent: values('recurrentGain') } }),
      };
    case 'simple-rnn':
      return { ...base, kind: 'simple-rnn', ...(layerNorm && { norm: values('gain') }) };
  }
};
