import { Type } from '@sinclair/typebox';
import type { LossRow } from './loss.ts';

const parameters = Type.Object({}, { additionalProperties: false });

/** With output x and target y: exp(x) - x y, the negative log-likelihood of a Poisson distribution without log y!, as `torch.nn.PoissonNLLLoss`. */
export const poisson = {
  title: 'Poisson loss for counts',
  description:
    'The negative log-likelihood of a Poisson distribution whose logarithmic rate the network puts out, without the term that depends on the target alone; predictions are rates, so never negative. For targets that count events: they are not scaled, whatever the dataset does by default.',
  version: 1,
  tasks: ['regression', 'forecast'],
  parameters,
  ownUnit: true,
  checkWith: (_, { smallest }) =>
    smallest !== undefined && smallest < 0
      ? [
          {
            path: 'name',
            message: `The loss poisson is for counts, and a target is ${String(smallest)}.`,
            expected: 'targets of 0 and above',
            help: 'Write `name: mse` or `name: huber`, or predict counts.',
          },
        ]
      : [],
  build: async () => {
    const tf = await import('@tensorflow/tfjs-core');
    return {
      rows: (outputs, targets) => tf.mean(tf.sub(tf.exp(outputs), tf.mul(outputs, targets)), 1),
      predictions: (outputs) => outputs.map(Math.exp),
    };
  },
} as const satisfies LossRow<typeof parameters>;
