import { Value } from '@sinclair/typebox/value';
import * as tf from '@tensorflow/tfjs-core';
import { randomStream } from '../../src/data/random.ts';
import { adadelta } from '../../src/optimizers/adadelta.ts';
import { adagrad } from '../../src/optimizers/adagrad.ts';
import { adam } from '../../src/optimizers/adam.ts';
import { adamax } from '../../src/optimizers/adamax.ts';
import { adamw } from '../../src/optimizers/adamw.ts';
import type { NextWeight, OptimizerRow } from '../../src/optimizers/optimizer.ts';
import { rmsprop } from '../../src/optimizers/rmsprop.ts';
import { sgd } from '../../src/optimizers/sgd.ts';

interface Variant {
  readonly row: OptimizerRow;
  readonly chosen: object;
}

const variant = (row: unknown, chosen: object = {}): Variant => ({ row: row as OptimizerRow, chosen });

/** Every rule of native/update-rules.h, by what a spec says. */
export const optimizerVariants: Readonly<Record<string, Variant>> = {
  sgd: variant(sgd),
  'sgd, momentum': variant(sgd, { momentum: 0.9 }),
  'sgd, nesterov': variant(sgd, { momentum: 0.9, nesterov: true }),
  rmsprop: variant(rmsprop),
  'rmsprop, centered': variant(rmsprop, { centered: true, epsilon: 1e-3 }),
  'rmsprop, momentum': variant(rmsprop, { momentum: 0.5 }),
  'rmsprop, centered, momentum': variant(rmsprop, { centered: true, momentum: 0.5, epsilon: 1e-3 }),
  adagrad: variant(adagrad),
  adadelta: variant(adadelta),
  adam: variant(adam),
  adamw: variant(adamw, { weightDecay: 0.1 }),
  adamax: variant(adamax),
};

/** The weights and slots after three updates of weights of these shapes. */
export const updatedThrice = async (
  { row, chosen }: Variant,
  shapes: readonly number[][],
): Promise<readonly Float32Array[]> => {
  const parameters = Value.Default(row.parameters, structuredClone(chosen)) as never;
  const update = await row.build(parameters);
  const draw = (name: string, shape: number[]) => {
    const random = randomStream(1, name);
    return tf.tensor(
      Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal()),
      shape,
    );
  };
  let weights: readonly NextWeight[] = shapes.map((shape, index) => ({
    value: draw(`value/${index}`, shape),
    slots: row.slots(parameters).map(({ fill }) => tf.fill(shape, fill)),
  }));
  for (let step = 1; step <= 3; step++)
    weights = update(
      weights.map((weight, index) => ({
        ...weight,
        gradient: draw(`${step}/${index}`, shapes[index] ?? []),
      })),
      { step, learningRate: 0.1 / step },
    );
  return weights.flatMap(({ value, slots }) =>
    [value, ...slots].map((tensor) => tensor.dataSync<'float32'>().slice()),
  );
};
