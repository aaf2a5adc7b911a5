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
import { packSettings, type UpdateRule, type UpdateSettings } from './update-settings.ts';

/**
 * Returns an update of all weights in one call of Unroll's own operation, which reads and writes every number once. Where
 * that is not available, `update` does the same with operations of tfjs, weight by weight.
 */
export const fusedOr = <Rule extends UpdateRule>(
  rule: Rule,
  settings: (context: UpdateContext) => UpdateSettings<Rule>,
  update: Update,
): UpdateAll => {
  const composed = eachWeight(update);
  return (weights, context) =>
    fusedKernels().available
      ? fusedUpdate(rule, weights, packSettings(rule, settings(context)))
      : composed(weights, context);
};

/** The settings change at each step, so they are a tensor: for a new attribute TensorFlow would set up the operation again. */
const fusedUpdate = (
  rule: UpdateRule,
  weights: readonly WeightAndGradient[],
  settings: Float32Array,
): readonly NextWeight[] => {
  const count = weights.length;
  const slotCount = weights[0]?.slots.length ?? 0;
  const slots = Array.from({ length: slotCount }, (_, slot) =>
    weights.map((weight) => weight.slots[slot] as Tensor),
  );
  const given = [weights.map(({ value }) => value), weights.map(({ gradient }) => gradient), ...slots];
  const next = runNative(`Unroll${rule}`, [...given.flat(), tensor1d(settings)], {
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
