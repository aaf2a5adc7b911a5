import { isNative } from '../native.ts';
import { candidates, kernelsWith, type Cell, type CellFeature } from './candidates.ts';
import { fusedKernels } from './fused-kernels.ts';

/** Why what a kernel needs is not in this process; undefined where it is. */
const missing = (needs: 'own-library' | 'native' | 'nothing'): string | undefined => {
  if (needs === 'nothing') return undefined;
  if (!isNative()) return 'The native TensorFlow back end is not in use.';
  if (needs === 'native') return undefined;
  const library = fusedKernels();
  return library.available ? undefined : library.reason;
};

/** Names of all kernels that this process can run. Call it after `loadTensorFlow`. */
export const runnableKernels = (): readonly string[] =>
  Object.values(candidates)
    .flat()
    .filter(({ needs }) => missing(needs) === undefined)
    .map(({ name }) => name);

/**
 * The name of the kernel that computes a cell with some features: `wanted`, or the default of this process. Throws where
 * the wanted one cannot run here, because another one gives other last bits.
 */
export const chooseKernel = (cell: Cell, features: readonly CellFeature[], wanted?: string): string => {
  const able = kernelsWith(cell, features);
  const chosen = able.find(({ name, needs }) =>
    wanted === undefined ? missing(needs) === undefined : name === wanted,
  );
  if (!chosen) throw new Error(`The kernel ${wanted ?? ''} cannot compute this ${cell}.`);
  const reason = missing(chosen.needs);
  if (reason !== undefined)
    throw new Error(
      `This run was planned with the kernel ${chosen.name}, which cannot run here: ${reason} ` +
        'Run `unroll doctor` to see what is missing.',
    );
  return chosen.name;
};
