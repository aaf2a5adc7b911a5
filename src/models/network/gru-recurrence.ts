import type { Tensor1D } from '@tensorflow/tfjs-core';
import { chooseKernel } from '../../tensorflow/kernels/choose-kernel.ts';
import { fusedGru } from '../../tensorflow/kernels/fused-gru.ts';
import { composedGru, type GruSequence } from '../../tensorflow/kernels/gru.ts';
import type { GruParameters } from '../gru.ts';
import { gruFeatures, inTraining } from '../kernels.ts';
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

/** `wanted` is the kernel of the training. */
export const gruRecurrence = (chosen: Chosen, wanted?: string): Recurrence => {
  const features = gruFeatures(chosen);
  const kernel = chooseKernel('gru', inTraining(features, chosen), wanted);
  const plain = chosen.recurrentDropout > 0 ? chooseKernel('gru', features) : kernel;
  return {
    kernel,
    outputSize: chosen.hiddenSize,
    run: (run) => {
      const sequence = sequenceOf(chosen, run);
      const { recurrentBias } = sequence;
      const name = run.recurrentMask ? kernel : plain;
      return name === fusedGru.name && recurrentBias
        ? fusedGru.run({ ...sequence, recurrentBias })
        : composedGru.run(sequence);
    },
    states: (run) => composedGru.states(sequenceOf(chosen, run)),
  };
};
