import { Type } from '@sinclair/typebox';
import type { Tensor } from '@tensorflow/tfjs-core';
import { commonParameters, decayParameter, epsilonParameter, checkSchedule } from './common.ts';
import type { OptimizerRow, UpdateContext } from './optimizer.ts';

const parameters = Type.Object(
  {
    ...commonParameters(0.001),
    rho: decayParameter(0.9, 'Decay of the running mean of the squared gradient.'),
    momentum: decayParameter(0, 'The part of the last update that the next one keeps.'),
    centered: Type.Boolean({
      default: false,
      description: "Divide by the gradient's running variance instead of its mean square (Graves 2013).",
    }),
    epsilon: epsilonParameter(1e-7),
  },
  { additionalProperties: false },
);

/**
 * RMSProp. With g the gradient and r the learning rate: `s <- rho s + (1 - rho) g^2`,
 * `u <- momentum u + r g / sqrt(s + epsilon)`, `w <- w - u`; `centered` keeps `a <- rho a + (1 - rho) g` as well and
 * divides by `sqrt(s - a^2 + epsilon)`. Epsilon is under the root, as in TensorFlow.
 */
export const rmsprop = {
  title: 'RMSProp: steps divided by the running size of the gradient',
  description:
    'Divides the gradient by the root of a running mean of its square (Tieleman and Hinton 2012, "Neural Networks for Machine Learning", lecture 6.5); centered after Graves (2013).',
  version: 1,
  parameters,
  check: ({ schedule }) => checkSchedule(schedule),
  slots: ({ momentum, centered }) => [
    { name: 'variance', fill: 0 },
    ...(centered ? [{ name: 'mean', fill: 0 }] : []),
    ...(momentum > 0 ? [{ name: 'velocity', fill: 0 }] : []),
  ],
  build: async ({ rho, momentum, centered, epsilon }) => {
    const { add, div, mul, sqrt, square, sub } = await import('@tensorflow/tfjs-core');
    const { fusedOr } = await import('./fused-update.ts');
    const rule = `RmsProp${centered ? 'Centered' : ''}${momentum > 0 ? 'Momentum' : ''}` as const;
    const settings = ({ learningRate }: UpdateContext) => ({
      learningRate,
      rho,
      oneMinusRho: 1 - rho,
      momentum,
      epsilon,
    });
    const decay = (old: Tensor, now: Tensor) => add(mul(old, rho), mul(now, 1 - rho));
    return fusedOr(rule, settings, (value, gradient, slots, { learningRate }) => {
      const variance = decay(slots[0] as Tensor, square(gradient));
      const mean = centered ? decay(slots[1] as Tensor, gradient) : undefined;
      const spread = mean ? sub(variance, square(mean)) : variance;
      const move = div(mul(gradient, learningRate), sqrt(add(spread, epsilon)));
      const velocity = momentum > 0 ? add(mul(slots.at(-1) as Tensor, momentum), move) : undefined;
      return {
        value: sub(value, velocity ?? move),
        slots: [variance, ...(mean ? [mean] : []), ...(velocity ? [velocity] : [])],
      };
    });
  },
} as const satisfies OptimizerRow<typeof parameters>;
