import { Type } from '@sinclair/typebox';
import type { LossRow } from './loss.ts';

const parameters = Type.Object({}, { additionalProperties: false });

export const mse = {
  title: 'Mean squared error',
  description:
    'The squared difference of output and target, averaged over the numbers of a target: the best output is the mean of the possible targets. The default where targets are numbers.',
  version: 1,
  tasks: ['regression', 'forecast'],
  parameters,
  build: async () => {
    const tf = await import('@tensorflow/tfjs-core');
    return {
      rows: (outputs, targets) => tf.mean(tf.squaredDifference(outputs, targets), 1),
      mean: (outputs, targets) => tf.mean(tf.squaredDifference(outputs, targets)),
      isSquaredError: true,
    };
  },
} as const satisfies LossRow<typeof parameters>;
