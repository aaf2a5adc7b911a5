import type { LstmParameters } from '../lstm.ts';
import { chooseLstmKernel, type LstmState } from '../../tensorflow/kernels/lstm.ts';
import type { Recurrence, RecurrenceRun } from './recurrence.ts';

const stateOf = (initial: RecurrenceRun['initial']): LstmState | undefined => {
  const [hidden, cell] = initial ?? [];
  return hidden && cell ? { hidden, cell } : undefined;
};

export const lstmRecurrence = ({ forgetBias }: LstmParameters): Recurrence => {
  const kernel = chooseLstmKernel();
  return {
    kernel: kernel.name,
    run: ({ inputs, weight, initial, lengths, reverse, returns }) => {
      const { outputs, finalHidden, finalCell } = kernel.run({
        inputs,
        kernel: weight('kernel'),
        bias: weight('bias'),
        initial: stateOf(initial),
        lengths,
        forgetBias,
        reverse,
        returns,
      });
      return { outputs, final: [finalHidden, finalCell] };
    },
  };
};
