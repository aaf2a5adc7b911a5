import { Type } from '@sinclair/typebox';
import type { Tensor } from '@tensorflow/tfjs-core';
import { adamParameters } from './adam.ts';
import { commonParameters, checkSchedule } from './common.ts';
import type { OptimizerRow, UpdateContext } from './optimizer.ts';

const parameters = Type.Object(
  { ...adamParameters, ...commonParameters(0.002) },
  { additionalProperties: false },
);

/**
 * AdaMax. With g the gradient, r the learning rate and t the update counted from 1:
 * `m <- b1 m + (1 - b1) g`, `u <- max(b2 u, |g|)`, `w <- w - r / (1 - b1^t) m / (u + epsilon)`.
 */
export const adamax = {
  title: 'AdaMax: Adam with the largest recent gradient in place of the mean square',
  description:
    'Divides a running mean of the gradient by a decaying maximum of its magnitude (Kingma and Ba 2015, section 7.1).',
  version: 1,
  parameters,
  check: ({ schedule }) => checkSchedule(schedule),
  slots: () => [
    { name: 'mean', fill: 0 },
    { name: 'maximum', fill: 0 },
  ],
  build: async ({ beta1, beta2, epsilon }) => {
    const { abs, add, div, maximum, mul, sub } = await import('@tensorflow/tfjs-core');
    const { fusedOr } = await import('./fused-update.ts');
    const sizeAt = ({ step, learningRate }: UpdateContext) => learningRate / (1 - beta1 ** step);
    const settings = (context: UpdateContext) => ({
      beta1,
      oneMinusBeta1: 1 - beta1,
      beta2,
      stepSize: sizeAt(context),
      epsilon,
    });
    return fusedOr('Adamax', settings, (value, gradient, slots, context) => {
      const [mean, largest] = slots as readonly [Tensor, Tensor];
      const nextMean = add(mul(mean, beta1), mul(gradient, 1 - beta1));
      const nextLargest = maximum(mul(largest, beta2), abs(gradient));
      const change = div(mul(nextMean, sizeAt(context)), add(nextLargest, epsilon));
      return { value: sub(value, change), slots: [nextMean, nextLargest] };
    });
  },
} as const satisfies OptimizerRow<typeof parameters>;
