import { Type, type Static, type TObject } from '@sinclair/typebox';
import { nullable } from '../parameters/schema.ts';
import { parserOf } from '../system/schema.ts';
import { scheduleOf, scheduleParameters } from './schedule.ts';

/** The parameters that every optimizer has; `learningRate` is its default. */
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

const numbersOf = parserOf(
  Type.Object({
    learningRate: Type.Number(),
    clipNorm: nullable(Type.Number()),
    clipValue: nullable(Type.Number()),
  }),
);

/** What a validated section of any optimizer has. Throws for one without. */
export const commonOf = (section: Readonly<Record<string, unknown>>): CommonParameters => {
  const numbers = numbersOf(section);
  const schedule = scheduleOf(section);
  if (!numbers || !schedule)
    throw new Error(`The optimizer ${String(section['name'])} lacks learningRate, schedule or clipping.`);
  return { ...numbers, schedule };
};

/** Keeps a division finite in optimizers that divide by a running magnitude of the gradient. */
export const epsilonParameter = (epsilon: number) =>
  Type.Number({
    exclusiveMinimum: 0,
    maximum: 1,
    default: epsilon,
    description: 'Added to the divisor, so that a gradient near zero does not divide by zero.',
  });

/** The decay rate of a running mean: the share of the old mean that each update keeps. */
export const decayParameter = (decay: number, description: string) =>
  Type.Number({ minimum: 0, exclusiveMaximum: 1, default: decay, description });
