import * as tf from '@tensorflow/tfjs-core';
import type { CommonParameters } from '../../optimizers/common.ts';
import type { Update } from '../../optimizers/optimizer.ts';
import type { OptimizerDefinition, ParametersOf } from './definitions.ts';
import { watchForLeaks } from './leaks.ts';
import { blamed, type Origin } from './places.ts';

export type OptimizerParameters = CommonParameters & ParametersOf<OptimizerDefinition['parameters']>;

interface OptimizerPlan {
  readonly definition: OptimizerDefinition;
  readonly origin: Origin;
  readonly parameters: OptimizerParameters;
}

/** Builds the user's optimizer, and checks what the trainer relies on. Errors name the line of their code. */
export const buildOptimizer = async ({ definition, origin, parameters }: OptimizerPlan): Promise<Update> => {
  const what = `optimizer ${definition.name}`;
  const slotCount = definition.slots?.(parameters).length ?? 0;
  let update: Update;
  try {
    update = await definition.build(parameters, { tf });
    if (typeof (update as unknown) !== 'function')
      throw new Error('it must return a function (value, gradient, slots, context)');
  } catch (error) {
    throw new Error(blamed(error, `build of ${what}`, origin), { cause: error });
  }
  const leaks = watchForLeaks();
  let step = 0;
  return (value, gradient, slots, context) => {
    try {
      if (context.step !== step) leaks.look();
      step = context.step;
      const next = update(value, gradient, slots, context);
      checkNext(next, value, slotCount);
      return next;
    } catch (error) {
      throw new Error(blamed(error, `update of ${what}`, origin), { cause: error });
    }
  };
};

const checkNext = (next: ReturnType<Update>, value: tf.Tensor, slotCount: number): void => {
  const shape = value.shape.join(', ');
  const given = next as Partial<ReturnType<Update>> | undefined;
  if (given?.value?.shape.join(', ') !== shape)
    throw new Error(
      `the next value has the shape [${given?.value?.shape.join(', ') ?? ''}]; expected that of the weight, [${shape}]`,
    );
  const slots = given.slots?.length ?? 0;
  if (slots !== slotCount)
    throw new Error(`it returns ${slots} slots; expected ${slotCount}, as in its \`slots\``);
};
