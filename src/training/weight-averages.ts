import * as tf from '@tensorflow/tfjs-core';

/** Averages of the weights over the steps, which are evaluated and kept in place of the weights. */
export interface WeightAverages {
  /** By the names of the weights; none without averaging. */
  readonly tensors: () => readonly { readonly name: string; readonly tensor: tf.Tensor }[];
  /** Takes in the weights after a step, counted from 1. */
  readonly add: (step: number) => void;
  /** Does some work while the variables have the averages as their values. */
  readonly during: <T>(work: () => T) => T;
  /** Takes over stored averages; of a weight without one, the weight itself. */
  readonly restore: (stored: (name: string) => tf.Tensor | undefined) => void;
  readonly dispose: () => void;
}

const none: WeightAverages = {
  tensors: () => [],
  add: () => undefined,
  during: (work) => work(),
  restore: () => undefined,
  dispose: () => undefined,
};

/**
 * The exponential moving average of weights (Polyak and Juditsky 1992; Tarvainen and Valpola 2017). The weight of each step
 * is `decay` times that of the next one. The average is that of the steps there were, without the initial weights: as Adam
 * corrects its moments (Kingma and Ba 2015, section 3), it is divided by 1 - decay^steps, so the first one is the weights after one step.
 */
export const averageWeights = (
  weights: readonly { readonly name: string; readonly variable: tf.Variable }[],
  decay: number | null | undefined,
): WeightAverages => {
  if (decay === null || decay === undefined) return none;
  let averages: readonly tf.Tensor[] = weights.map(({ variable }) => tf.keep<tf.Tensor>(variable.clone()));
  const replace = (next: (average: tf.Tensor, variable: tf.Variable, name: string) => tf.Tensor) => {
    averages = weights.map(({ variable, name }, index) => {
      const before = averages[index] as tf.Tensor;
      const after = tf.keep(next(before, variable, name));
      before.dispose();
      return after;
    });
  };
  const assign = (values: readonly tf.Tensor[]) => {
    weights.forEach(({ variable }, index) => variable.assign(values[index] as tf.Tensor));
  };
  return {
    tensors: () => weights.map(({ name }, index) => ({ name, tensor: averages[index] as tf.Tensor })),
    add: (step) => {
      const share = (1 - decay) / (1 - decay ** step);
      // The first average is the weights themselves, to the bit.
      replace((average, variable) =>
        step === 1 ? variable.clone() : tf.add(average, tf.mul(tf.sub(variable, average), share)),
      );
    },
    during: (work) => {
      const values = weights.map(({ variable }): tf.Tensor => variable.clone());
      assign(averages);
      try {
        return work();
      } finally {
        assign(values);
        for (const value of values) value.dispose();
      }
    },
    restore: (stored) => {
      replace((_, variable, name) => stored(name) ?? variable.clone());
    },
    dispose: () => {
      for (const average of averages) average.dispose();
    },
  };
};
