import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { nativeLibraryPath, readInstallation } from './installation.ts';
import type { Installation } from './installation.ts';
import { unknownVersions } from './known-versions.ts';
import { setupCommand } from './install/setup-command.ts';
import { proposedCommand } from '../system/proposed-command.ts';

/** Returns the path of tfjs-node's addon; undefined if the set-up has not made it ready. */
export const findAddon = (): string | undefined => nativeLibraryPath('tfjs_binding');

/**
 * Returns the warning to show before training if native TensorFlow is not ready, or if TensorFlow.js has a version that
 * Unroll was not tested with; undefined if all is well or `UNROLL_BACKEND` requests another back end. Reads only files,
 * so the command line's process may call it.
 */
export const slowBackendWarning = (
  found: {
    readonly addon: string | undefined;
    readonly problems: Installation['problems'];
    readonly otherVersions?: ReturnType<typeof unknownVersions>;
  } = {
    addon: findAddon(),
    problems: readInstallation()?.problems ?? [],
    otherVersions: unknownVersions(),
  },
): Diagnostic | undefined => {
  if (process.env['UNROLL_BACKEND']) return undefined;
  if (found.addon !== undefined)
    return found.otherVersions && { code: 'backend-missing', severity: 'warning', ...found.otherVersions };
  const [problem] = found.problems;
  return {
    code: 'backend-missing',
    severity: 'warning',
    message:
      `Native TensorFlow is not ready: ${problem?.message ?? 'it is not set up'}. ` +
      'Training runs on WebAssembly, about 50 times slower.',
    help: `Run \`${setupCommand}\`; \`${proposedCommand(['doctor'])}\` prints what is missing.`,
  };
};
