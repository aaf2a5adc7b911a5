import { createHash } from 'node:crypto';
import { readRegular } from '../system/files.ts';
import { findAddon } from './find-addon.ts';
import { isNativeRefused, nativeLibraryPath, readInstallation } from './installation.ts';
import { kernelNames } from './kernels/table.ts';
import { readProcessor } from './processor.ts';

/** Whether training processes will load native TensorFlow, judging by the files. */
const nativeExpected = (): boolean => !isNativeRefused() && findAddon() !== undefined;

/**
 * Names of the kernels that a training process will be able to run, judging by the files: the processor may still lack
 * the instructions that our own library needs. Empty without native TensorFlow, where each cell has one kernel.
 */
export const expectedKernels = (): readonly string[] => {
  if (!nativeExpected()) return [];
  const own = nativeLibraryPath('unroll_kernels') !== undefined;
  return kernelNames((needs) => needs !== 'own-library' || own);
};

/** The machine and libraries that kernels' speed depends on: a measurement counts only for the same identity. */
export interface ComputingIdentity {
  readonly processor: string;
  /** Instruction sets of the processor, and the one that `UNROLL_INSTRUCTION_SET` requests. */
  readonly instructions: string;
  /** Identifies the versions of TensorFlow and of its addon. */
  readonly installation: string;
  /** Hex SHA-256 of our own library of kernels; empty where there is none. */
  readonly library: string;
}

export const computingIdentity = (): ComputingIdentity => {
  const { model, features = [] } = readProcessor();
  const library = nativeLibraryPath('unroll_kernels');
  return {
    processor: model,
    instructions: [...features, process.env['UNROLL_INSTRUCTION_SET'] ?? ''].join(' ').trim(),
    installation: readInstallation()?.key ?? findAddon() ?? '',
    library: library === undefined ? '' : createHash('sha256').update(readRegular(library)).digest('hex'),
  };
};
