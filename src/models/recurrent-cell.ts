import type { Tensor } from '@tensorflow/tfjs-core';
import type { Cell, CellSequence, Precision } from '../tensorflow/kernels/kernel.ts';
import type { CellFeature, Sequences } from '../tensorflow/kernels/table.ts';
import type { NetworkParameters } from './parameters.ts';
import type { CellWeights } from './weights.ts';

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
  precision: Precision = 'float32',
): readonly CellFeature[] => [
  ...features(chosen),
  ...(chosen.recurrentDropout > 0 ? (['recurrentMask'] as const) : []),
  ...(precision === 'bfloat16' ? (['bfloat16'] as const) : []),
];
