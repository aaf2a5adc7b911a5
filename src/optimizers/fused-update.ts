import { tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import { fusedKernels } from '../tensorflow/kernels/fused-kernels.ts';
import { runNative } from '../tensorflow/native.ts';
import {
  eachWeight,
  type NextWeight,
  type Update,
  type UpdateAll,
  type UpdateContext,
  type WeightAndGradient,
} from './optimizer.ts';

/** The rules of native/update-rules.h; each is an operation of the library. */
export type FusedRule =
  | 'Sgd'
  | 'Momentum'
  | 'Nesterov'
  | 'RmsProp'
  | 'RmsPropCentered'
  | 'RmsPropMomentum'
  | 'RmsPropCenteredMomentum'
  | 'Adagrad'
  | 'Adadelta'
  | 'Adam'
  | 'Adamax';

/**
 * An update of all weights in one call of Unroll's own operation, where there is one: of each weight it reads and writes
 * every number once. Elsewhere `update` does the same in operations of tfjs, weight by weight. `settings` are the numbers
 * that the rule in native/update-rules.h asks for.
 */
export const fusedOr = (
  rule: FusedRule,
  settings: (context: UpdateContext) => readonly number[],
  update: Update,
): UpdateAll => {
  const composed = eachWeight(update);
  return (weights, context) =>
    fusedKernels().available ? fusedUpdate(rule, weights, settings(context)) : composed(weights, context);
};

/** The settings are a tensor because they change: a new attribute would have TensorFlow set up the operation anew. */
const fusedUpdate = (
  rule: FusedRule,
  weights: readonly WeightAndGradient[],
  settings: readonly number[],
): readonly NextWeight[] => {
  const count = weights.length;
  const slotCount = weights[0]?.slots.length ?? 0;
  const slots = Array.from({ length: slotCount }, (_, slot) =>
    weights.map((weight) => weight.slots[slot] as Tensor),
  );
  const given = [weights.map(({ value }) => value), weights.map(({ gradient }) => gradient), ...slots];
  const next = runNative(`Unroll${rule}`, [...given.flat(), tensor1d(Float32Array.from(settings))], {
    attributes: [
      { name: 'N', int: count },
      { name: 'M', int: count * slotCount },
    ],
    outputs: (1 + slotCount) * count,
  });
  return weights.map((_, index) => ({
    value: next[index] as Tensor,
    slots: slots.map((_, slot) => next[(1 + slot) * count + index] as Tensor),
  }));
};
