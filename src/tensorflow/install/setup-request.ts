import type { Result } from '../../diagnostic/diagnostic.ts';
import { cacheFolder } from '../../system/cache-folder.ts';
import { installationFile } from '../installation.ts';
import { nativeParts } from './native-parts.ts';
import type { NativePart } from './native-parts.ts';
import { prebuildsFolder } from './prebuild.ts';
import type { ProgressSink } from './progress.ts';
import { wheelFor } from './wheel.ts';
import type { Wheel } from './wheel.ts';

/** Everything the set-up depends on; `standardSetup` is the real one. */
export interface SetupRequest {
  readonly cache: string;
  readonly env: NodeJS.ProcessEnv;
  /** TensorFlow for this system; undefined if there is none to build against. */
  readonly wheel: Wheel | undefined;
  readonly parts: readonly NativePart[];
  /** A folder of libraries that come with the package; it need not exist. */
  readonly prebuilds: string;
  /** The file that records the decision. */
  readonly record: string;
  /** Repeats steps that failed in an earlier set-up. */
  readonly retry: boolean;
  readonly sink: ProgressSink;
  /** Loads an addon in a process of its own and computes with it. */
  readonly prove: (addon: string, env: NodeJS.ProcessEnv) => Promise<Result<void>>;
}

export const standardSetup = (options: {
  readonly sink: ProgressSink;
  readonly retry: boolean;
}): SetupRequest => {
  const cache = cacheFolder();
  return {
    cache,
    env: process.env,
    wheel: wheelFor(process.platform, process.arch),
    parts: nativeParts(),
    prebuilds: prebuildsFolder,
    record: installationFile(cache),
    prove: async (addon, env) => (await import('./prove.ts')).proveAddon(addon, env),
    ...options,
  };
};
