import type { Tensor2D } from '@tensorflow/tfjs-core';
import { runFused } from './fused-recurrent.ts';
import type { LstmKernel } from './lstm.ts';

/** The LSTM in Unroll's own operations. */
export const fusedLstm: LstmKernel = {
  name: 'fused-lstm',
  run: (sequence) => {
    const { initial, variation } = sequence;
    const { outputs, final } = runFused('Lstm', {
      ...sequence,
      initial: initial && [initial.hidden, initial.cell],
      recurrentMask: variation?.recurrentMask,
    });
    const [finalHidden, finalCell] = final as readonly [Tensor2D, Tensor2D];
    return { outputs, finalHidden, finalCell };
  },
};
