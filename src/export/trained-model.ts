import type { SequenceShape } from '../data/dataset.ts';
import type { Preprocessing } from '../data/preprocessing.ts';
import type { StoredTensor } from '../record/safetensors.ts';

/** Trained weights by the names of `Model.variables`. */
export type Weights = ReadonlyMap<string, StoredTensor>;

/** What an export needs of `model.json`. */
export interface TrainedModel {
  readonly dataset: Readonly<Record<string, unknown>>;
  readonly model: { readonly name: string; readonly parameters: Readonly<Record<string, unknown>> };
  readonly loss: { readonly name: string };
  readonly outputsPerTarget: number;
  readonly quantiles?: readonly number[];
  readonly shape: SequenceShape;
  readonly preprocessing: Preprocessing;
}
