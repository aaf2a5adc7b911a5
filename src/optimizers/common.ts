import { Type, type Static, type TObject } from '@sinclair/typebox';
import { nullable } from '../parameters/schema.ts';
import { scheduleParameters } from './schedule.ts';

/** The parameters of every optimizer, with its own default learning rate. */
export const commonParameters = (learningRate: number) => ({
  learningRate: Type.Number({
    exclusiveMinimum: 0,
    maximum: 1000,
    default: learningRate,
    description: 'Size of an update, before the schedule.',
    examples: [1e-3, 1e-2],
  }),
  schedule: scheduleParameters,
  clipNorm: nullable(
    Type.Number({
      exclusiveMinimum: 0,
      description:
        'Scale the gradients of all weights together so that their common Euclidean norm is at most this (Pascanu, Mikolov and Bengio 2013). null: no limit.',
      examples: [1, 5],
    }),
  ),
  clipValue: nullable(
    Type.Number({
      exclusiveMinimum: 0,
      description:
        'Cut every single number of a gradient to [-clipValue, clipValue], before clipNorm. null: no limit.',
      examples: [1],
    }),
  ),
});

export type CommonParameters = Static<TObject<ReturnType<typeof commonParameters>>>;

/** The term that keeps a division finite, in the optimizers that divide by a running size of the gradient. */
export const epsilonParameter = (epsilon: number) =>
  Type.Number({
    exclusiveMinimum: 0,
    maximum: 1,
    default: epsilon,
    description: 'Added to the divisor, so that a gradient near zero does not divide by zero.',
  });

/** A decay rate of a running mean: the weight that the past keeps at each update. */
export const decayParameter = (decay: number, description: string) =>
  Type.Number({ minimum: 0, exclusiveMaximum: 1, default: decay, description });
