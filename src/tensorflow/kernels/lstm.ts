import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { isNative } from '../native.ts';
import { blockLstm } from './block-lstm.ts';
import { composedLstm } from './composed-lstm.ts';

export interface LstmState {
  /** `[batch, hidden]`. */
  readonly hidden: Tensor2D;
  /** `[batch, hidden]`. */
  readonly cell: Tensor2D;
}

/**
 * One LSTM layer over a batch of sequences, in one direction. Gates are in the order of TensorFlow 1's BasicLSTMCell:
 * input i, candidate j, forget f, output o.
 *
 *     [i, j, f, o] = [x, h] kernel + bias
 *     c' = sigmoid(f + forgetBias) * c + sigmoid(i) * tanh(j)
 *     h' = sigmoid(o) * tanh(c')
 */
export interface LstmSequence {
  /** `[batch, time, features]`; what stands past a sequence's length has no effect. */
  readonly inputs: Tensor3D;
  /** `[features + hidden, 4 * hidden]`. */
  readonly kernel: Tensor2D;
  /** `[4 * hidden]`. */
  readonly bias: Tensor1D;
  /** Zero when absent. */
  readonly initial?: LstmState | undefined;
  /** int32 `[batch]`, each in `[1, time]`; absent when every sequence has the full length. */
  readonly lengths?: Tensor1D | undefined;
  /** Added inside the forget gate. */
  readonly forgetBias: number;
  /** Reads each sequence from its last step to its first; output t is then the one after reading step t. */
  readonly reverse: boolean;
  /** `final` when only the final state is asked for, so that no kernel lays out every step's output. */
  readonly returns: 'all' | 'final';
}

export interface LstmResult {
  /** `[batch, time, hidden]`, zero past the length; undefined when only the final state was asked for. */
  readonly outputs: Tensor3D | undefined;
  /** `[batch, hidden]`: the state after the last step read. */
  readonly finalHidden: Tensor2D;
  /** `[batch, hidden]`. */
  readonly finalCell: Tensor2D;
}

/** A way to compute an LSTM layer and its gradient. */
export interface LstmKernel {
  /** For the record: kernels differ in the last bits of their results. */
  readonly name: string;
  readonly run: (sequence: LstmSequence) => LstmResult;
}

/** The fastest kernel that this process has. */
export const chooseLstmKernel = (): LstmKernel => (isNative() ? blockLstm : composedLstm);
