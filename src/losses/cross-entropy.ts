import { Type } from '@sinclair/typebox';
import type { Tensor1D } from '@tensorflow/tfjs-core';
import type { LossRow } from './loss.ts';

const parameters = Type.Object({}, { additionalProperties: false });

export const crossEntropy = {
  title: 'Softmax cross-entropy',
  description:
    'Minus the logarithm of the probability that the softmax of the outputs gives to the true class, in nats. The default where each target is one of several classes.',
  version: 1,
  tasks: ['classification', 'labelling', 'next-step'],
  parameters,
  build: async () => {
    const { crossEntropyRows, meanCrossEntropy } = await import('./cross-entropy-rows.ts');
    return {
      rows: (outputs, targets) => crossEntropyRows(outputs, targets as Tensor1D),
      mean: (outputs, targets) => meanCrossEntropy(outputs, targets as Tensor1D),
    };
  },
} as const satisfies LossRow<typeof parameters>;
