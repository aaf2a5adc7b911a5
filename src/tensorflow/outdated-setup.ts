import { basename, dirname } from 'node:path';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { findAddon, slowBackendWarning } from './find-addon.ts';
import { damagedFile, isNativeRefused, nativeLibraryPath, readInstallation } from './installation.ts';
import { isMadeFrom } from './install/library.ts';
import { partKey, unrollKernels } from './install/native-parts.ts';
import { setupCommand } from './install/setup-command.ts';

/**
 * Returns an error if a file of the set-up is missing or damaged, or if the library of kernels was made from other sources
 * than these, as after an update of Unroll: every run planned with one of its kernels would fail. Reads only files.
 */
export const outdatedSetup = (library = nativeLibraryPath('unroll_kernels')): Diagnostic | undefined => {
  const { UNROLL_NATIVE_LIBRARY: override } = process.env;
  if (isNativeRefused()) return undefined;
  const damaged = damagedFile();
  if (damaged !== undefined) {
    return {
      code: 'backend-missing',
      severity: 'error',
      message: `${damaged} is missing or damaged.`,
      expected: 'the file as the set-up made it',
      help: `Run \`${setupCommand}\`: it replaces damaged files.`,
    };
  }
  if (library === undefined || override !== undefined) return undefined;
  const part = unrollKernels();
  if (part.sources.length === 0 || isMadeFrom(library, part)) return undefined;
  return {
    code: 'backend-missing',
    severity: 'error',
    message: "Unroll's own kernels were made for another version of Unroll.",
    expected: `${part.name}-${partKey(part)}`,
    got: basename(dirname(library)),
    help: `Run \`${setupCommand}\`: it makes them anew, which takes a minute where they must be compiled.`,
  };
};

/**
 * Returns the line to print before a trained model is used, if this takes longer than it must because the set-up is
 * missing, damaged or outdated. It is no error: the predictions are right.
 */
export const slowModelWarning = (): string | undefined => {
  const { problems = [] } = readInstallation() ?? {};
  const slow = outdatedSetup() ?? slowBackendWarning({ addon: findAddon(), problems });
  if (!slow) return undefined;
  const reason = slow.message.split('. ')[0]?.replace(/\.$/, '') ?? '';
  return `warning: ${reason}, so the model is computed more slowly. Run \`${setupCommand}\`.`;
};
