import { Type } from '@sinclair/typebox';
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { classWeightChecks, classWeightsParameter, weightsOfClasses } from './class-weights.ts';
import type { LossRow } from './loss.ts';

const parameters = Type.Object(
  {
    gamma: Type.Number({
      minimum: 0,
      maximum: 10,
      default: 2,
      description: 'How strongly examples that are right already are played down; 0 is cross-entropy.',
      examples: [0.5, 2, 5],
    }),
    classWeights: classWeightsParameter,
  },
  { additionalProperties: false },
);

/** Keeps the derivative of a power below 1 finite where an example is right with certainty. */
const least = 1e-12;

/**
 * With p the probability of the true class (softmax), or of the right answer for each label (logistic function): -w (1 -
 * p)^gamma log p. The mean divides by the sum of the weights w, as that of cross-entropy; for labels it is over the labels.
 */
export const focal = {
  title: 'Focal loss',
  description:
    'Cross-entropy times (1 - p)^gamma, with p the probability of the true class: examples that are right already count less, so that rare and hard ones decide (Lin et al. 2017, "Focal Loss for Dense Object Detection"). For multi-label classification label by label.',
  version: 1,
  tasks: ['classification', 'labelling', 'next-step', 'multi-label'],
  parameters,
  ...classWeightChecks,
  build: async ({ gamma, classWeights }, context) => {
    const tf = await import('@tensorflow/tfjs-core');
    const weights = weightsOfClasses(classWeights, context);
    const each = <T extends Tensor>(logProbability: T): T => {
      const wrong = tf.maximum(tf.neg(tf.expm1(logProbability)), least);
      return tf.neg(tf.mul<T>(tf.pow(wrong, gamma), logProbability));
    };
    if (context.task.kind === 'multi-label')
      return {
        // log s(x) for a label that is present, log s(-x) for one that is not.
        rows: (outputs, targets) =>
          tf.mean<Tensor1D>(each(tf.neg(tf.softplus(tf.mul(outputs, tf.sub(1, tf.mul(targets, 2)))))), 1),
      };
    return {
      rows: (outputs, targets) => {
        const wanted = tf.oneHot(targets, outputs.shape[1]);
        const rows = each(tf.sum<Tensor1D>(tf.mul(tf.logSoftmax(outputs), wanted), 1));
        return weights ? tf.mul(rows, tf.gather(tf.tensor1d(weights), targets as Tensor1D)) : rows;
      },
      ...(weights && { classWeights: weights }),
    };
  },
} as const satisfies LossRow<typeof parameters>;
