import { join } from 'node:path';
import { success } from '../../diagnostic/diagnostic.ts';
import type { Result } from '../../diagnostic/diagnostic.ts';
import { packageRoot } from '../../system/package-root.ts';
import type { Probe } from '../probe.ts';
import { runCommand } from '../../system/command.ts';
import { setupFailure } from './problem.ts';
import { proposedCommand } from '../../system/proposed-command.ts';

/** Loads TensorFlow in a process of its own and reports what it found; see `probe.ts`. */
export const runProbe = async (
  settings: { readonly addon?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Result<Probe>> => {
  const args = [join(packageRoot, 'dist', 'probe.js'), ...(settings.addon ? [settings.addon] : [])];
  const { code, stdout, output } = await runCommand(process.execPath, args, {
    ...(settings.env && { env: settings.env }),
    timeoutMs: 60_000,
  });
  const line = stdout.split('\n').find((text) => text.startsWith('{"backend"'));
  if (code === 0 && line !== undefined) return success(JSON.parse(line) as Probe);
  const why =
    /^.*Error:.*$/m.exec(output)?.[0]?.trim() ?? 'its process was killed, as by an unknown instruction';
  return setupFailure(
    `TensorFlow does not run on this machine: ${why}`,
    `Run \`${proposedCommand(['doctor'])}\` to see what the processor and the system offer.`,
  );
};

/** Whether an addon loads in this Node and multiplies matrices correctly. */
export const proveAddon = async (addon: string, env: NodeJS.ProcessEnv): Promise<Result<void>> => {
  const probed = await runProbe({ addon, env });
  if (!probed.ok) return probed;
  const { backend, warning } = probed.value;
  if (backend === 'tensorflow') return success(undefined);
  return setupFailure(
    warning ?? `The addon loads as ${backend}`,
    `Run \`${proposedCommand(['doctor'])}\` to see what is missing.`,
  );
};
