import type { Tensor1D } from '@tensorflow/tfjs-core';
import { fusedKernels } from '../../tensorflow/kernels/fused-kernels.ts';
import { fusedSimpleRnn } from '../../tensorflow/kernels/fused-simple-rnn.ts';
import { composedSimpleRnn, type SimpleRnnSequence } from '../../tensorflow/kernels/simple-rnn.ts';
import type { SimpleRnnParameters } from '../simple-rnn.ts';
import type { Recurrence, RecurrenceRun } from './recurrence.ts';

type Chosen = Pick<SimpleRnnParameters, 'layerNorm' | 'recurrentDropout' | 'hiddenSize'>;

const sequenceOf = (
  { layerNorm }: Chosen,
  { weight, initial, ...sequence }: RecurrenceRun,
): SimpleRnnSequence => ({
  ...sequence,
  kernel: weight('kernel'),
  bias: weight('bias'),
  initial: initial?.[0],
  norm: layerNorm ? weight<Tensor1D>('gain') : undefined,
});

export const simpleRnnRecurrence = (chosen: Chosen): Recurrence => {
  const fusable = fusedKernels().available && !chosen.layerNorm;
  return {
    kernel: (fusable && chosen.recurrentDropout === 0 ? fusedSimpleRnn : composedSimpleRnn).name,
    outputSize: chosen.hiddenSize,
    run: (run) =>
      (fusable && !run.recurrentMask ? fusedSimpleRnn : composedSimpleRnn).run(sequenceOf(chosen, run)),
    states: (run) => composedSimpleRnn.states(sequenceOf(chosen, run)),
  };
};
