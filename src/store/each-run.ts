import PQueue from 'p-queue';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { storeFailure } from './store.ts';

/**
 * Handles runs, some at the same time, and adds what goes wrong to `errors`. No further one begins after `stop`, or once the
 * store or a disk cannot be used.
 */
export const eachRun = async <T>(
  runs: readonly T[],
  {
    atOnce,
    stop,
    errors,
  }: { readonly atOnce: number; readonly stop: AbortSignal; readonly errors: Diagnostic[] },
  handle: (run: T) => Promise<void>,
): Promise<void> => {
  const queue = new PQueue({ concurrency: atOnce });
  for (const run of runs)
    void queue.add(async () => {
      if (stop.aborted || errors.some(({ code }) => code === 'store' || code === 'system-error')) return;
      try {
        await handle(run);
      } catch (error) {
        errors.push(storeFailure(error));
      }
    });
  await queue.onIdle();
};
