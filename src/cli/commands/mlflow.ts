import { proposedCommand } from '../../system/proposed-command.ts';
import { startMlflowServer } from '../../mlflow/server/serve.ts';
import type { Execute } from '../command.ts';
import { listenForInterruption } from '../interrupt.ts';

interface Options {
  readonly runsDirectory: string;
  readonly port?: number | undefined;
}

/** `unroll mlflow` */
export const execute: Execute<Options> = async (_words, options, terminal) => {
  const { runsDirectory, port } = options;
  const interruption = listenForInterruption(() => terminal.complain('Stopping the server.'));
  const server = await startMlflowServer({
    runsDirectory,
    ...(port !== undefined && { port }),
    print: terminal.print,
    signal: interruption.stop,
  });
  if (!server.ok) {
    interruption.release();
    if (interruption.stop.aborted) return 130;
    return terminal.refuse(server.errors);
  }
  if (!server.value.started) return 0;
  terminal.print(
    `Record on it with: MLFLOW_TRACKING_URI=${server.value.uri} ${proposedCommand(['run', 'SPEC'], runsDirectory)}`,
  );
  terminal.print('Ctrl-C stops it; what is recorded is kept.');
  const interrupted = new Promise<void>((resolve) => {
    interruption.stop.addEventListener('abort', () => resolve());
  });
  await Promise.race([server.value.ended, interrupted]);
  if (!interruption.stop.aborted)
    terminal.complain('The MLflow server exited. Its output is in mlflow/server.log.');
  await server.value.stop();
  interruption.release();
  return interruption.stop.aborted ? 0 : 1;
};
