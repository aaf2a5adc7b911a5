import { nothingRegistered, registerRecorded } from '../../mlflow/sync/register-recorded.ts';
import { referredRun } from '../../report/best-run.ts';
import { confirmServer } from '../confirm-server.ts';
import type { Execute } from '../command.ts';
import { listenForInterruption } from '../interrupt.ts';

interface Options {
  readonly runsDirectory: string;
  readonly json?: boolean | undefined;
  readonly name: string;
  readonly alias?: string | undefined;
  readonly to?: string | undefined;
  readonly allowServer?: readonly string[] | undefined;
}

/** `unroll register RUN --name NAME` */
export const execute: Execute<Options> = async ([written = ''], options, terminal) => {
  const { runsDirectory, name, alias, to, json } = options;
  const referred = referredRun(written, runsDirectory);
  if (!referred.ok) return terminal.refuse(referred.errors, options);
  const interruption = listenForInterruption(() => terminal.complain('Stopping; what is sent stays sent.'));
  const registered = await registerRecorded(
    referred.value.directory,
    {
      runsDirectory,
      ...(to !== undefined && { to }),
      allowServers: options.allowServer ?? [],
      ...(json !== true && { confirm: confirmServer }),
      print: terminal.complain,
      signal: interruption.stop,
    },
    { name, alias },
  );
  interruption.release();
  // The user stopped it, and knows why it failed.
  if (interruption.stop.aborted) return 130;
  if (!registered.ok) return terminal.refuse(registered.errors, options);
  if (!registered.value) {
    terminal.report([nothingRegistered(written)], options);
    return 1;
  }
  const { version, known, runId, uri } = registered.value;
  if (json)
    terminal.print(JSON.stringify({ name, version, alias: alias ?? null, uri, runId, known }, null, 2));
  else
    terminal.print(
      `${name} version ${version} ${known ? 'is the model of this run already' : 'registered'}` +
        `${alias === undefined ? '' : `, alias ${alias}`}: ${uri}`,
    );
  return 0;
};
