import { add, div, mul, sqrt, square, type Tensor } from '@tensorflow/tfjs-core';

export interface AdamStep {
  /** Running mean of the gradient and of its square. */
  readonly slots: readonly Tensor[];
  /** Counted from 1. */
  readonly step: number;
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/**
 * What Adam subtracts from a weight, and the next slots. With g the gradient, r the learning rate and t the step:
 * `m <- b1 m + (1 - b1) g`, `v <- b2 v + (1 - b2) g^2`, change `s m / (sqrt(v) + epsilon)` where
 * `s = r sqrt(1 - b2^t) / (1 - b1^t)`: the efficient form at the end of section 2 of Kingma and Ba (2015), "Adam: A
 * Method for Stochastic Optimization", which is also TensorFlow's.
 */
export const adamStep = (
  gradient: Tensor,
  { slots, step, learningRate, beta1, beta2, epsilon }: AdamStep,
): { readonly change: Tensor; readonly slots: readonly Tensor[] } => {
  const [mean, variance] = slots as readonly [Tensor, Tensor];
  const nextMean = add(mul(mean, beta1), mul(gradient, 1 - beta1));
  const nextVariance = add(mul(variance, beta2), mul(square(gradient), 1 - beta2));
  const size = (learningRate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step);
  const change = div(mul(nextMean, size), add(sqrt(nextVariance), epsilon));
  return { change, slots: [nextMean, nextVariance] };
};
