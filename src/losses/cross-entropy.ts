import { Type } from '@sinclair/typebox';
import type { Tensor1D } from '@tensorflow/tfjs-core';
import { classWeightChecks, classWeightsParameter, weightsOfClasses } from './class-weights.ts';
import type { LossRow } from './loss.ts';

const parameters = Type.Object(
  {
    classWeights: classWeightsParameter,
    labelSmoothing: Type.Number({
      minimum: 0,
      exclusiveMaximum: 1,
      default: 0,
      description:
        'Part of the probability that is spread evenly over all classes in the target (Szegedy et al. 2016): 0.1 keeps a network from becoming too sure.',
      examples: [0.1],
    }),
  },
  { additionalProperties: false },
);

/**
 * With logits x, label y, smoothing s, K classes and weights w: (1 - s) w_y nll_y + s / K sum_k w_k nll_k, where nll_k =
 * -log softmax(x)_k; the mean divides by the sum of w_y. As `torch.nn.CrossEntropyLoss`.
 */
export const crossEntropy = {
  title: 'Softmax cross-entropy',
  description:
    'Minus the logarithm of the probability that the softmax of the outputs gives to the true class, in nats. The default where each target is one of several classes.',
  version: 1,
  tasks: ['classification', 'labelling', 'next-step'],
  parameters,
  ...classWeightChecks,
  build: async ({ classWeights, labelSmoothing }, context) => {
    const { crossEntropyRows, meanCrossEntropy, smoothedCrossEntropyRows } =
      await import('./cross-entropy-rows.ts');
    const weights = weightsOfClasses(classWeights, context);
    if (weights ?? labelSmoothing > 0)
      return {
        rows: (outputs, targets) =>
          smoothedCrossEntropyRows(outputs, targets as Tensor1D, { weights, labelSmoothing }),
        ...(weights && { classWeights: weights }),
      };
    return {
      rows: (outputs, targets) => crossEntropyRows(outputs, targets as Tensor1D),
      mean: (outputs, targets) => meanCrossEntropy(outputs, targets as Tensor1D),
    };
  },
} as const satisfies LossRow<typeof parameters>;
