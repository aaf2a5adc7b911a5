import type { Tensor } from '@tensorflow/tfjs-core';
import type { CellSequence } from '../tensorflow/kernels/kernel.ts';
import { kernelsWith, type Cell, type CellFeature, type Sequences } from '../tensorflow/kernels/table.ts';
import { checkNetworkWith } from './checks.ts';
import type { BuildContext } from './model.ts';
import { networkVersion, type NetworkParameters } from './parameters.ts';
import { countWeights, networkWeights, type CellWeights } from './weights.ts';

/** Returns a weight of a cell by its name within the cell. */
export type WeightOf = <T extends Tensor>(name: string) => T;

/** How a model with parameters `P` uses a recurrent cell. */
export interface RecurrentCell<C extends Cell, P extends NetworkParameters> {
  readonly cell: C;
  readonly weights: (chosen: P) => CellWeights;
  /** The features that the model needs from its kernel, apart from masks. */
  readonly features: (chosen: P) => readonly CellFeature[];
  /** Adds the operands that only this cell has. */
  readonly sequence: (chosen: P, basic: CellSequence, weight: WeightOf) => Sequences[C];
}

/** The features that a kernel needs in training, where recurrent dropout puts masks on the hidden state. */
export const featuresInTraining = <C extends Cell, P extends NetworkParameters>(
  { features }: RecurrentCell<C, P>,
  chosen: P,
): readonly CellFeature[] => [
  ...features(chosen),
  ...(chosen.recurrentDropout > 0 ? (['recurrentMask'] as const) : []),
];

/** The part of a model's row that follows from its cell. */
export const recurrentRow = <C extends Cell, P extends NetworkParameters>(cell: RecurrentCell<C, P>) => ({
  versionOf: networkVersion,
  checkWith: checkNetworkWith,
  parameterCount: (chosen: P, context: Pick<BuildContext, 'shape' | 'outputs'>) =>
    countWeights(networkWeights(cell.weights(chosen), chosen, context)),
  kernels: (chosen: P) => kernelsWith(cell.cell, featuresInTraining(cell, chosen)),
  build: async (chosen: P, context: BuildContext) => {
    const { buildNetwork } = await import('./network/build.ts');
    return await buildNetwork(cell, chosen, context);
  },
});
