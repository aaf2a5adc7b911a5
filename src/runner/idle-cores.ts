import type PQueue from 'p-queue';
import type { Execution } from '../language/config.ts';
import type { Pool } from './pool/pool.ts';

/** Where one run follows another, or a search decides what comes next, nothing is idle for as long as this. */
const lendAfterMs = 100;

/**
 * Lets runs compute on cores that would be idle, too: those that cannot be divided among the runs, and at the end of a
 * sweep those of the runs that have ended. No bit of a result depends on it: only kernels that give the same bits on any
 * number of threads take part.
 */
export const lendIdleCores = (
  { concurrency, threadsPerRun, cores = concurrency * threadsPerRun }: Execution,
  { pool, queue }: { readonly pool: Pool; readonly queue: PQueue },
): { readonly cancel: () => void } => {
  let timer: NodeJS.Timeout | undefined;
  const lend = () => pool.shareThreads(cores, queue.size > 0 ? concurrency : 0);
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(lend, lendAfterMs).unref();
  };
  queue.on('active', soon).on('next', soon);
  return { cancel: () => clearTimeout(timer) };
};
