import { Type } from '@sinclair/typebox';
import type { Tensor } from '@tensorflow/tfjs-core';
import { commonParameters, epsilonParameter, checkSchedule } from './common.ts';
import type { OptimizerRow, UpdateContext } from './optimizer.ts';

const parameters = Type.Object(
  {
    ...commonParameters(0.01),
    initialAccumulator: Type.Number({
      minimum: 0,
      default: 0.1,
      description: 'Initial sum of squared gradients; a larger one makes the first updates smaller.',
    }),
    epsilon: epsilonParameter(1e-7),
  },
  { additionalProperties: false },
);

/**
 * Adagrad. With g the gradient and r the learning rate: `s <- s + g^2` from `initialAccumulator`,
 * `w <- w - r g / sqrt(s + epsilon)`.
 */
export const adagrad = {
  title: 'Adagrad: steps divided by the size of all gradients so far',
  description:
    'Divides the gradient by the root of the sum of all its squares, so that rare features move further (Duchi, Hazan and Singer 2011).',
  version: 1,
  parameters,
  check: ({ schedule }) => checkSchedule(schedule),
  slots: ({ initialAccumulator }) => [{ name: 'accumulator', fill: initialAccumulator }],
  build: async ({ epsilon }) => {
    const { add, div, mul, sqrt, square, sub } = await import('@tensorflow/tfjs-core');
    const { fusedOr } = await import('./fused-update.ts');
    const settings = ({ learningRate }: UpdateContext) => ({ learningRate, epsilon });
    return fusedOr('Adagrad', settings, (value, gradient, slots, { learningRate }) => {
      const accumulator = add(slots[0] as Tensor, square(gradient));
      const change = div(mul(gradient, learningRate), sqrt(add(accumulator, epsilon)));
      return { value: sub(value, change), slots: [accumulator] };
    });
  },
} as const satisfies OptimizerRow<typeof parameters>;
