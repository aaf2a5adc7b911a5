import { join, resolve } from 'node:path';
import { failure, success, type Result } from '../../diagnostic/diagnostic.ts';
import { workDirectoryProblem, type SharedStore } from '../../executor/bullmq/fitness.ts';
import { queueProblem } from '../../executor/bullmq/queue-keys.ts';
import { answered, openRedis, problem } from '../../executor/bullmq/redis.ts';
import { sharedDataIn } from '../../executor/bullmq/shared-data.ts';
import { serveQueue } from '../../executor/bullmq/worker.ts';
import { childIsBuilt, notBuilt } from '../../executor/local/pool.ts';
import { loadPlugins } from '../../registry/own/load-plugins.ts';
import { openStoreAt, storeAddress, type StoreOptions } from '../../store/open-address.ts';
import { storeFailure } from '../../store/store.ts';
import { cacheFolder } from '../../system/cache-folder.ts';
import { outdatedSetup } from '../../tensorflow/outdated-setup.ts';
import { slowBackendWarning } from '../../tensorflow/find-addon.ts';
import { counted } from '../../terminal/format.ts';
import type { Execute } from '../command.ts';
import { listenForInterruption } from '../interrupt.ts';

interface Options extends StoreOptions {
  readonly slots: number | 'auto';
  readonly class: string;
}

/** `unroll worker` */
export const execute: Execute<Options> = async (_, options, terminal) => {
  const { slots, class: resourceClass } = options;
  const dataDirectory = resolve(process.env['UNROLL_DATA_DIR'] || '.');
  const workDirectory = resolve(process.env['UNROLL_WORKER_DIR'] || join(cacheFolder(), 'worker'));
  const obstacle = childIsBuilt() ? outdatedSetup() : notBuilt;
  if (obstacle) return terminal.refuse([obstacle]);
  const full = workDirectoryProblem(workDirectory);
  if (full)
    return terminal.refuse([problem(`This worker cannot train: ${full.message}.`, { help: full.help })]);
  const plugins = await loadPlugins('.');
  if (!plugins.ok) return terminal.refuse(plugins.errors);
  const opened = await openSharedStore(options);
  if (!opened.ok) return terminal.refuse(opened.errors);
  const store = opened.value;
  const server = await openRedis();
  if (!server.ok) return terminal.refuse(server.errors);
  const foreign = await answered(server.value, () => queueProblem(server.value, resourceClass));
  if (foreign) return terminal.refuse([foreign]);
  const slow = slowBackendWarning();
  if (slow) terminal.report([slow]);
  const { registry, bundle } = plugins.value;
  const sharedData = store && sharedDataIn(workDirectory, store.parcels);
  await sharedData?.dropOld();
  const worker = await answered(server.value, () =>
    serveQueue(server.value, {
      resourceClass,
      slots,
      equipment: { registry, bundle, dataDirectory, workDirectory, store, sharedData },
      commandLine: terminal.commandLine,
      print: terminal.print,
    }),
  );
  const { slots: count, host } = worker.facts();
  terminal.print(
    `Worker on ${host}: ${counted(count, 'slot')} of the class ${resourceClass}, Redis at ${server.value.address}, data in ${dataDirectory}${store ? `, store ${store.address}` : ''}. Ctrl-C ends it.`,
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

/** The store of this worker, which it must be able to write. */
const openSharedStore = async (options: StoreOptions): Promise<Result<SharedStore | undefined>> => {
  const address = storeAddress(options);
  if (!address.ok) return address;
  if (!address.value) return success(undefined);
  const opened = await openStoreAt(address.value);
  if (!opened.ok) return opened;
  const { address: name, isReadOnly } = opened.value;
  if (isReadOnly)
    return failure({
      code: 'store',
      severity: 'error',
      message: `The store ${name} may only be read by this user.`,
      expected: 'a store that the worker may write: it keeps checkpoints there',
      help: 'Give this user the right to write there, or start the worker with --no-store.',
    });
  try {
    return success({ ...opened.value, id: await opened.value.id() });
  } catch (error) {
    return failure(storeFailure(error));
  }
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
