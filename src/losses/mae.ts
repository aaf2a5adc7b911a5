import { Type } from '@sinclair/typebox';
import type { LossRow } from './loss.ts';

const parameters = Type.Object({}, { additionalProperties: false });

/** |output - target|, with the gradient 0 where they are equal. */
export const mae = {
  title: 'Mean absolute error',
  description:
    'The absolute difference of output and target, averaged over the numbers of a target: the best output is the median of the possible targets, so outliers count less than with mse.',
  version: 1,
  tasks: ['regression', 'forecast'],
  parameters,
  build: async () => {
    const { absolute } = await import('./absolute.ts');
    const tf = await import('@tensorflow/tfjs-core');
    return { rows: (outputs, targets) => tf.mean(absolute(tf.sub(outputs, targets)), 1) };
  },
} as const satisfies LossRow<typeof parameters>;
