import { Type } from '@sinclair/typebox';
import type { Tensor } from '@tensorflow/tfjs-core';
import { commonParameters, decayParameter, epsilonParameter, checkSchedule } from './common.ts';
import type { OptimizerRow, UpdateAll, UpdateContext } from './optimizer.ts';

/** The parameters that Adam and AdamW share. */
export const adamParameters = {
  ...commonParameters(0.001),
  beta1: decayParameter(0.9, 'Decay of the running mean of the gradient.'),
  beta2: decayParameter(0.999, 'Decay of the running mean of the squared gradient.'),
  epsilon: epsilonParameter(1e-8),
};

const parameters = Type.Object(adamParameters, { additionalProperties: false });

/** Adam; see `adamUpdate` for the formula. */
export const adam = {
  title: 'Adam: adaptive steps from running moments of the gradient',
  description:
    'Divides a running mean of the gradient by the root of a running mean of its square, both corrected for their start at zero (Kingma and Ba 2015).',
  version: 1,
  parameters,
  check: ({ schedule }) => checkSchedule(schedule),
  slots: () => [
    { name: 'mean', fill: 0 },
    { name: 'variance', fill: 0 },
  ],
  build: (chosen) => adamUpdate(chosen),
} as const satisfies OptimizerRow<typeof parameters>;

interface AdamDecays {
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
export const adamUpdate = async (
  { beta1, beta2, epsilon }: AdamDecays,
  keep: (context: UpdateContext) => number = () => 1,
): Promise<UpdateAll> => {
  const { add, div, mul, sqrt, square, sub } = await import('@tensorflow/tfjs-core');
  const { fusedOr } = await import('./fused-update.ts');
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
