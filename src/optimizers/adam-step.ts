import { add, div, mul, sqrt, square, sub, type Tensor } from '@tensorflow/tfjs-core';
import { fusedOr } from './fused-update.ts';
import type { UpdateAll, UpdateContext } from './optimizer.ts';

export interface AdamDecays {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/**
 * Adam, whose slots are the running mean of the gradient and that of its square. With w the weight, g the gradient, r the
 * learning rate and t the step: `m <- b1 m + (1 - b1) g`, `v <- b2 v + (1 - b2) g^2`, `w <- keep w - s m / (sqrt(v) +
 * epsilon)` where `s = r sqrt(1 - b2^t) / (1 - b1^t)`: the efficient form at the end of section 2 of Kingma and Ba (2015),
 * "Adam: A Method for Stochastic Optimization", which is also TensorFlow's. `keep` multiplies the weight first: below 1 with
 * weight decay.
 */
export const adamUpdate = (
  { beta1, beta2, epsilon }: AdamDecays,
  keep: (context: UpdateContext) => number = () => 1,
): UpdateAll => {
  const sizeAt = ({ step, learningRate }: UpdateContext): number =>
    (learningRate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step);
  return fusedOr(
    'Adam',
    (context) => ({
      beta1,
      oneMinusBeta1: 1 - beta1,
      beta2,
      oneMinusBeta2: 1 - beta2,
      stepSize: sizeAt(context),
      epsilon,
      keep: keep(context),
    }),
    (weight, gradient, slots, context) => {
      const [mean, variance] = slots as readonly [Tensor, Tensor];
      const nextMean = add(mul(mean, beta1), mul(gradient, 1 - beta1));
      const nextVariance = add(mul(variance, beta2), mul(square(gradient), 1 - beta2));
      const change = div(mul(nextMean, sizeAt(context)), add(sqrt(nextVariance), epsilon));
      const kept = keep(context);
      return {
        value: sub(kept === 1 ? weight : mul(weight, kept), change),
        slots: [nextMean, nextVariance],
      };
    },
  );
};
