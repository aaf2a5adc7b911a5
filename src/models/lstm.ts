import { Type, type Static } from '@sinclair/typebox';
import { drawBias, drawKernel } from './initializers.ts';
import type { ModelRow } from './model.ts';
import { networkProperties } from './parameters.ts';
import { countWeights, networkWeights, type CellWeights } from './weights.ts';

const parameters = Type.Object({
  ...networkProperties,
  forgetBias: Type.Number({
    title: 'Forget bias',
    description:
      'Added inside the forget gate, so that a fresh cell remembers (Gers, Schmidhuber and Cummins 2000; Jozefowicz et al. 2015).',
    minimum: -10,
    maximum: 10,
    default: 1,
    examples: [1],
  }),
});

export type LstmParameters = Static<typeof parameters>;

const lstmWeights = (chosen: LstmParameters): CellWeights => {
  const { hiddenSize: size, kernelInitializer } = chosen;
  const recurrent = size;
  return {
    outputSize: recurrent,
    weights: (features) => [
      {
        name: 'kernel',
        shape: [features + recurrent, 4 * size],
        draw: drawKernel(kernelInitializer, { features, recurrent, gates: 4, size }),
      },
      { name: 'bias', shape: [4 * size], draw: drawBias(kernelInitializer, 4 * size, size) },
    ],
  };
};

export const lstm = {
  title: 'Long short-term memory',
  description:
    "LSTM (Hochreiter and Schmidhuber 1997) with forget gate (Gers, Schmidhuber and Cummins 2000). One kernel `[input + hidden, 4 * hidden]`, its gates in the order of TensorFlow 1's BasicLSTMCell: input, candidate, forget, output.",
  version: 1,
  parameters,
  parameterCount: (chosen, shape) => countWeights(networkWeights(lstmWeights(chosen), chosen, shape)),
  build: async (chosen, context) => {
    const { buildNetwork } = await import('./network/build.ts');
    const { lstmRecurrence } = await import('./network/lstm-recurrence.ts');
    return buildNetwork({
      parameters: chosen,
      context,
      weights: networkWeights(lstmWeights(chosen), chosen, context.shape),
      recurrence: lstmRecurrence(chosen),
    });
  },
} as const satisfies ModelRow<typeof parameters>;
