import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';

/** One layer in one direction over a batch of sequences. */
export interface RecurrenceRun {
  /** `[batch, time, features]`. */
  readonly inputs: Tensor3D;
  /** The cell's weights by their name within the cell. */
  readonly weight: <T extends Tensor>(name: string) => T;
  /** The state before the first step, each part `[batch, size]`; zero when undefined. */
  readonly initial: readonly Tensor2D[] | undefined;
  /** int32 `[batch]`, or undefined when every sequence has the full length. */
  readonly lengths: Tensor1D | undefined;
  readonly reverse: boolean;
  /** `final` when only the final state is asked for. */
  readonly returns: 'all' | 'final';
}

export interface RecurrenceResult {
  /** `[batch, time, size]`, zero past the length; undefined when only the final state was asked for. */
  readonly outputs: Tensor3D | undefined;
  /** The state after the last step read; its first part is the output of that step. */
  readonly final: readonly [Tensor2D, ...Tensor2D[]];
}

/** A kind of cell at work. */
export interface Recurrence {
  /** The implementation that runs, for the record. */
  readonly kernel: string;
  readonly run: (run: RecurrenceRun) => RecurrenceResult;
}
