import { isNative } from '../native.ts';
import { fusedKernels } from './fused-kernels.ts';
import type { Cell } from './kernel.ts';
import { kernelNames, kernelsWith, type CellFeature, type KernelEntry, type KernelNeeds } from './table.ts';
import { proposedCommand } from '../../system/proposed-command.ts';

/** Why this process lacks what a kernel needs; undefined where it has it. */
const missing = (needs: KernelNeeds): string | undefined => {
  if (needs === 'nothing') return undefined;
  if (!isNative()) return 'The native TensorFlow back end is not in use.';
  if (needs === 'native') return undefined;
  const library = fusedKernels();
  return library.available ? undefined : library.reason;
};

/** Names of all kernels that this process can run. Call it after `loadTensorFlow`. */
export const runnableKernels = (): readonly string[] => kernelNames((needs) => missing(needs) === undefined);

/**
 * The kernel that computes a cell with these features: the one that the run's plan names in `wanted`, or the default of
 * this process. Throws where the wanted one cannot run here: another one would give other last bits.
 */
export const chooseKernel = <C extends Cell>(
  cell: C,
  features: readonly CellFeature[],
  wanted?: string,
): KernelEntry<C> => {
  const able = kernelsWith(cell, features);
  const chosen = able.find(({ name, needs }) =>
    wanted === undefined ? missing(needs) === undefined : name === wanted,
  );
  const onlyOne = chosen ?? (able.length === 1 && wanted === undefined ? able[0] : undefined);
  if (!onlyOne) throw new Error(`The kernel ${wanted ?? ''} cannot compute this ${cell}.`);
  const reason = missing(onlyOne.needs);
  if (reason !== undefined)
    throw new Error(
      `This run was planned with the kernel ${onlyOne.name}, which cannot run here: ${reason} ` +
        `Run \`${proposedCommand(['doctor'])}\` to see what is missing.`,
    );
  return onlyOne;
};
