import type { Tensor1D } from '@tensorflow/tfjs-core';
import { fusedGru } from '../../tensorflow/kernels/fused-gru.ts';
import { fusedKernels } from '../../tensorflow/kernels/fused-kernels.ts';
import { composedGru, type GruSequence } from '../../tensorflow/kernels/gru.ts';
import type { GruParameters } from '../gru.ts';
import type { Recurrence, RecurrenceRun } from './recurrence.ts';

type Chosen = Pick<GruParameters, 'resetAfter' | 'layerNorm' | 'recurrentDropout' | 'hiddenSize'>;

const sequenceOf = (
  { resetAfter, layerNorm }: Chosen,
  { weight, initial, ...sequence }: RecurrenceRun,
): GruSequence => ({
  ...sequence,
  kernel: weight('kernel'),
  bias: weight('bias'),
  recurrentBias: resetAfter ? weight<Tensor1D>('recurrentBias') : undefined,
  initial: initial?.[0],
  norm: layerNorm ? { input: weight('inputGain'), recurrent: weight('recurrentGain') } : undefined,
});

export const gruRecurrence = (chosen: Chosen): Recurrence => {
  const fusable = fusedKernels().available && chosen.resetAfter && !chosen.layerNorm;
  return {
    kernel: (fusable && chosen.recurrentDropout === 0 ? fusedGru : composedGru).name,
    outputSize: chosen.hiddenSize,
    run: (run) => {
      const sequence = sequenceOf(chosen, run);
      const { recurrentBias } = sequence;
      return fusable && recurrentBias && !run.recurrentMask
        ? fusedGru.run({ ...sequence, recurrentBias })
        : composedGru.run(sequence);
    },
    states: (run) => composedGru.states(sequenceOf(chosen, run)),
  };
};
