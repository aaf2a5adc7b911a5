import { Type, type Static } from '@sinclair/typebox';
import type { Tensor1D } from '@tensorflow/tfjs-core';
import { checkNetwork } from './checks.ts';
import { constant, drawBias, drawKernel } from './initializers.ts';
import type { ModelRow } from './model.ts';
import { networkProperties } from './parameters.ts';
import type { RecurrentCell } from './recurrent-cell.ts';
import { recurrentRow } from './recurrent-row.ts';
import type { CellWeights } from './weights.ts';

const parameters = Type.Object(
  {
    ...networkProperties,
    resetAfter: Type.Boolean({
      title: 'Reset after',
      description:
        'Applies the reset gate after the product with the hidden state, as cuDNN and PyTorch do; false: before it, as Cho et al. 2014 wrote it.',
      default: true,
      examples: [false],
    }),
  },
  { additionalProperties: false },
);

export type GruParameters = Static<typeof parameters>;

const gruWeights = (chosen: GruParameters): CellWeights => {
  const { hiddenSize: size, kernelInitializer, resetAfter, layerNorm } = chosen;
  const gain = (name: string) => ({ name, shape: [3 * size], draw: constant(3 * size, 1) });
  return {
    outputSize: size,
    weights: (features) => [
      {
        name: 'kernel',
        shape: [features + size, 3 * size],
        draw: drawKernel(kernelInitializer, { features, recurrent: size, gates: 3, size }),
      },
      { name: 'bias', shape: [3 * size], draw: drawBias(kernelInitializer, 3 * size, size) },
      ...(resetAfter
        ? [{ name: 'recurrentBias', shape: [size], draw: drawBias(kernelInitializer, size, size) }]
        : []),
      ...(layerNorm ? [gain('inputGain'), gain('recurrentGain')] : []),
    ],
  };
};

const gruCell: RecurrentCell<'gru', GruParameters> = {
  cell: 'gru',
  weights: gruWeights,
  features: ({ resetAfter, layerNorm }) => [
    ...(resetAfter ? [] : (['resetBefore'] as const)),
    ...(layerNorm ? (['norm'] as const) : []),
  ],
  sequence: ({ resetAfter, layerNorm }, basic, weight) => ({
    ...basic,
    recurrentBias: resetAfter ? weight<Tensor1D>('recurrentBias') : undefined,
    norm: layerNorm ? { input: weight('inputGain'), recurrent: weight('recurrentGain') } : undefined,
  }),
};

export const gru = {
  title: 'Gated recurrent unit',
  description:
    'GRU (Cho et al. 2014). One kernel `[input + hidden, 3 * hidden]`, its columns in the order reset, update, candidate.',
  version: 1,
  parameters,
  check: (chosen) => [
    ...checkNetwork(chosen),
    ...(chosen.layerNorm && !chosen.resetAfter
      ? [
          {
            path: 'layerNorm',
            with: ['resetAfter'],
            message: 'Layer normalisation of a GRU needs the reset gate after the product.',
            expected: 'resetAfter: true, or layerNorm: false',
            help: 'Remove `resetAfter: false`, or `layerNorm`.',
          },
        ]
      : []),
  ],
  ...recurrentRow(gruCell),
} as const satisfies ModelRow<typeof parameters>;
