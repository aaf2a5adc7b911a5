import * as tf from '@tensorflow/tfjs-core';

/** A leak is reported after this many steps in a row with more tensors than before. */
const mostGrowths = 8;

/**
 * Watches the tensors that are alive at the same place of each step: what grows step by step, such as a tensor that is
 * kept with `tf.keep` in each, would fill the memory in a long training.
 */
export const watchForLeaks = (): { readonly look: () => void } => {
  let before = Infinity;
  let growths = 0;
  let firstCount = 0;
  return {
    look: () => {
      const { numTensors } = tf.memory();
      growths = numTensors > before ? growths + 1 : 0;
      if (growths === 1) firstCount = before;
      before = numTensors;
      if (growths < mostGrowths) return;
      const each = Math.round((numTensors - firstCount) / growths);
      throw new Error(
        `each step leaves ${each === 1 ? 'a tensor' : `${each} tensors`} behind that nothing frees; do not keep tensors (tf.keep, tf.variable) in a step`,
      );
    },
  };
};
