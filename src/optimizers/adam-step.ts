import { add, div, mul, sqrt, square, sub, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import { fusedKernels } from '../tensorflow/kernels/fused-kernels.ts';
import { runNative } from '../tensorflow/native.ts';

export interface AdamStep {
  /** Running mean of the gradient and of its square. */
  readonly slots: readonly Tensor[];
  /** Counted from 1. */
  readonly step: number;
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** What the weight is multiplied by first: less than 1 where it decays. */
  readonly keep?: number;
}

/**
 * One step of Adam. With w the weight, g the gradient, r the learning rate and t the step:
 * `m <- b1 m + (1 - b1) g`, `v <- b2 v + (1 - b2) g^2`, `w <- keep w - s m / (sqrt(v) + epsilon)` where
 * `s = r sqrt(1 - b2^t) / (1 - b1^t)`: the efficient form at the end of section 2 of Kingma and Ba (2015), "Adam: A
 * Method for Stochastic Optimization", which is also TensorFlow's. One call of Unroll's own operation where there is one.
 */
export const adamStep = (
  weight: Tensor,
  gradient: Tensor,
  { slots, step, learningRate, beta1, beta2, epsilon, keep = 1 }: AdamStep,
): { readonly value: Tensor; readonly slots: readonly Tensor[] } => {
  const size = (learningRate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step);
  if (fusedKernels().available) {
    const settings = tensor1d([beta1, 1 - beta1, beta2, 1 - beta2, size, epsilon, keep]);
    const [value, ...next] = runNative('UnrollAdam', [weight, gradient, ...slots, settings], {
      attributes: [],
      outputs: 3,
    }) as [Tensor, Tensor, Tensor];
    return { value, slots: next };
  }
  const [mean, variance] = slots as readonly [Tensor, Tensor];
  const nextMean = add(mul(mean, beta1), mul(gradient, 1 - beta1));
  const nextVariance = add(mul(variance, beta2), mul(square(gradient), 1 - beta2));
  const change = div(mul(nextMean, size), add(sqrt(nextVariance), epsilon));
  const kept = keep === 1 ? weight : mul(weight, keep);
  return { value: sub(kept, change), slots: [nextMean, nextVariance] };
};
