import type { createPool, Pool } from '../../src/executor/local/pool.ts';

type CreatePool = typeof createPool;

const free = new Map<string, Pool[]>();

/**
 * Makes pools whose training processes stay for the next sweep of this process, as they stay for the next run of a sweep:
 * thousands of sweeps of a few steps would otherwise spend most of their time on starting them.
 */
export const keepingPools =
  (create: CreatePool): CreatePool =>
  (settings) => {
    const key = JSON.stringify(settings);
    const pools = free.get(key) ?? [];
    free.set(key, pools);
    const pool = pools.pop() ?? create(settings);
    let inUse = true;
    const close = () => {
      if (inUse) pools.push(pool);
      inUse = false;
      return Promise.resolve();
    };
    return { ...pool, close };
  };

/** Ends the training processes that were kept. */
export const closeKeptPools = async (): Promise<void> => {
  await Promise.all([...free.values()].flat().map((pool) => pool.close()));
  free.clear();
};
