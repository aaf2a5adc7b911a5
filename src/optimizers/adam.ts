import { Type } from '@sinclair/typebox';
import { commonParameters, decayParameter, epsilonParameter } from './common.ts';
import type { OptimizerRow } from './optimizer.ts';
import { checkSchedule } from './schedule.ts';

const parameters = Type.Object(
  {
    ...commonParameters(0.001),
    beta1: decayParameter(0.9, 'Decay of the running mean of the gradient.'),
    beta2: decayParameter(0.999, 'Decay of the running mean of the squared gradient.'),
    epsilon: epsilonParameter(1e-8),
  },
  { additionalProperties: false },
);

/**
 * Adam. With g the gradient, r the learning rate and t the update counted from 1:
 * `m <- b1 m + (1 - b1) g`, `v <- b2 v + (1 - b2) g^2`, `w <- w - s m / (sqrt(v) + epsilon)` where
 * `s = r sqrt(1 - b2^t) / (1 - b1^t)`: the efficient form at the end of section 2 of the paper, as TensorFlow has it.
 */
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
  build: async ({ beta1, beta2, epsilon }) => {
    const { add, div, mul, sqrt, square, sub } = await import('@tensorflow/tfjs-core');
    return (value, gradient, [mean, variance], { step, learningRate }) => {
      if (!mean || !variance) throw new Error('Adam needs two slots for each weight.');
      const nextMean = add(mul(mean, beta1), mul(gradient, 1 - beta1));
      const nextVariance = add(mul(variance, beta2), mul(square(gradient), 1 - beta2));
      const size = (learningRate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step);
      const change = div(mul(nextMean, size), add(sqrt(nextVariance), epsilon));
      return { value: sub(value, change), slots: [nextMean, nextVariance] };
    };
  },
} as const satisfies OptimizerRow<typeof parameters>;
