import { Type } from '@sinclair/typebox';
import type { LossRow } from './loss.ts';

const parameters = Type.Object({}, { additionalProperties: false });

/**
 * Of an output x and a target y, 0 or 1: -y log s(x) - (1 - y) log(1 - s(x)) with the logistic function s, computed as
 * max(x, 0) - x y + log(1 + exp(-|x|)), which is finite for any x; the mean over the labels.
 */
export const binaryCrossEntropy = {
  title: 'Binary cross-entropy, label by label',
  description:
    'Minus the logarithm of the probability that the logistic function of each output gives to the presence or absence of its label, in nats; the mean over the labels. The default of multi-label classification.',
  version: 1,
  tasks: ['multi-label'],
  parameters,
  build: async () => {
    const tf = await import('@tensorflow/tfjs-core');
    return {
      rows: (outputs, targets) =>
        tf.mean(
          tf.add(tf.sub(tf.relu(outputs), tf.mul(outputs, targets)), tf.softplus(tf.neg(tf.abs(outputs)))),
          1,
        ),
    };
  },
} as const satisfies LossRow<typeof parameters>;
