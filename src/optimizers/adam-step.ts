import { add, div, mul, sqrt, square, sub, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import { fusedKernels } from '../tensorflow/kernels/fused-kernels.ts';
import { runNative } from '../tensorflow/native.ts';
import { eachWeight, type NextWeight, type UpdateContext, type WeightAndGradient } from './optimizer.ts';

export interface AdamStep extends UpdateContext {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** What a weight is multiplied by first: less than 1 where it decays. */
  readonly keep?: number;
}

/**
 * One step of Adam over all weights, whose slots are the running mean of the gradient and that of its square. With w the
 * weight, g the gradient, r the learning rate and t the step: `m <- b1 m + (1 - b1) g`, `v <- b2 v + (1 - b2) g^2`,
 * `w <- keep w - s m / (sqrt(v) + epsilon)` where `s = r sqrt(1 - b2^t) / (1 - b1^t)`: the efficient form at the end of
 * section 2 of Kingma and Ba (2015), "Adam: A Method for Stochastic Optimization", which is also TensorFlow's. One call of
 * Unroll's own operation where there is one.
 */
export const adamStep = (weights: readonly WeightAndGradient[], context: AdamStep): readonly NextWeight[] => {
  const { step, learningRate, beta1, beta2, epsilon, keep = 1 } = context;
  const size = (learningRate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step);
  if (fusedKernels().available)
    return fusedStep(weights, [beta1, 1 - beta1, beta2, 1 - beta2, size, epsilon, keep]);
  return eachWeight((weight, gradient, slots) => {
    const [mean, variance] = slots as readonly [Tensor, Tensor];
    const nextMean = add(mul(mean, beta1), mul(gradient, 1 - beta1));
    const nextVariance = add(mul(variance, beta2), mul(square(gradient), 1 - beta2));
    const change = div(mul(nextMean, size), add(sqrt(nextVariance), epsilon));
    const kept = keep === 1 ? weight : mul(weight, keep);
    return { value: sub(kept, change), slots: [nextMean, nextVariance] };
  })(weights, context);
};

/** The settings are a tensor because they change: a new attribute would have TensorFlow set up the operation anew. */
const fusedStep = (
  weights: readonly WeightAndGradient[],
  settings: readonly number[],
): readonly NextWeight[] => {
  const count = weights.length;
  const slot = (position: number) => weights.map(({ slots }) => slots[position] as Tensor);
  const given = [
    weights.map(({ value }) => value),
    weights.map(({ gradient }) => gradient),
    slot(0),
    slot(1),
  ];
  const next = runNative('UnrollAdam', [...given.flat(), tensor1d(Float32Array.from(settings))], {
    attributes: [{ name: 'N', int: count }],
    outputs: 3 * count,
  });
  return weights.map((_, index) => ({
    value: next[index] as Tensor,
    slots: [next[count + index] as Tensor, next[2 * count + index] as Tensor],
  }));
};
