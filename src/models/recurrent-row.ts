import type { Cell, Precision } from '../tensorflow/kernels/kernel.ts';
import { kernelsWith } from '../tensorflow/kernels/table.ts';
import { checkNetworkWith } from './checks.ts';
import { withEmbedding } from './embedding.ts';
import type { BuildContext } from './model.ts';
import { networkVersion, resolvedReadout, type NetworkParameters } from './parameters.ts';
import { featuresInTraining, type RecurrentCell } from './recurrent-cell.ts';
import { countWeights, networkWeights } from './weights.ts';

/** The part of a model's row that follows from its cell. */
export const recurrentRow = <C extends Cell, P extends NetworkParameters>(cell: RecurrentCell<C, P>) => ({
  versionOf: networkVersion,
  embedsCategories: true as const,
  readsVectors: true as const,
  carriesState: true as const,
  configured: withEmbedding<P>,
  checkWith: checkNetworkWith,
  variables: (chosen: P, context: Pick<BuildContext, 'shape' | 'outputs'>) =>
    networkWeights(cell.weights(chosen), chosen, context),
  parameterCount: (chosen: P, context: Pick<BuildContext, 'shape' | 'outputs'>) =>
    countWeights(networkWeights(cell.weights(chosen), chosen, context)),
  resolved: resolvedReadout,
  kernels: (chosen: P, precision?: Precision) =>
    kernelsWith(cell.cell, featuresInTraining(cell, chosen, precision)),
  build: async (chosen: P, context: BuildContext) => {
    const { buildNetwork } = await import('./network/build.ts');
    return await buildNetwork(cell, chosen, context);
  },
});
