import type { Tensor1D } from '@tensorflow/tfjs-core';
import { chooseKernel } from '../../tensorflow/kernels/choose-kernel.ts';
import { fusedSimpleRnn } from '../../tensorflow/kernels/fused-simple-rnn.ts';
import { composedSimpleRnn, type SimpleRnnSequence } from '../../tensorflow/kernels/simple-rnn.ts';
import { inTraining, simpleRnnFeatures } from '../kernels.ts';
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

/** `wanted` is the kernel of the training. */
export const simpleRnnRecurrence = (chosen: Chosen, wanted?: string): Recurrence => {
  const features = simpleRnnFeatures(chosen);
  const kernel = chooseKernel('simple-rnn', inTraining(features, chosen), wanted);
  const plain = chosen.recurrentDropout > 0 ? chooseKernel('simple-rnn', features) : kernel;
  return {
    kernel,
    outputSize: chosen.hiddenSize,
    run: (run) => {
      const name = run.recurrentMask ? kernel : plain;
      return (name === fusedSimpleRnn.name ? fusedSimpleRnn : composedSimpleRnn).run(sequenceOf(chosen, run));
    },
    states: (run) => composedSimpleRnn.states(sequenceOf(chosen, run)),
  };
};
