import type PQueue from 'p-queue';
import type { Execution } from '../spec/plan.ts';
import type { Pool } from './pool/pool.ts';

/** Where one run follows another, or a search decides what comes next, nothing is idle for as long as this. */
const lendAfterMs = 100;

/**
 * At the end of a sweep, lets the runs that are left compute on the cores of those that have ended, too. No bit of a
 * result depends on it: only kernels that give the same bits on any number of threads take part.
 */
export const lendIdleCores = (
  { concurrency, threadsPerRun }: Execution,
  { pool, queue }: { readonly pool: Pool; readonly queue: PQueue },
): { readonly cancel: () => void } => {
  let timer: NodeJS.Timeout | undefined;
  const lend = () => pool.shareThreads(queue.size > 0 ? 0 : concurrency * threadsPerRun);
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(lend, lendAfterMs).unref();
  };
  queue.on('active', soon).on('next', soon);
  return { cancel: () => clearTimeout(timer) };
};
