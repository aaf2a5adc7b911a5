import { join, resolve } from 'node:path';
import { workDirectoryProblem } from '../../executor/bullmq/fitness.ts';
import { openRedis, problem } from '../../executor/bullmq/redis.ts';
import { serveQueue } from '../../executor/bullmq/worker.ts';
import { childIsBuilt, notBuilt } from '../../executor/local/pool.ts';
import { loadPlugins } from '../../registry/own/load-plugins.ts';
import { cacheFolder } from '../../system/cache-folder.ts';
import { outdatedSetup } from '../../tensorflow/outdated-setup.ts';
import { slowBackendWarning } from '../../tensorflow/find-addon.ts';
import { counted } from '../../terminal/format.ts';
import type { Execute } from '../command.ts';
import { listenForInterruption } from '../interrupt.ts';

interface Options {
  readonly slots: number | 'auto';
  readonly class: string;
}

/** `unroll worker` */
export const execute: Execute<Options> = async (_, { slots, class: resourceClass }, terminal) => {
  const dataDirectory = resolve(process.env['UNROLL_DATA_DIR'] || '.');
  const workDirectory = resolve(process.env['UNROLL_WORKER_DIR'] || join(cacheFolder(), 'worker'));
  const obstacle = childIsBuilt() ? outdatedSetup() : notBuilt;
  if (obstacle) {
    terminal.report([obstacle]);
    return 2;
  }
  const full = workDirectoryProblem(workDirectory);
  if (full) {
    terminal.report([problem(`This worker cannot train: ${full.message}.`, { help: full.help })]);
    return 2;
  }
  const plugins = await loadPlugins('.');
  if (!plugins.ok) {
    terminal.report(plugins.errors);
    return 2;
  }
  const server = await openRedis();
  if (!server.ok) {
    terminal.report(server.errors);
    return 2;
  }
  const slow = slowBackendWarning();
  if (slow) terminal.report([slow]);
  const { registry, bundle } = plugins.value;
  const worker = await serveQueue(server.value, {
    resourceClass,
    slots,
    equipment: { registry, bundle, dataDirectory, workDirectory },
    commandLine: terminal.commandLine,
    print: terminal.print,
  });
  const { slots: count, host } = worker.facts();
  terminal.print(
    `Worker on ${host}: ${counted(count, 'slot')} of the class ${resourceClass}, Redis at ${server.value.address}, data in ${dataDirectory}. Ctrl-C ends it.`,
  );
  const interruption = listenForInterruption((stage) =>
    terminal.print(
      stage === 'stop'
        ? 'Taking no more runs; waiting for the active ones. Ctrl-C again to give them back to the queue.'
        : 'Ending the active runs with a checkpoint, and giving them back to the queue.',
    ),
  );
  await aborted(interruption.stop);
  interruption.kill.addEventListener('abort', worker.giveBack);
  await worker.drain();
  interruption.release();
  return 0;
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
