import { matrix, vector, type Operations } from './cell-equations.ts';
import {
  plainFeatures,
  type Cell,
  type EmbeddedFeature,
  type LayerCells,
  type Matrix,
  type RecurrentNetwork,
} from './recurrent-network.ts';

/** Makes something of each direction of a layer, the forward one first. */
export const eachDirection = <T>(
  cells: LayerCells,
  make: (direction: { readonly cell: Cell; readonly backward: boolean }) => T,
): T[] => cells.filter((cell) => cell !== undefined).map((cell, at) => make({ cell, backward: at === 1 }));

/** Merges the outputs of a layer's directions, one or two. */
export const mergedDirections = (
  op: Operations,
  parts: readonly string[],
  merge: RecurrentNetwork['merge'],
): string => {
  const [forward, backward] = parts as readonly [string, string?];
  if (backward === undefined) return forward;
  switch (merge) {
    case 'concat':
      return op.concat([forward, backward]);
    case 'sum':
      return op.add(forward, backward);
    case 'mean':
      return op.mul(op.add(forward, backward), op.constant(Float32Array.of(0.5), []));
  }
};

/** How a graph writes what the first layer reads, in the graph's own order of batch and time. */
interface InputsWriter {
  /** Inputs that are numbers. */
  readonly values: () => string;
  /** Some features of the values, side by side. */
  readonly features: (values: string, places: readonly number[]) => string;
  /** For a feature that is a category, the rows of its table. */
  readonly vectors: (values: string, embedded: EmbeddedFeature) => string;
  readonly concat: (parts: readonly string[]) => string;
  /** For inputs that are tokens, the rows of a table. */
  readonly tokenVectors: (table: Matrix) => string;
  readonly oneHot: (vocabulary: number) => string;
}

/** Adds what the first layer reads: vectors replace features that are categories, behind the other features. */
export const readInputs = (input: RecurrentNetwork['input'], writer: InputsWriter): string => {
  if (input.kind === 'tokens')
    return input.table ? writer.tokenVectors(input.table) : writer.oneHot(input.vocabulary);
  const values = writer.values();
  if (input.embedded.length === 0) return values;
  const plain = plainFeatures(input);
  const vectors = input.embedded.map((one) => writer.vectors(values, one));
  return writer.concat([...(plain.length === 0 ? [] : [writer.features(values, plain)]), ...vectors]);
};

export interface Layer extends Pick<RecurrentNetwork, 'merge'> {
  readonly cells: LayerCells;
}

/** How a graph writes layers, and what of the top one the output layer reads. `S` is what it knows of its sequences. */
interface LayersWriter<S> {
  readonly operations: Operations;
  /** The outputs of every step. */
  readonly everyOutput: (sequences: S, inputs: string, layer: Layer) => string;
  /** `[batch, size]`, each. */
  readonly outputAtLastIndex: (sequences: S, inputs: string, layer: Layer) => string;
  readonly finalStates: (sequences: S, inputs: string, layer: Layer) => string;
  readonly meanOfSteps: (sequences: S, every: string) => string;
  readonly maximumOfSteps: (sequences: S, every: string) => string;
  /** `[batch, time, size]`. */
  readonly batchMajor: (every: string) => string;
  /** `[batch, steps, size]` of the last steps. */
  readonly lastSteps: (every: string, steps: number) => string;
  /** `[batch, steps, outputs]` as `[batch, steps * outputs]`. */
  readonly sideBySide: (outputs: string) => string;
}

/** Adds the layers of a network and its output layer. `first` is what the first layer reads. */
export const addLayers = <S>(
  { layers, merge, readout, output }: RecurrentNetwork,
  { first, sequences }: { readonly first: string; readonly sequences: S },
  writer: LayersWriter<S>,
): string => {
  const { operations: op } = writer;
  let below = first;
  for (const cells of layers.slice(0, -1)) below = writer.everyOutput(sequences, below, { cells, merge });
  const top: Layer = { cells: layers.at(-1) as LayerCells, merge };
  const every = () => writer.everyOutput(sequences, below, top);
  const outputLayer = (read: string) =>
    op.add(op.matMul(read, matrix(op, output.kernel)), vector(op, output.bias));
  switch (readout) {
    case 'steps':
      return outputLayer(writer.batchMajor(every()));
    case 'last':
      return outputLayer(writer.outputAtLastIndex(sequences, below, top));
    case 'final-state':
      return outputLayer(writer.finalStates(sequences, below, top));
    case 'mean':
      return outputLayer(writer.meanOfSteps(sequences, every()));
    case 'max':
      return outputLayer(writer.maximumOfSteps(sequences, every()));
    default:
      return writer.sideBySide(outputLayer(writer.lastSteps(writer.batchMajor(every()), readout.last)));
  }
};
