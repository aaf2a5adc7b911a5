import { createInterface } from 'node:readline/promises';
import type { Plan } from '../plan/plan.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { refusal, trackingUri } from '../mlflow/sync/target.ts';
import { allowInUserConfig, userConfigPath } from '../language/user-config.ts';
import { forTerminal } from '../terminal/colours.ts';
import { writeText } from '../terminal/output.ts';
import type { Terminal } from './command.ts';
import { proposedCommand } from '../system/proposed-command.ts';
import { webOrigin } from '../system/secrets.ts';

/** Options of the commands that send runs. */
interface SendOptions {
  readonly mlflow: boolean;
  readonly json?: boolean | undefined;
  readonly allowServer?: readonly string[] | undefined;
}

/**
 * The servers that a plan may send to in this command. Asks once about one that only the spec names; `undefined` after
 * a refusal, which is reported.
 */
export const allowedServers = async (
  plan: Plan,
  { mlflow, json = false, allowServer = [] }: SendOptions,
  terminal: Terminal,
): Promise<readonly string[] | undefined> => {
  if (!mlflow) return allowServer;
  const target = { settings: plan.tracking.mlflow, experiment: plan.experiment, allowServers: allowServer };
  const refused = refusal(target);
  if (!refused) return allowServer;
  if (!json && (await confirmServer(refused, trackingUri(target) ?? ''))) return allowServer;
  terminal.report([refused], { json });
  return undefined;
};

/** Asks on the user's terminal, and remembers a yes in the user's config. Without a terminal the answer is no. */
export const confirmServer = async ({ message }: Diagnostic, uri: string): Promise<boolean> => {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
  const origin = webOrigin(uri);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  terminal.on('SIGINT', () => terminal.close());
  try {
    const question = `${message}\nSend results, logs and models of these runs to ${origin}, now and later? Your credentials are not sent. (y/N) `;
    const answer = await Promise.race([terminal.question(forTerminal(question, false)), ended]);
    if (!/^y(es)?$/i.test(answer.trim())) return false;
    allowInUserConfig('servers', origin);
    writeText(
      process.stderr,
      `Remembered in ${userConfigPath()}; undo it with: ${proposedCommand(['trust', '--remove', origin])}\n`,
    );
    return true;
  } finally {
    terminal.close();
  }
};
