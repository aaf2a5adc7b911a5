import { Type } from '@sinclair/typebox';
import type { Tensor } from '@tensorflow/tfjs-core';
import { commonParameters, decayParameter, epsilonParameter, checkSchedule } from './common.ts';
import type { OptimizerRow, UpdateContext } from './optimizer.ts';

const parameters = Type.Object(
  {
    ...commonParameters(1),
    rho: decayParameter(0.95, 'Decay of the running means of the squared gradient and squared change.'),
    epsilon: epsilonParameter(1e-6),
  },
  { additionalProperties: false },
);

/**
 * Adadelta. With g the gradient and r the learning rate (1 in the paper): `s <- rho s + (1 - rho) g^2`,
 * `d = g sqrt(x + epsilon) / sqrt(s + epsilon)`, `x <- rho x + (1 - rho) d^2`, `w <- w - r d`.
 */
export const adadelta = {
  title: 'Adadelta: steps in the units of the weights, without a rate to choose',
  description:
    'Multiplies the gradient by the running size of past changes over the running size of the gradient (Zeiler 2012, "ADADELTA: An Adaptive Learning Rate Method").',
  version: 1,
  parameters,
  check: ({ schedule }) => checkSchedule(schedule),
  slots: () => [
    { name: 'variance', fill: 0 },
    { name: 'change', fill: 0 },
  ],
  build: async ({ rho, epsilon }) => {
    const { add, div, mul, sqrt, square, sub } = await import('@tensorflow/tfjs-core');
    const { fusedOr } = await import('./fused-update.ts');
    const settings = ({ learningRate }: UpdateContext) => ({
      learningRate,
      rho,
      oneMinusRho: 1 - rho,
      epsilon,
    });
    const decay = (old: Tensor, now: Tensor) => add(mul(old, rho), mul(square(now), 1 - rho));
    return fusedOr('Adadelta', settings, (value, gradient, slots, { learningRate }) => {
      const [oldVariance, oldChange] = slots as readonly [Tensor, Tensor];
      const variance = decay(oldVariance, gradient);
      const ratio = sqrt(div(add(oldChange, epsilon), add(variance, epsilon)));
      const change = mul(gradient, ratio);
      return {
        value: sub(value, learningRate === 1 ? change : mul(change, learningRate)),
        slots: [variance, decay(oldChange, change)],
      };
    });
  },
} as const satisfies OptimizerRow<typeof parameters>;
