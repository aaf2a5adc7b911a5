import type { Static, TObject } from '@sinclair/typebox';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Row } from '../parameters/row.ts';

/** What an update may depend on besides the gradient. */
export interface UpdateContext {
  /** Updates done, counted from 1. */
  readonly step: number;
  /** After the schedule. */
  readonly learningRate: number;
}

/**
 * One update of one weight: takes the value, its gradient and its slots (state tensors of the same shape), and returns
 * the next value and slots. Pure: nothing is changed in place, so a saved copy stays what it was.
 */
export type Update = (
  value: Tensor,
  gradient: Tensor,
  slots: readonly Tensor[],
  context: UpdateContext,
) => { readonly value: Tensor; readonly slots: readonly Tensor[] };

export interface OptimizerRow<P extends TObject = TObject> extends Row<P> {
  /** Names of the state tensors that each weight has, and what they are filled with at first. */
  slots(this: void, parameters: Static<P>): readonly { readonly name: string; readonly fill: number }[];
  /** Imports TensorFlow; only a run's own process calls this. */
  build(this: void, parameters: Static<P>): Promise<Update>;
}
