import type { Tensor2D } from '@tensorflow/tfjs-core';
import {
  chooseLstmKernel,
  type LstmFeature,
  type LstmSequence,
  type LstmVariation,
} from '../../tensorflow/kernels/lstm.ts';
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

export const lstmRecurrence = (chosen: Chosen): Recurrence => {
  const needed: LstmFeature[] = [];
  if (chosen.peepholes) needed.push('peepholes');
  if (chosen.projectionSize !== null) needed.push('projection');
  if (chosen.layerNorm) needed.push('norm');
  const plain = chooseLstmKernel(needed);
  const masked = chooseLstmKernel([...needed, 'recurrentMask']);
  return {
    kernel: (chosen.recurrentDropout > 0 ? masked : plain).name,
    outputSize: chosen.projectionSize ?? chosen.hiddenSize,
    run: (run) => {
      const kernel = run.recurrentMask ? masked : plain;
      const { outputs, finalHidden, finalCell } = kernel.run(sequenceOf(chosen, run));
      return { outputs, final: [finalHidden, finalCell] };
    },
    states: (run) => {
      const mask: readonly LstmFeature[] = run.recurrentMask ? ['recurrentMask'] : [];
      return chooseLstmKernel([...needed, ...mask, 'everyState']).states?.(sequenceOf(chosen, run)) ?? [];
    },
  };
};
