import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';

/** The recurrent cells. */
export type Cell = 'lstm' | 'gru' | 'simple-rnn';

/** The operands of matrix products; sums, states and gradients are in float32 with either. */
export type Precision = 'float32' | 'bfloat16';

/** The sequences that a layer reads, and which results the caller wants. */
export interface SequenceInput {
  /** `[batch, time, features]`; values past a sequence's length have no effect. */
  readonly inputs: Tensor3D;
  /** int32 `[batch]`, each in `[1, time]`; absent when every sequence has the full length. */
  readonly lengths?: Tensor1D | undefined;
  /** Reads each sequence from its last step to its first; output t is then the one after reading step t. */
  readonly reverse: boolean;
  /** `final` when only the final state is wanted, so that no kernel lays out the output of every step. */
  readonly returns: 'all' | 'final';
}

/** A cell's state: parts of `[batch, size]`, the first of which is its output. An LSTM has two: hidden, cell. */
export type CellState = readonly [Tensor2D, ...Tensor2D[]];

/** A cell's states over time: each part `[time, batch, size]` or `[batch, time, size]`. */
export type CellStates = readonly [Tensor3D, ...Tensor3D[]];

/** One layer in one direction over a batch of sequences: the operands that every cell has. */
export interface CellSequence extends SequenceInput {
  /** `[features + output, gates * hidden]`: the rows of the input come first. */
  readonly kernel: Tensor2D;
  /** `[gates * hidden]`. */
  readonly bias: Tensor1D;
  /** The state before the first step; zero when absent. */
  readonly initial?: CellState | undefined;
  /** `[batch, output]`: multiplies the hidden state that the gates read, at every step. */
  readonly recurrentMask?: Tensor2D | undefined;
  /** float32 where absent. Only kernels with the feature `bfloat16` have the other one. */
  readonly precision?: Precision | undefined;
}

/** The results of a layer. */
export interface SequenceResult {
  /** `[batch, time, output]`, zero past the length; undefined where only the final state is wanted. */
  readonly outputs: Tensor3D | undefined;
  /** The state after the last step read. */
  readonly final: CellState;
}

/**
 * One way to compute a cell over sequences `S`, with its gradient. All kernels of a cell agree to rounding; they differ in
 * speed and in the last bits.
 */
export interface Kernel<S extends CellSequence> {
  readonly run: (sequence: S) => SequenceResult;
  /**
   * The state after each step, each part `[batch, time, size]`, read forwards and past the lengths. Only kernels with the
   * feature `everyState` have it.
   */
  readonly states?: (sequence: S) => CellStates;
}
