import { join, resolve } from 'node:path';
import type { Variable } from '../plan/starting-weights.ts';
import type { Run } from '../plan/plan.ts';
import { fileNames, modelFileNames } from './run-files.ts';
import type { StoredTensor } from '../system/safetensors.ts';

/** The weights of a run's directory. */
export const weightsFileOf = (directory: string): string =>
  join(directory, fileNames.model, modelFileNames.weights);

/** The file with the weights that a run starts from; undefined where they are drawn. */
export const startFileOf = (
  { start }: Pick<Run, 'start'>,
  { runsDirectory, baseDirectory }: { readonly runsDirectory: string; readonly baseDirectory: string },
): string | undefined => {
  if (!start) return undefined;
  return start.file === undefined
    ? weightsFileOf(join(resolve(runsDirectory), start.run ?? ''))
    : resolve(baseDirectory, start.file);
};

/** Tensors of a network begin so in the files of a run; files of other programs have the bare names. */
const prefix = 'weights/';

/** The variables in a file of weights by their names in the network; a checkpoint has optimizer state besides. */
export const variablesIn = <T extends Pick<StoredTensor, 'shape'>>(
  tensors: ReadonlyMap<string, T>,
): readonly (Variable & { readonly tensor: T })[] => {
  const isOurs = [...tensors.keys()].some((key) => key.startsWith(prefix));
  return [...tensors].flatMap(([key, tensor]) => {
    if (isOurs && !key.startsWith(prefix)) return [];
    return [{ name: isOurs ? key.slice(prefix.length) : key, shape: tensor.shape, tensor }];
  });
};
