import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { runFused } from './fused-recurrent.ts';
import type { GruSequence } from './gru.ts';
import type { SequenceResult } from './scan.ts';

/** The GRU with the reset after the product in Unroll's own operations; it knows no norm. */
export const fusedGru = {
  name: 'fused-gru',
  run: (sequence: GruSequence & { readonly recurrentBias: Tensor1D }): SequenceResult => {
    const { bias, recurrentBias, initial } = sequence;
    const { outputs, final } = runFused('Gru', {
      ...sequence,
      bias: tf.concat([bias, recurrentBias]),
      initial: initial && [initial],
    });
    return { outputs, final: final as readonly [Tensor2D] };
  },
};
