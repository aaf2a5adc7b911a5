import type { Static, TObject } from '@sinclair/typebox';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Row } from '../parameters/row.ts';

/** The inputs of an update besides weight and gradient. */
export interface UpdateContext {
  /** Updates done, counted from 1. */
  readonly step: number;
  /** After the schedule. */
  readonly learningRate: number;
}

/** The result of an update: a weight's next value and slots. */
export interface NextWeight {
  readonly value: Tensor;
  readonly slots: readonly Tensor[];
}

/**
 * One update of one weight: takes the value, its gradient and its slots (state tensors of the same shape), and returns
 * the next value and slots. Changes nothing in place, so a saved copy stays valid.
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

/** One update of all weights of a network, in their order. Changes nothing in place, either. */
export type UpdateAll = (
  weights: readonly WeightAndGradient[],
  context: UpdateContext,
) => readonly NextWeight[];

/** Makes an update of all weights from one of a single weight. */
export const eachWeight =
  (update: Update): UpdateAll =>
  (weights, context) =>
    weights.map(({ value, gradient, slots }) => update(value, gradient, slots, context));

export interface OptimizerRow<P extends TObject = TObject> extends Row<P> {
  /** The state tensors that each weight has: their names and initial values. */
  slots(this: void, parameters: Static<P>): readonly { readonly name: string; readonly fill: number }[];
  /** Imports TensorFlow; only a run's own process calls this. */
  build(this: void, parameters: Static<P>): Promise<UpdateAll>;
}
