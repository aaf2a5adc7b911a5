import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { findAddon, slowBackendWarning } from './find-addon.ts';
import {
  damagedFile,
  isNativeRefused,
  nativeLibraryPath,
  readInstallation,
  type Installation,
} from './installation.ts';
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
  const installation = readInstallation();
  const { problems = [] } = installation ?? {};
  const outdated = installation && isUntouched(installation) ? undefined : outdatedSetup();
  const slow = outdated ?? slowBackendWarning({ addon: findAddon(), problems });
  if (!slow) return undefined;
  const reason = slow.message.split('. ')[0]?.replace(/\.$/, '') ?? '';
  return `warning: ${reason}, so the model is computed more slowly. Run \`${setupCommand}\`.`;
};

/**
 * Whether neither a file of the set-up nor a source of the kernels was written since the set-up, by sizes and times alone: a
 * prediction may take less time than reading all of them.
 */
const isUntouched = ({ files, decidedAt }: Installation): boolean => {
  const { folder } = unrollKernels();
  return (
    files.every(({ path, bytes, modifiedMs }) => {
      const found = statSync(path, { throwIfNoEntry: false });
      return found?.size === bytes && found.mtimeMs === modifiedMs;
    }) &&
    // An update of a package may keep the times of its files; that of their entries is the system's own.
    existsSync(folder) &&
    [folder, ...readdirSync(folder).map((name) => join(folder, name))].every(
      (path) => statSync(path).ctimeMs < decidedAt,
    )
  );
};
