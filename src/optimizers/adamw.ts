import { Type } from '@sinclair/typebox';
import { adam, adamParameters } from './adam.ts';
import type { OptimizerRow } from './optimizer.ts';

const parameters = Type.Object(
  {
    ...adamParameters,
    weightDecay: Type.Number({
      minimum: 0,
      maximum: 1,
      default: 0.01,
      description: 'The part of each weight, times the learning rate, that an update takes away.',
    }),
  },
  { additionalProperties: false },
);

/** Adam with decoupled weight decay d: `w <- (1 - r d) w - change`; change is at `adamStep`, r the learning rate. */
export const adamw = {
  title: 'Adam with decoupled weight decay',
  description:
    'Adam, and beside it every weight shrinks by learningRate x weightDecay (Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization"). The schedule applies to both.',
  version: 1,
  parameters,
  check: adam.check,
  slots: adam.slots,
  build: async (chosen) => {
    const { adamStep } = await import('./adam-step.ts');
    return (weights, context) => {
      const keep = 1 - context.learningRate * chosen.weightDecay;
      return adamStep(weights, { ...chosen, ...context, keep });
    };
  },
} as const satisfies OptimizerRow<typeof parameters>;
