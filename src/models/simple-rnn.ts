import { Type, type Static } from '@sinclair/typebox';
import type { Tensor1D } from '@tensorflow/tfjs-core';
import { checkNetwork } from './checks.ts';
import { constant, drawBias, drawKernel } from './initializers.ts';
import type { ModelRow } from './model.ts';
import { networkProperties } from './parameters.ts';
import type { RecurrentCell } from './recurrent-cell.ts';
import { recurrentRow } from './recurrent-row.ts';
import type { CellWeights } from './weights.ts';

const parameters = Type.Object(networkProperties, { additionalProperties: false });

export type SimpleRnnParameters = Static<typeof parameters>;

const simpleRnnWeights = (chosen: SimpleRnnParameters): CellWeights => {
  const { hiddenSize: size, kernelInitializer, layerNorm } = chosen;
  return {
    outputSize: size,
    weights: (features) => [
      {
        name: 'kernel',
        shape: [features + size, size],
        draw: drawKernel(kernelInitializer, { features, recurrent: size, gates: 1, size }),
      },
      { name: 'bias', shape: [size], draw: drawBias(kernelInitializer, size, size) },
      ...(layerNorm ? [{ name: 'gain', shape: [size], draw: constant(size, 1) }] : []),
    ],
  };
};

const simpleRnnCell: RecurrentCell<'simple-rnn', SimpleRnnParameters> = {
  cell: 'simple-rnn',
  weights: simpleRnnWeights,
  features: ({ layerNorm }) => (layerNorm ? ['norm'] : []),
  sequence: ({ layerNorm }, basic, weight) => ({
    ...basic,
    norm: layerNorm ? weight<Tensor1D>('gain') : undefined,
  }),
};

export const simpleRnn = {
  title: 'Simple recurrent network (Elman)',
  description:
    'The hidden state is the hyperbolic tangent of one linear map of input and hidden state (Elman 1990). One kernel `[input + hidden, hidden]`.',
  version: 1,
  parameters,
  check: checkNetwork,
  ...recurrentRow(simpleRnnCell),
} as const satisfies ModelRow<typeof parameters>;
