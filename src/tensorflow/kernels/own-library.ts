import { createRequire } from 'node:module';
import { loadingShortage } from '../../system/system-error.ts';
import { nativeLibraryPath } from '../installation.ts';
import { setupCommand } from '../install/setup-command.ts';

/** The type of `gatherPixels` in src/data/pixels.ts, which this room may not import. */
export type GatherPixels = (bytes: Uint8Array, size: number, indices: Int32Array, to: Float32Array) => void;

/** Objects of the library, which only its functions read. */
declare const ofLibrary: unique symbol;
export type NetworkHandle = { readonly [ofLibrary]: 'network' };
export type StartedBatch = { readonly [ofLibrary]: 'batch' };

/**
 * How products of bfloat16 operands are computed. AMX adds their terms in another order than AVX512-BF16; each has the same bits as
 * its emulation.
 */
export type Bfloat16Products = 'AMX' | 'AMX emulated' | 'AVX512-BF16' | 'emulated';

/** The functions of the library on a processor that it supports. */
export interface OwnLibrary {
  readonly instructionSet: string;
  readonly bfloat16: Bfloat16Products;
  readonly threads: number;
  readonly gatherPixels: GatherPixels;
  /** What is written to standard error goes to memory, until `releaseErrors` returns it. */
  readonly holdErrors: () => void;
  readonly releaseErrors: () => string;
  /** Registers the operations with the TensorFlow that the process has loaded, once; returns what is wrong. */
  readonly registerOps: () => string | undefined;
  /** The layout of the numbers is in native/network.h. */
  readonly createNetwork: (settings: Int32Array, weights: Float32Array) => NetworkHandle;
  readonly startNetwork: (
    ...given: [
      network: NetworkHandle,
      values: Float32Array,
      batch: number,
      steps: number,
      lengths: Int32Array | undefined,
      alone: boolean,
    ]
  ) => StartedBatch;
  readonly finishNetwork: (batch: StartedBatch) => Float32Array;
}

/** The exports of the shared library built from `native/`. */
type Exports = { readonly version?: number; readonly setThreads: (count: number) => void } & (
  OwnLibrary | { readonly unsupported: string }
);

/** Unroll's own library, or why it cannot be used. */
export type LoadedLibrary =
  | {
      readonly available: true;
      readonly library: OwnLibrary;
      /** Absolute path. */
      readonly path: string;
    }
  | { readonly available: false; readonly reason: string };

/** Raised together with `version` in native/module.cc whenever the exports change. */
const libraryVersion = 10;

/** The count given to `useKernelThreads`, perhaps before the library is loaded. */
let wantedThreads: number | undefined;
let setThreads: ((count: number) => void) | undefined;

const load = (): LoadedLibrary => {
  const path = nativeLibraryPath('unroll_kernels');
  if (path === undefined) return { available: false, reason: 'The library of kernels has not been built.' };
  try {
    const library = createRequire(import.meta.url)(path) as Exports;
    if (library.version !== libraryVersion)
      return { available: false, reason: `${path} was built from other sources; run ${setupCommand}.` };
    ({ setThreads } = library);
    if (wantedThreads !== undefined) setThreads(wantedThreads);
    return 'unsupported' in library
      ? { available: false, reason: library.unsupported }
      : { available: true, library, path };
  } catch (error) {
    const shortage = loadingShortage(error, path);
    if (shortage) throw shortage;
    return { available: false, reason: `${path} cannot be loaded: ${(error as Error).message}` };
  }
};

let loaded: LoadedLibrary | undefined;

/** Loads Unroll's own library, once and without TensorFlow. Throws only a system error, as `loadTensorFlow` does. */
export const ownLibrary = (): LoadedLibrary => (loaded ??= load());

/**
 * Sets the number of threads of Unroll's own operations, from the next one on. It changes their speed, but not a bit of
 * their results. TensorFlow's operations keep the threads that the process started with.
 */
export const useKernelThreads = (count: number): void => {
  wantedThreads = count;
  setThreads?.(count);
};

/** Returns with how many threads the library computes; 1 where it has not been loaded. */
export const kernelThreads = (): number =>
  wantedThreads ?? (loaded?.available === true ? loaded.library.threads : 1);

/** Returns the vectorised function that gathers images; undefined if the library has not been loaded. */
export const loadedGatherPixels = (): GatherPixels | undefined =>
  loaded?.available === true ? loaded.library.gatherPixels : undefined;
