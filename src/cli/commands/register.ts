import { createProblem } from '../../mlflow/client/problem.ts';
import { type Registered, registerRun } from '../../mlflow/sync/register.ts';
import { referredRun } from '../../report/best-run.ts';
import { confirmServer } from '../confirm-server.ts';
import type { Execute } from '../command.ts';
import { listenForInterruption } from '../interrupt.ts';
import { syncCommand } from '../sync-command.ts';

interface Options {
  readonly runsDirectory: string;
  readonly json?: boolean | undefined;
  readonly name: string;
  readonly alias?: string | undefined;
  readonly to?: string | undefined;
  readonly allowServer?: readonly string[] | undefined;
}

/** `unroll register RUN --name NAME`: sends what the server lacks of the run, then registers its logged model. */
export const execute: Execute<Options> = async ([written = ''], options, terminal) => {
  const { runsDirectory, name, alias, to, json } = options;
  const referred = referredRun(written, runsDirectory);
  if (!referred.ok) return terminal.refuse(referred.errors, options);
  const interruption = listenForInterruption(() => terminal.complain('Stopping; what is sent stays sent.'));
  let registered: Registered | undefined;
  const synced = await syncCommand({
    runsDirectory,
    what: referred.value.directory,
    ...(to !== undefined && { to }),
    allowServers: options.allowServer ?? [],
    ...(json !== true && { confirm: confirmServer }),
    whenComplete: async (context, record) => {
      const done = await registerRun(context, record, { name, alias });
      if (done.ok) registered = done.value;
      return done;
    },
    print: terminal.complain,
    signal: interruption.stop,
  });
  interruption.release();
  if (!synced.ok) {
    // The user stopped it, and knows why it failed.
    if (interruption.stop.aborted) return 130;
    return terminal.refuse(synced.errors, options);
  }
  if (interruption.stop.aborted) return 130;
  if (!registered) {
    terminal.report(
      [
        createProblem(
          'invalid',
          `The server does not have everything of run ${written}: nothing is registered.`,
          {
            help: 'The lines above list what is missing. A run can be registered once it has ended.',
          },
        ),
      ],
      options,
    );
    return 1;
  }
  const { version, known, runId } = registered;
  const uri = `models:/${name}/${alias === undefined ? version : `@${alias}`}`.replace('/@', '@');
  if (json)
    terminal.print(JSON.stringify({ name, version, alias: alias ?? null, uri, runId, known }, null, 2));
  else
    terminal.print(
      `${name} version ${version} ${known ? 'is the model of this run already' : 'registered'}` +
        `${alias === undefined ? '' : `, alias ${alias}`}: ${uri}`,
    );
  return 0;
};
