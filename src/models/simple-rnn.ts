import { Type, type Static } from '@sinclair/typebox';
import { kernelsWith } from '../tensorflow/kernels/candidates.ts';
import { checkNetwork, checkNetworkWith } from './checks.ts';
import { constant, drawBias, drawKernel } from './initializers.ts';
import { inTraining, simpleRnnFeatures } from './kernels.ts';
import type { ModelRow } from './model.ts';
import { networkProperties, networkVersion } from './parameters.ts';
import { countWeights, networkWeights, type CellWeights } from './weights.ts';

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

export const simpleRnn = {
  title: 'Simple recurrent network (Elman)',
  description:
    'The hidden state is the hyperbolic tangent of one linear map of input and hidden state (Elman 1990). One kernel `[input + hidden, hidden]`.',
  version: 1,
  versionOf: networkVersion,
  parameters,
  check: checkNetwork,
  checkWith: checkNetworkWith,
  parameterCount: (chosen, context) =>
    countWeights(networkWeights(simpleRnnWeights(chosen), chosen, context)),
  kernels: (chosen) => kernelsWith('simple-rnn', inTraining(simpleRnnFeatures(chosen), chosen)),
  build: async (chosen, context) => {
    const { buildNetwork } = await import('./network/build.ts');
    const { simpleRnnRecurrence } = await import('./network/simple-rnn-recurrence.ts');
    return buildNetwork({
      parameters: chosen,
      context,
      weights: networkWeights(simpleRnnWeights(chosen), chosen, context),
      recurrence: simpleRnnRecurrence(chosen, context.kernel),
    });
  },
} as const satisfies ModelRow<typeof parameters>;
