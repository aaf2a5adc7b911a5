import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { readRegular } from '../../system/files.ts';
import { loadingShortage } from '../../system/system-error.ts';
import { nativeLibraryPath } from '../installation.ts';
import { isNative } from '../native.ts';
import { setupCommand } from '../install/setup-command.ts';

/** Whether Unroll's own TensorFlow operations can be called in this process, and if not, why. */
export type FusedKernels =
  | {
      readonly available: true;
      readonly instructionSet: string;
      /** Whether products of bfloat16 operands are computed without an instruction of the processor for them. */
      readonly emulatesBfloat16: boolean;
      readonly threads: number;
      /** Absolute path of the library. */
      readonly path: string;
    }
  | { readonly available: false; readonly reason: string };

/** The type of `gatherPixels` in src/data/pixels.ts, which this room may not import. */
type GatherPixels = (bytes: Uint8Array, size: number, indices: Int32Array, to: Float32Array) => void;

/** The exports of the shared library built from `native/`. */
type LoadedLibrary = { readonly version?: number; readonly setThreads: (count: number) => void } & (
  | {
      readonly instructionSet: string;
      readonly emulatesBfloat16: boolean;
      readonly threads: number;
      readonly gatherPixels: GatherPixels;
    }
  | { readonly unsupported: string }
);

/** Raised together with `version` in native/module.cc whenever the exports change. */
const libraryVersion = 8;

/** The count given to `useKernelThreads` before the library is loaded. */
let wantedThreads: number | undefined;
let setThreads = (count: number): void => {
  wantedThreads = count;
};
let gatherPixels: GatherPixels | undefined;

const load = (): FusedKernels => {
  const path = nativeLibraryPath('unroll_kernels');
  if (path === undefined) return { available: false, reason: 'The library of kernels has not been built.' };
  try {
    const library = createRequire(import.meta.url)(path) as LoadedLibrary;
    if (library.version !== libraryVersion)
      return { available: false, reason: `${path} was built from other sources; run ${setupCommand}.` };
    ({ setThreads } = library);
    if (wantedThreads !== undefined) setThreads(wantedThreads);
    if ('unsupported' in library) return { available: false, reason: library.unsupported };
    ({ gatherPixels } = library);
    const { instructionSet, emulatesBfloat16, threads } = library;
    return { available: true, instructionSet, emulatesBfloat16, threads, path };
  } catch (error) {
    const shortage = loadingShortage(error, path);
    if (shortage) throw shortage;
    return { available: false, reason: `${path} cannot be loaded: ${(error as Error).message}` };
  }
};

let loaded: FusedKernels | undefined;

/**
 * Registers Unroll's own operations with TensorFlow, once; call it after `loadTensorFlow`. Without them everything is
 * computed by TensorFlow's own operations, a few times slower. Throws only a system error, as `loadTensorFlow` does.
 */
export const fusedKernels = (): FusedKernels =>
  isNative()
    ? (loaded ??= load())
    : { available: false, reason: 'The native TensorFlow back end is not in use.' };

/**
 * Sets the number of threads of Unroll's own operations, from the next one on. It changes their speed, but not a bit of
 * their results. TensorFlow's operations keep the threads that the process started with.
 */
export const useKernelThreads = (count: number): void => setThreads(count);

let digest: string | undefined;

/**
 * Returns what decides the bits that this process computes beside the recurrent kernel's name: the first 16 hexadecimal
 * digits of the library's SHA-256, and its instruction set. Both are null where the library is not used.
 */
export const ownKernelsUsed = (): {
  readonly ownKernels: string | null;
  readonly instructionSet: string | null;
} => {
  const library = fusedKernels();
  if (!library.available) return { ownKernels: null, instructionSet: null };
  digest ??= createHash('sha256').update(readRegular(library.path)).digest('hex').slice(0, 16);
  return { ownKernels: digest, instructionSet: library.instructionSet };
};

/** Returns the library's vectorised function that gathers images; undefined if the library is not available. */
export const fusedGatherPixels = (): GatherPixels | undefined =>
  fusedKernels().available ? gatherPixels : undefined;
