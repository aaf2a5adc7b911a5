import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { blockLstm } from './block-lstm.ts';
import type { CellFeature } from './candidates.ts';
import { chooseKernel } from './choose-kernel.ts';
import { composedLstm } from './composed-lstm.ts';
import { fusedLstm } from './fused-lstm.ts';
import type { SequenceInput } from './scan.ts';

interface LstmState {
  /** `[batch, hidden]`. */
  readonly hidden: Tensor2D;
  /** `[batch, hidden]`. */
  readonly cell: Tensor2D;
}

/** What an LSTM may have beyond the basic cell. */
export interface LstmVariation {
  /** Weights of the cell state on the gates, each `[hidden]`; the output gate sees the new one (Gers et al. 2002). */
  readonly peepholes?:
    { readonly input: Tensor1D; readonly forget: Tensor1D; readonly output: Tensor1D } | undefined;
  /** `[hidden, projected]`: the hidden state is this product of the cell's output (Sak, Senior and Beaufays 2014). */
  readonly projection?: Tensor2D | undefined;
  /** Gains of layer normalisation: of the sums `[4 * hidden]` of input and state, of the cell `[hidden]`, its offset. */
  readonly norm?:
    | {
        readonly input: Tensor1D;
        readonly recurrent: Tensor1D;
        readonly cell: Tensor1D;
        readonly cellOffset: Tensor1D;
      }
    | undefined;
  /** `[batch, hidden or projected]`: what the gates see of the hidden state is multiplied by it at every step. */
  readonly recurrentMask?: Tensor2D | undefined;
}

/**
 * One LSTM layer over a batch of sequences, in one direction. Gates are in the order of TensorFlow 1's BasicLSTMCell:
 * input i, candidate j, forget f, output o.
 *
 *     [i, j, f, o] = [x, h] kernel + bias
 *     c' = sigmoid(f + forgetBias) * c + sigmoid(i) * tanh(j)
 *     h' = sigmoid(o) * tanh(c')
 */
export interface LstmSequence extends SequenceInput {
  /** `[features + hidden, 4 * hidden]`, or `[features + projected, 4 * hidden]`. */
  readonly kernel: Tensor2D;
  /** `[4 * hidden]`. */
  readonly bias: Tensor1D;
  /** Zero when absent. */
  readonly initial?: LstmState | undefined;
  /** Added inside the forget gate. */
  readonly forgetBias: number;
  readonly variation?: LstmVariation | undefined;
}

interface LstmResult {
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
  /** Hidden and cell state after each step, `[batch, time, size]`, read forwards; only in kernels that have them. */
  readonly states?: (sequence: LstmSequence) => readonly [Tensor3D, Tensor3D];
}

/** The kernel of this process that has all the features: the one that is asked for, or the default. */
export const chooseLstmKernel = (features: readonly CellFeature[] = [], wanted?: string): LstmKernel => {
  const name = chooseKernel('lstm', features, wanted);
  return [fusedLstm, blockLstm].find((kernel) => kernel.name === name) ?? composedLstm;
};
