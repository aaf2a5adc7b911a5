import * as tf from '@tensorflow/tfjs-core';
import { constant, glorotUniform, normal, type Draw } from '../../models/initializers.ts';
import type { BuildContext, Model, ModelRow } from '../../models/model.ts';
import { isPerStep } from '../../data/task.ts';
import type { BuiltModel, Initializer, ModelDefinition, ModelTools } from './definitions.ts';
import { watchForLeaks } from './leaks.ts';
import { blamed, type Origin } from './places.ts';

interface ModelPlan {
  readonly definition: ModelDefinition;
  readonly origin: Origin;
  readonly parameters: Parameters<ModelRow['build']>[0];
  readonly context: BuildContext;
}

const drawOf = (initializer: Initializer, shape: readonly number[]): Draw => {
  const size = shape.reduce((product, length) => product * length, 1);
  const outputs = shape.at(-1) ?? 1;
  const inputs = size / outputs;
  switch (initializer) {
    case 'glorot-uniform':
      return glorotUniform(inputs, outputs);
    case 'he-normal':
      return normal(size, Math.sqrt(2 / inputs));
    case 'zeros':
      return constant(size, 0);
    case 'ones':
      return constant(size, 1);
    default:
      return initializer;
  }
};

/** Builds the user's model, and checks what the trainer relies on. Errors contain the line of their code. */
export const buildModel = async ({ definition, origin, parameters, context }: ModelPlan): Promise<Model> => {
  const { shape, random } = context;
  const what = `model ${definition.name}`;
  const variables = new Map<string, tf.Variable>();
  const weight: ModelTools['weight'] = (name, weightShape, initializer) => {
    if (variables.has(name)) throw new Error(`there are two weights ${JSON.stringify(name)}`);
    const values = drawOf(initializer, weightShape)(random('init', name));
    const first = tf.tensor(values, [...weightShape], 'float32');
    const variable = tf.variable(first);
    first.dispose();
    variables.set(name, variable);
    return variable;
  };
  const tools: ModelTools = {
    ...context,
    tf,
    outputPerStep: isPerStep(shape.task),
    weight,
  };

  /** Adds the place to anything that the user's code throws. */
  const careful = <T>(doing: string, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw new Error(blamed(error, `${doing} of ${what}`, origin), { cause: error });
    }
  };

  let built: BuiltModel;
  try {
    built = await definition.build(parameters, tools);
  } catch (error) {
    throw new Error(blamed(error, `build of ${what}`, origin), { cause: error });
  }
  careful('build', () => {
    if (typeof (built as Partial<BuiltModel> | undefined)?.forward !== 'function')
      throw new Error('it must return { forward }');
    if (variables.size === 0)
      throw new Error(
        'it creates no weight with `weight(name, shape, initializer)`, so there is nothing to train',
      );
  });

  const leaks = watchForLeaks();
  const forward: Model['forward'] = (batch, mode) =>
    careful('forward', () => {
      if (mode.training) leaks.look();
      const outputs = built.forward(batch, mode);
      checkOutputs(outputs, batch.inputs.shape[0], context);
      return outputs;
    });
  return { variables, kernel: definition.name, forward };
};

const checkOutputs = (
  given: unknown,
  batch: number,
  { shape: { task, steps }, outputs: width }: Pick<BuildContext, 'shape' | 'outputs'>,
): void => {
  const wanted = isPerStep(task) ? [batch, steps, width] : [batch, width];
  const axes = isPerStep(task) ? '[batch, time, outputs]' : '[batch, outputs]';
  const outputs = given instanceof tf.Tensor ? (given as tf.Tensor) : undefined;
  if (!outputs) throw new Error(`it returns no tensor; expected ${axes} = [${wanted.join(', ')}]`);
  const isRight =
    outputs.rank === wanted.length && wanted.every((length, axis) => outputs.shape[axis] === length);
  if (!isRight)
    throw new Error(
      `the outputs have the shape [${outputs.shape.join(', ')}]; expected ${axes} = [${wanted.join(', ')}]`,
    );
  if (outputs.dtype !== 'float32') throw new Error(`the outputs are ${outputs.dtype}; expected float32`);
};
