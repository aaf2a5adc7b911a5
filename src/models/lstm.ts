import { Type, type Static } from '@sinclair/typebox';
import { nullable } from '../parameters/schema.ts';
import type { ParameterIssue } from '../parameters/row.ts';
import { kernelsWith } from '../tensorflow/kernels/candidates.ts';
import { checkNetwork, checkNetworkWith } from './checks.ts';
import { constant, drawBias, drawKernel } from './initializers.ts';
import { inTraining, lstmFeatures } from './kernels.ts';
import type { ModelRow } from './model.ts';
import { networkProperties, networkVersion } from './parameters.ts';
import { countWeights, networkWeights, type CellWeights, type Weight } from './weights.ts';

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
      description: 'The gates see the cell state (Gers, Schraudolph and Schmidhuber 2002).',
      default: false,
      examples: [true],
    }),
    projectionSize: nullable(
      Type.Integer({
        title: 'Projection size',
        description:
          'The hidden state is a linear map of the output of the cell to this size (Sak, Senior and Beaufays 2014); null: the output itself. Slower: no fused kernel knows it.',
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
  versionOf: networkVersion,
  parameters,
  check: (chosen) => [...checkNetwork(chosen), ...checkLstm(chosen)],
  checkWith: checkNetworkWith,
  parameterCount: (chosen, context) => countWeights(networkWeights(lstmWeights(chosen), chosen, context)),
  kernels: (chosen) => kernelsWith('lstm', inTraining(lstmFeatures(chosen), chosen)),
  build: async (chosen, context) => {
    const { buildNetwork } = await import('./network/build.ts');
    const { lstmRecurrence } = await import('./network/lstm-recurrence.ts');
    return buildNetwork({
      parameters: chosen,
      context,
      weights: networkWeights(lstmWeights(chosen), chosen, context),
      recurrence: lstmRecurrence(chosen, context.kernel),
    });
  },
} as const satisfies ModelRow<typeof parameters>;
