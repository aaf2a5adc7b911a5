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

/** What an update makes of a weight: its next value and slots. */
export interface NextWeight {
  readonly value: Tensor;
  readonly slots: readonly Tensor[];
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
) => NextWeight;

/** A weight before an update, with its gradient. */
export interface WeightAndGradient extends NextWeight {
  readonly gradient: Tensor;
}

/** One update of all weights of a network, in their order. Pure, as `Update`. */
export type UpdateAll = (
  weights: readonly WeightAndGradient[],
  context: UpdateContext,
) => readonly NextWeight[];

/** An update of all weights from one that takes them one by one. */
export const eachWeight =
  (update: Update): UpdateAll =>
  (weights, context) =>
    weights.map(({ value, gradient, slots }) => update(value, gradient, slots, context));

export interface OptimizerRow<P extends TObject = TObject> extends Row<P> {
  /** Names of the state tensors that each weight has, and what they are filled with at first. */
  slots(this: void, parameters: Static<P>): readonly { readonly name: string; readonly fill: number }[];
  /** Imports TensorFlow; only a run's own process calls this. */
  build(this: void, parameters: Static<P>): Promise<UpdateAll>;
}
