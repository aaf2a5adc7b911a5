import { Type } from '@sinclair/typebox';
import type { LossRow } from './loss.ts';

const parameters = Type.Object(
  {
    delta: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1e6,
      default: 1,
      description:
        'The error from which on the loss grows linearly, in the unit of the targets as they are scaled for the training.',
      examples: [0.5, 1],
    }),
  },
  { additionalProperties: false },
);

/** With e = |output - target|: e^2 / 2 up to delta, delta (e - delta / 2) from there on. As `torch.nn.HuberLoss`. */
export const huber = {
  title: 'Huber loss',
  description:
    'Half the squared error for errors up to delta and linear beyond: smooth near zero as mse, robust against outliers as mae (Huber 1964).',
  version: 1,
  tasks: ['regression', 'forecast'],
  parameters,
  build: async ({ delta }) => {
    const { absolute } = await import('./absolute.ts');
    const tf = await import('@tensorflow/tfjs-core');
    return {
      rows: (outputs, targets) => {
        const error = absolute(tf.sub(outputs, targets));
        const square = tf.minimum(error, delta);
        return tf.mean(tf.add(tf.mul(tf.square(square), 0.5), tf.mul(tf.sub(error, square), delta)), 1);
      },
    };
  },
} as const satisfies LossRow<typeof parameters>;
