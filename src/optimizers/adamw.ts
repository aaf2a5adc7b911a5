import { Type } from '@sinclair/typebox';
import { adam, adamParameters, adamUpdate } from './adam.ts';
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

/** Adam with decoupled weight decay d: `w <- (1 - r d) w - change`, with r the learning rate and the change of `adamUpdate`. */
export const adamw = {
  title: 'Adam with decoupled weight decay',
  description:
    'Adam, and beside it every weight shrinks by learningRate x weightDecay (Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization"). The schedule applies to both.',
  version: 1,
  parameters,
  check: adam.check,
  slots: adam.slots,
  build: (chosen) => adamUpdate(chosen, ({ learningRate }) => 1 - learningRate * chosen.weightDecay),
} as const satisfies OptimizerRow<typeof parameters>;
