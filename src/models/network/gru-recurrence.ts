import type { Tensor1D } from '@tensorflow/tfjs-core';
import { composedGru, type GruSequence } from '../../tensorflow/kernels/gru.ts';
import type { GruParameters } from '../gru.ts';
import type { Recurrence, RecurrenceRun } from './recurrence.ts';

type Chosen = Pick<GruParameters, 'resetAfter' | 'layerNorm' | 'hiddenSize'>;

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

export const gruRecurrence = (chosen: Chosen): Recurrence => ({
  kernel: composedGru.name,
  outputSize: chosen.hiddenSize,
  run: (run) => composedGru.run(sequenceOf(chosen, run)),
  states: (run) => composedGru.states(sequenceOf(chosen, run)),
});
