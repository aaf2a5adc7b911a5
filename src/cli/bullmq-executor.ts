import { DataError } from '../data/dataset.ts';
import { failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import { checkWorkers } from '../executor/bullmq/check.ts';
import { answered, openRedis, refusalOf } from '../executor/bullmq/redis.ts';
import { queueProblem } from '../executor/bullmq/queue-keys.ts';
import { usualClass } from '../executor/bullmq/resource-class.ts';
import { dataSharer } from '../executor/bullmq/shared-data.ts';
import { createBullmqExecutor } from '../executor/bullmq/submit.ts';
import type { Plan } from '../plan/plan.ts';
import { StoreError } from '../store/backend.ts';
import type { StoreOptions } from '../store/open-address.ts';
import { storeFailure, type Store } from '../store/store.ts';
import {
  comeBackTo,
  type ExecutorGround,
  type ExecutorOptions,
  type RemoteExecutor,
} from './remote-executor.ts';

/** Runs that wait in one queue are taken by priority, and those of one priority in the order of their coming. */
const usualPriority = 100;

/** A store as workers know it. One that this command may only read is of no use for them. */
const storeOf = async (opened: Store | undefined) => {
  if (!opened || opened.isReadOnly) return undefined;
  try {
    return { ...opened, id: await opened.id() };
  } catch (error) {
    if (error instanceof StoreError) return undefined;
    throw error;
  }
};

const cannotShare: Diagnostic = {
  code: 'store',
  severity: 'error',
  message: 'The data cannot be shared: this command uses no store that it may write.',
  expected: 'a store that the workers use, too',
  help: 'Add --store ADDRESS, or leave --share-data out and copy the data to the workers.',
};

/** Why data could not be sent. */
const notShared = (error: unknown): Diagnostic =>
  error instanceof DataError
    ? {
        code: 'data-missing',
        severity: 'error',
        message: error.message,
        expected: 'the data of the sweep',
        help: 'Put the data back, or leave --share-data out.',
      }
    : storeFailure(error);

/** Checks that Redis answers and that no worker lacks what a plan needs. */
export const prepareBullmq = async (
  plan: Plan,
  options: ExecutorOptions & StoreOptions,
  { store: opened }: ExecutorGround,
): Promise<Result<RemoteExecutor>> => {
  const { class: given, maxParallel, priority = usualPriority, shareData: share } = options;
  const resourceClass = given ?? usualClass;
  const server = await openRedis();
  if (!server.ok) return server;
  const store = await storeOf(opened);
  if (share && !store) {
    server.value.client.disconnect();
    return failure(cannotShare);
  }
  const shareData = share && store ? dataSharer(store.parcels, plan) : undefined;
  const check = async () => {
    const foreign = await queueProblem(server.value, resourceClass);
    return foreign ? [foreign] : await checkWorkers(server.value, plan, { resourceClass, store, shareData });
  };
  const found = await check().catch((error: unknown) => [
    refusalOf(error, server.value.address) ?? notShared(error),
  ]);
  const [error, ...errors] = found.filter(({ severity }) => severity === 'error');
  if (error) {
    server.value.client.disconnect();
    return failure(error, ...errors);
  }
  return success({
    name: 'bullmq',
    warnings: found,
    mayMeasure: true,
    open: (listener) =>
      answered(server.value, () =>
        createBullmqExecutor(server.value, plan, {
          resourceClass,
          maxParallel,
          priority,
          store,
          shareData,
          listener,
        }),
      ),
    leaving:
      maxParallel === undefined
        ? 'Detaching: what is left is queued for the workers, which continue without this command. Ctrl-C again to queue no more.'
        : 'Detaching: the workers continue with the runs that are queued.',
    comeBack: comeBackTo(plan, 'runs', options),
  });
};
