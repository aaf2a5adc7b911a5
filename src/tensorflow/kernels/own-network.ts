import { ownLibrary } from './own-library.ts';
import type { Cell } from './kernel.ts';

/** A cell of a layer in one direction, without peepholes, projection or layer normalisation. */
export interface OwnCell {
  readonly features: number;
  readonly hidden: number;
  /** Of an LSTM: added inside the forget gate. */
  readonly forgetBias: number;
  /** `[features + hidden, gates * hidden]`: the rows of the input come first. In parts that follow each other. */
  readonly kernel: readonly Float32Array[];
  /** `[gates * hidden]`; of a GRU the candidate's recurrent bias, `[hidden]`, comes last. In parts that follow each other. */
  readonly bias: readonly Float32Array[];
}

/** A trained network that the library computes as a whole. */
export interface OwnNetwork {
  readonly cell: Cell;
  /** Forward, and backward where a layer reads in both directions. */
  readonly layers: readonly (readonly OwnCell[])[];
  readonly merge: 'concat' | 'sum' | 'mean';
  /** What the output layer reads of the top layer; `steps` may be the last ones only, as many as `lastSteps`. */
  readonly readout: 'last' | 'final-state' | 'steps';
  readonly lastSteps?: number;
  readonly output: { readonly kernel: Float32Array; readonly bias: Float32Array };
}

/** What a network reads. */
export interface OwnInput {
  /** `[batch, steps, features]`. */
  readonly values: Float32Array;
  readonly batch: number;
  readonly steps: number;
  /** `[batch]`; absent when every sequence has the full length. */
  readonly lengths: Int32Array | undefined;
}

/**
 * Begins to compute a batch on threads of the library: `alone` on one of them, beside other batches. The returned function
 * waits for the raw outputs. Call it once.
 */
export type StartBatch = (input: OwnInput, settings: { readonly alone: boolean }) => () => Float32Array;

/** The order of each list is that of the enumerations in native/network.h and native/recurrent-kinds.h. */
const cells: readonly Cell[] = ['lstm', 'gru', 'simple-rnn'];
const merges: readonly OwnNetwork['merge'][] = ['concat', 'sum', 'mean'];
const readouts: readonly OwnNetwork['readout'][] = ['last', 'final-state', 'steps'];

/**
 * Up to this many outputs, Unroll's output layer was faster for every shape measured; in a wider one TensorFlow computes the
 * product, with other last bits.
 */
export const mostFusedOutputs = 64;

/**
 * Prepares a network that the library computes without TensorFlow, with the same bits that its operations give within
 * TensorFlow. Returns undefined where the library cannot be used.
 */
export const startableNetwork = (network: OwnNetwork): StartBatch | undefined => {
  const loaded = ownLibrary();
  if (!loaded.available) return undefined;
  const { library } = loaded;
  const { cell, layers, merge, readout, lastSteps = 0, output } = network;
  const settings = [
    merges.indexOf(merge),
    readouts.indexOf(readout),
    lastSteps,
    output.bias.length,
    layers.length,
    ...layers.flatMap((directions) => [
      directions.length,
      ...directions.flatMap(({ features, hidden }) => [cells.indexOf(cell), features, hidden]),
    ]),
  ];
  const weights = [
    ...layers
      .flat()
      .flatMap(({ forgetBias, kernel, bias }) => [Float32Array.of(forgetBias), ...kernel, ...bias]),
    output.kernel,
    output.bias,
  ];
  const handle = library.createNetwork(Int32Array.from(settings), joined(weights));
  return ({ values, batch, steps, lengths }, { alone }) => {
    const started = library.startNetwork(handle, values, batch, steps, lengths, alone);
    return () => library.finishNetwork(started);
  };
};

const joined = (parts: readonly Float32Array[]): Float32Array => {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};
