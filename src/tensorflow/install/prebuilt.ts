import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { success } from '../../diagnostic/diagnostic.ts';
import type { Result } from '../../diagnostic/diagnostic.ts';
import { packageRoot } from '../../system/package-root.ts';
import { runCommand } from '../../system/command.ts';
import { packageFolder } from './native-parts.ts';
import { ownAddonPath } from './own-addon.ts';
import { setupFailure } from './problem.ts';

const patienceMs = 180_000;

/** Runs tfjs-node's own install script, which downloads a prebuilt addon and TensorFlow 2.9 from its makers' host. */
export const installPrebuilt = async (env: NodeJS.ProcessEnv): Promise<Result<string>> => {
  const addon = ownAddonPath();
  // A link left by an earlier set-up would look like the script's success.
  await rm(addon, { force: true });
  const tools = join(packageRoot, 'node_modules', '.bin');
  const { code, output } = await runCommand(process.execPath, ['scripts/install.js'], {
    cwd: packageFolder('@tensorflow/tfjs-node'),
    env: { ...env, PATH: [tools, env['PATH'] ?? ''].join(delimiter) },
    timeoutMs: patienceMs,
  });
  if (code === 0 && existsSync(addon)) return success(addon);
  const reason = /Error: (.+)$/m.exec(output)?.[1]?.trim();
  return setupFailure(
    `tfjs-node's own prebuilt addon cannot be installed${reason === undefined ? '' : `: ${reason}`}`,
    'It comes from https://storage.googleapis.com; where that is reachable, run `npm rebuild @tensorflow/tfjs-node`.',
  );
};
