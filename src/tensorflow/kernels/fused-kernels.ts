import { createHash } from 'node:crypto';
import { readRegular } from '../../system/files.ts';
import { isNative } from '../native.ts';
import type { Precision } from './kernel.ts';
import { ownLibrary, type Bfloat16Products, type GatherPixels } from './own-library.ts';

/** Whether Unroll's own TensorFlow operations can be called in this process, and if not, why. */
export type FusedKernels =
  | {
      readonly available: true;
      readonly instructionSet: string;
      readonly bfloat16: Bfloat16Products;
      readonly threads: number;
      /** Absolute path of the library. */
      readonly path: string;
    }
  | { readonly available: false; readonly reason: string };

let gatherPixels: GatherPixels | undefined;

const register = (): FusedKernels => {
  const loaded = ownLibrary();
  if (!loaded.available) return loaded;
  const { library, path } = loaded;
  const problem = library.registerOps();
  if (problem !== undefined)
    return { available: false, reason: `The operations of ${path} cannot be registered: ${problem}` };
  ({ gatherPixels } = library);
  const { instructionSet, bfloat16, threads } = library;
  return { available: true, instructionSet, bfloat16, threads, path };
};

let registered: FusedKernels | undefined;

/**
 * Registers Unroll's own operations with TensorFlow, once; call it after `loadTensorFlow`. Without them everything is
 * computed by TensorFlow's own operations, a few times slower. Throws only a system error, as `loadTensorFlow` does.
 */
export const fusedKernels = (): FusedKernels =>
  isNative()
    ? (registered ??= register())
    : { available: false, reason: 'The native TensorFlow back end is not in use.' };

let digest: string | undefined;

/**
 * Returns what decides the bits that this process computes beside the recurrent kernel's name: the first 16 hexadecimal
 * digits of the library's SHA-256, its instruction set, and how it computes products of bfloat16 operands, if the training has any.
 * All are null where the library is not used.
 */
export const ownKernelsUsed = (
  precision: Precision = 'float32',
): {
  readonly ownKernels: string | null;
  readonly instructionSet: string | null;
  readonly bfloat16?: Bfloat16Products;
} => {
  const library = fusedKernels();
  if (!library.available) return { ownKernels: null, instructionSet: null };
  digest ??= createHash('sha256').update(readRegular(library.path)).digest('hex').slice(0, 16);
  const { instructionSet, bfloat16 } = library;
  return { ownKernels: digest, instructionSet, ...(precision === 'bfloat16' && { bfloat16 }) };
};

/** Returns the library's vectorised function that gathers images; undefined if the library is not available. */
export const fusedGatherPixels = (): GatherPixels | undefined =>
  fusedKernels().available ? gatherPixels : undefined;
