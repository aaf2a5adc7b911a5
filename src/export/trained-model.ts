import type { ModelFile } from '../record/run-files.ts';
import type { StoredTensor } from '../system/safetensors.ts';

/** Trained weights by the names of `Model.variables`. */
export type Weights = ReadonlyMap<string, StoredTensor>;

/** The keys of `model.json`, `vocabulary.json` and `tokenizer.json` in the metadata of exported files. */
export const modelKey = 'unroll.model';
export const vocabularyKey = 'unroll.vocabulary';
export const tokenizerKey = 'unroll.tokenizer';

/** What an export needs of `model.json`. */
export type TrainedModel = Pick<
  ModelFile,
  'dataset' | 'model' | 'loss' | 'outputsPerTarget' | 'quantiles' | 'stateful' | 'shape' | 'preprocessing'
>;

/** The prefix of weights in files that hold the optimizer's tensors, too. */
const prefix = 'weights/';

/** The weights of `weights.safetensors`, by the names of `Model.variables`. */
export const weightsIn = (tensors: ReadonlyMap<string, StoredTensor>): Weights =>
  new Map(
    [...tensors].flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor] as const] : [],
    ),
  );
