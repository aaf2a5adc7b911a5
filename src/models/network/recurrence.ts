import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import type { CellState, CellStates, SequenceInput, SequenceResult } from '../../tensorflow/kernels/scan.ts';

/** One layer in one direction over a batch of sequences. */
export interface RecurrenceRun extends SequenceInput {
  /** The cell's weights by their name within the cell. */
  readonly weight: <T extends Tensor>(name: string) => T;
  /** The state before the first step; zero when undefined. */
  readonly initial?: CellState | undefined;
  /** `[batch, size of the output]`: what the gates see of the hidden state is multiplied by it at every step. */
  readonly recurrentMask?: Tensor2D | undefined;
}

/** A kind of cell at work. */
export interface Recurrence {
  /** The implementation that runs in training, for the record. */
  readonly kernel: string;
  readonly outputSize: number;
  readonly run: (run: RecurrenceRun) => SequenceResult;
  /** The state after each step, each part `[batch, time, size]`, read forwards, whatever the lengths. */
  readonly states: (run: RecurrenceRun) => CellStates;
}
