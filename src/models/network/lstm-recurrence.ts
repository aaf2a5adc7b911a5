import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { CellFeature } from '../../tensorflow/kernels/candidates.ts';
import { chooseLstmKernel, type LstmSequence, type LstmVariation } from '../../tensorflow/kernels/lstm.ts';
import { lstmFeatures } from '../kernels.ts';
import type { LstmParameters } from '../lstm.ts';
import type { Recurrence, RecurrenceRun } from './recurrence.ts';

type Chosen = Pick<
  LstmParameters,
  'forgetBias' | 'peepholes' | 'projectionSize' | 'layerNorm' | 'recurrentDropout' | 'hiddenSize'
>;

const variationOf = (
  { peepholes, projectionSize, layerNorm }: Chosen,
  { weight, recurrentMask }: RecurrenceRun,
): LstmVariation => ({
  recurrentMask,
  ...(peepholes && {
    peepholes: {
      input: weight('inputPeephole'),
      forget: weight('forgetPeephole'),
      output: weight('outputPeephole'),
    },
  }),
  ...(projectionSize !== null && { projection: weight<Tensor2D>('projection') }),
  ...(layerNorm && {
    norm: {
      input: weight('inputGain'),
      recurrent: weight('recurrentGain'),
      cell: weight('cellGain'),
      cellOffset: weight('cellOffset'),
    },
  }),
});

const sequenceOf = (chosen: Chosen, run: RecurrenceRun): LstmSequence => {
  const { inputs, lengths, reverse, returns, weight } = run;
  const [hidden, cell] = run.initial ?? [];
  return {
    inputs,
    lengths,
    reverse,
    returns,
    kernel: weight('kernel'),
    bias: weight('bias'),
    initial: hidden && cell && { hidden, cell },
    forgetBias: chosen.forgetBias,
    variation: variationOf(chosen, run),
  };
};

/** `wanted` is the kernel of the training. */
export const lstmRecurrence = (chosen: Chosen, wanted?: string): Recurrence => {
  const needed = lstmFeatures(chosen);
  const hasMasks = chosen.recurrentDropout > 0;
  const plain = chooseLstmKernel(needed, hasMasks ? undefined : wanted);
  const masked = chooseLstmKernel([...needed, 'recurrentMask'], hasMasks ? wanted : undefined);
  return {
    kernel: (hasMasks ? masked : plain).name,
    outputSize: chosen.projectionSize ?? chosen.hiddenSize,
    run: (run) => {
      const kernel = run.recurrentMask ? masked : plain;
      const { outputs, finalHidden, finalCell } = kernel.run(sequenceOf(chosen, run));
      return { outputs, final: [finalHidden, finalCell] };
    },
    states: (run) => {
      const mask: readonly CellFeature[] = run.recurrentMask ? ['recurrentMask'] : [];
      const { name, states } = chooseLstmKernel([...needed, ...mask, 'everyState']);
      if (!states)
        throw new Error(`The kernel ${name} does not return every state. This is a bug in Unroll.`);
      return states(sequenceOf(chosen, run));
    },
  };
};
