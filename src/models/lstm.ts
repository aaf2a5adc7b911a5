import { Type, type Static } from '@sinclair/typebox';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { nullable } from '../parameters/schema.ts';
import type { ParameterIssue } from '../parameters/row.ts';
import { checkNetwork } from './checks.ts';
import { constant, drawBias, drawKernel } from './initializers.ts';
import type { ModelRow } from './model.ts';
import { networkProperties } from './parameters.ts';
import type { RecurrentCell } from './recurrent-cell.ts';
import { recurrentRow } from './recurrent-row.ts';
import type { CellWeights, Weight } from './weights.ts';

const parameters = Type.Object(
  {
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
    peepholes: Type.Boolean({
      title: 'Peepholes',
      description: 'The gates also read the cell state (Gers, Schraudolph and Schmidhuber 2002).',
      default: false,
      examples: [true],
    }),
    projectionSize: nullable(
      Type.Integer({
        title: 'Projection size',
        description:
          'The hidden state is a linear map of the output of the cell to this size (Sak, Senior and Beaufays 2014); null: the output itself. Slower: no fused kernel supports it.',
        minimum: 1,
        maximum: 16_384,
        examples: [64],
      }),
    ),
  },
  { additionalProperties: false },
);

export type LstmParameters = Static<typeof parameters>;

const lstmWeights = (chosen: LstmParameters): CellWeights => {
  const { hiddenSize: size, kernelInitializer, peepholes, projectionSize, layerNorm } = chosen;
  const recurrent = projectionSize ?? size;
  const filled = (name: string, length: number, value: number): Weight => ({
    name,
    shape: [length],
    draw: constant(length, value),
  });
  return {
    outputSize: recurrent,
    weights: (features) => [
      {
        name: 'kernel',
        shape: [features + recurrent, 4 * size],
        draw: drawKernel(kernelInitializer, { features, recurrent, gates: 4, size }),
      },
      { name: 'bias', shape: [4 * size], draw: drawBias(kernelInitializer, 4 * size, size) },
      ...(peepholes
        ? ['inputPeephole', 'forgetPeephole', 'outputPeephole'].map((name) => filled(name, size, 0))
        : []),
      ...(projectionSize === null
        ? []
        : [
            {
              name: 'projection',
              shape: [size, projectionSize],
              draw: drawKernel(kernelInitializer, {
                features: 0,
                recurrent: size,
                gates: 1,
                size: projectionSize,
              }),
            },
          ]),
      ...(layerNorm
        ? [
            filled('inputGain', 4 * size, 1),
            filled('recurrentGain', 4 * size, 1),
            filled('cellGain', size, 1),
            filled('cellOffset', size, 0),
          ]
        : []),
    ],
  };
};

const lstmCell: RecurrentCell<'lstm', LstmParameters> = {
  cell: 'lstm',
  weights: lstmWeights,
  features: ({ peepholes, projectionSize, layerNorm }) => [
    ...(peepholes ? (['peepholes'] as const) : []),
    ...(projectionSize === null ? [] : (['projection'] as const)),
    ...(layerNorm ? (['norm'] as const) : []),
  ],
  sequence: ({ forgetBias, peepholes, projectionSize, layerNorm }, basic, weight) => ({
    ...basic,
    forgetBias,
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
  }),
};

const checkLstm = ({
  peepholes,
  layerNorm,
  projectionSize,
  hiddenSize,
}: LstmParameters): ParameterIssue[] => {
  const issues: ParameterIssue[] = [];
  if (peepholes && layerNorm)
    issues.push({
      path: 'peepholes',
      with: ['layerNorm'],
      message: 'Peepholes would pass the cell state to the gates around layer normalisation.',
      expected: 'one of peepholes and layerNorm',
      help: 'Remove `peepholes` or `layerNorm`.',
    });
  if (projectionSize !== null && projectionSize >= hiddenSize)
    issues.push({
      path: 'projectionSize',
      with: ['hiddenSize'],
      message: `A projection to ${String(projectionSize)} does not make a hidden state of ${String(hiddenSize)} smaller.`,
      expected: `less than hiddenSize (${String(hiddenSize)})`,
      help: 'Choose a smaller projectionSize, or remove it.',
    });
  return issues;
};

export const lstm = {
  title: 'Long short-term memory',
  description:
    "LSTM (Hochreiter and Schmidhuber 1997) with forget gate (Gers, Schmidhuber and Cummins 2000). One kernel `[input + hidden, 4 * hidden]`, its gates in the order of TensorFlow 1's BasicLSTMCell: input, candidate, forget, output.",
  version: 1,
  parameters,
  check: (chosen) => [...checkNetwork(chosen), ...checkLstm(chosen)],
  ...recurrentRow(lstmCell),
} as const satisfies ModelRow<typeof parameters>;
