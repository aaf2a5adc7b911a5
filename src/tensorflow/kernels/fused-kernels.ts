import { createRequire } from 'node:module';
import { loadingShortage } from '../../system/system-error.ts';
import { nativeLibraryPath } from '../installation.ts';
import { isNative } from '../native.ts';
import { setupCommand } from '../install/setup-command.ts';

/** Whether Unroll's own TensorFlow operations can be called in this process, and if not, why. */
export type FusedKernels =
  | { readonly available: true; readonly instructionSet: string; readonly threads: number }
  | { readonly available: false; readonly reason: string };

/** That of src/data/pixels.ts. */
type GatherPixels = (bytes: Uint8Array, size: number, indices: Int32Array, to: Float32Array) => void;

/** What the shared library built from `native/` exports. */
type LoadedLibrary = { readonly version?: number; readonly setThreads: (count: number) => void } & (
  | { readonly instructionSet: string; readonly threads: number; readonly gatherPixels: GatherPixels }
  | { readonly unsupported: string }
);

/** Raised together with `version` in native/module.cc whenever something of it is added or changed. */
const libraryVersion = 7;

/** What `useKernelThreads` asked for, until the library is loaded. */
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
    return { available: true, instructionSet: library.instructionSet, threads: library.threads };
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
 * Lets Unroll's own operations compute on so many threads from the next one on. It changes how long they take and not a
 * bit of what they compute; TensorFlow's operations keep the threads that the process began with.
 */
export const useKernelThreads = (count: number): void => setThreads(count);

/** The library's function that gathers images, in vectors; undefined if `fusedKernels()` has none. */
export const fusedGatherPixels = (): GatherPixels | undefined =>
  fusedKernels().available ? gatherPixels : undefined;
