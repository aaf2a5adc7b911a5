import { Type } from '@sinclair/typebox';
import { commonParameters, decayParameter, checkSchedule } from './common.ts';
import type { OptimizerRow, UpdateContext } from './optimizer.ts';

const parameters = Type.Object(
  {
    ...commonParameters(0.01),
    momentum: decayParameter(0, 'The part of the last update that the next one keeps; 0 for plain descent.'),
    nesterov: Type.Boolean({
      default: false,
      description: 'Look ahead along the momentum (Nesterov 1983, in the form of Sutskever et al. 2013).',
    }),
  },
  { additionalProperties: false },
);

/**
 * Stochastic gradient descent. With g the gradient and r the learning rate: `w <- w - r g`; with momentum m:
 * `v <- m v - r g`, `w <- w + v`, or with `nesterov` `w <- w + m v - r g`.
 */
export const sgd = {
  title: 'Stochastic gradient descent, with momentum and Nesterov momentum',
  description:
    'Steps against the gradient; with momentum (Polyak 1964) along a decaying sum of past steps, with nesterov looking ahead (Sutskever, Martens, Dahl and Hinton 2013).',
  version: 1,
  parameters,
  check: ({ schedule, momentum, nesterov }) => [
    ...checkSchedule(schedule),
    ...(nesterov && momentum === 0
      ? [
          {
            path: 'nesterov',
            with: ['momentum'],
            message: 'nesterov has no effect without momentum.',
            expected: 'a momentum above 0, or nesterov: false',
            help: 'Set momentum, for example to 0.9.',
          },
        ]
      : []),
  ],
  slots: ({ momentum }) => (momentum > 0 ? [{ name: 'velocity', fill: 0 }] : []),
  build: async ({ momentum, nesterov }) => {
    const { add, mul, sub } = await import('@tensorflow/tfjs-core');
    const { fusedOr } = await import('./fused-update.ts');
    const rule = momentum === 0 ? 'Sgd' : nesterov ? 'Nesterov' : 'Momentum';
    const settings = ({ learningRate }: UpdateContext) => ({ learningRate, momentum });
    return fusedOr(rule, settings, (value, gradient, [velocity], { learningRate }) => {
      const move = mul(gradient, learningRate);
      if (!velocity) return { value: sub(value, move), slots: [] };
      const next = sub(mul(velocity, momentum), move);
      const change = nesterov ? sub(mul(next, momentum), move) : next;
      return { value: add(value, change), slots: [next] };
    });
  },
} as const satisfies OptimizerRow<typeof parameters>;
