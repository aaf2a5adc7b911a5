import type { Tensor2D } from '@tensorflow/tfjs-core';
import { runFused } from './fused-recurrent.ts';
import type { SequenceResult } from './scan.ts';
import type { SimpleRnnSequence } from './simple-rnn.ts';

/** Elman's cell in Unroll's own operations; it knows no norm. */
export const fusedSimpleRnn = {
  name: 'fused-simple-rnn',
  run: (sequence: SimpleRnnSequence): SequenceResult => {
    const { initial } = sequence;
    const { outputs, final } = runFused('SimpleRnn', { ...sequence, initial: initial && [initial] });
    return { outputs, final: final as readonly [Tensor2D] };
  },
};
