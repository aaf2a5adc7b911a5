import { existsSync } from 'node:fs';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { nativeLibraryPath, readInstallation } from './installation.ts';
import type { Installation } from './installation.ts';
import { unknownVersions } from './known-versions.ts';
import { ownAddonPath } from './install/own-addon.ts';
import { setupCommand } from './install/setup-command.ts';

/** tfjs-node's addon: what the set-up compiled, else what tfjs-node's own install script left. */
export const findAddon = (): string | undefined => {
  const own = ownAddonPath();
  return nativeLibraryPath('tfjs_binding') ?? (existsSync(own) ? own : undefined);
};

/**
 * The one warning to show before training when native TensorFlow is not ready, or TensorFlow.js has another version than
 * its internals are known of; undefined when all is well, or when `UNROLL_BACKEND` asks for another back end. Looks at files only, so that the command line's process may call it.
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
    help: `Run \`${setupCommand}\`; \`unroll doctor\` prints what is missing.`,
  };
};
