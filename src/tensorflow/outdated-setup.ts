import { basename, dirname } from 'node:path';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { nativeLibraryPath } from './installation.ts';
import { partKey, unrollKernels } from './install/native-parts.ts';
import { setupCommand } from './install/setup-command.ts';

/**
 * Returns an error if the library of kernels was compiled from other sources than these, as after an update of Unroll:
 * every run planned with one of its kernels would fail. Reads only files.
 */
export const outdatedSetup = (library = nativeLibraryPath('unroll_kernels')): Diagnostic | undefined => {
  const { UNROLL_NATIVE_LIBRARY: override, UNROLL_BACKEND: backend = '' } = process.env;
  if (library === undefined || override !== undefined || ['wasm', 'cpu'].includes(backend)) return undefined;
  const part = unrollKernels();
  const made = basename(dirname(library));
  const wanted = `${part.name}-${partKey(part)}`;
  if (part.sources.length === 0 || made === wanted) return undefined;
  return {
    code: 'backend-missing',
    severity: 'error',
    message: "Unroll's own kernels were compiled for another version of Unroll.",
    expected: wanted,
    got: made,
    help: `Run \`${setupCommand}\`: it compiles them anew, which takes a minute.`,
  };
};
