import { rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { Run } from '../plan/plan.ts';
import { readStatus } from '../record/read-runs.ts';
import { fileNames } from '../record/run-files.ts';
import { runDirectory } from '../record/run-recorder.ts';
import { acquireLock } from '../system/lock.ts';
import { ignoringSystemErrors } from '../system/system-error.ts';
import type { Store } from './store.ts';

export type Taken =
  /** It is recorded now. */
  | { readonly kind: 'taken' }
  /** It was recorded here before. */
  | { readonly kind: 'here' }
  /** The store does not have it. */
  | { readonly kind: 'missing' }
  /** Another process trains it. */
  | { readonly kind: 'held' }
  /** What the store has is not usable. */
  | { readonly kind: 'bad'; readonly errors: readonly Diagnostic[] };

/** Takes a finished run of a store into the runs directory unless it is finished there. Rejects with a `StoreError`. */
export const takeRun = async (
  store: Store,
  run: Pick<Run, 'experiment' | 'id'>,
  { runsDirectory, lockIsHeld = false }: { readonly runsDirectory: string; readonly lockIsHeld?: boolean },
): Promise<Taken> => {
  const directory = runDirectory(runsDirectory, run);
  const locks = [];
  try {
    for (const name of [...(lockIsHeld ? [] : [fileNames.lock]), fileNames.writer]) {
      const lock = acquireLock(join(directory, name), { folder: dirname(directory) });
      if ('heldBy' in lock) return { kind: 'held' };
      locks.push(lock);
    }
    if (readStatus(directory)?.outcome?.reason === 'completed') return { kind: 'here' };
    const pulled = await store.pull(run, directory);
    if (!pulled.ok) return { kind: 'bad', errors: pulled.errors };
    return { kind: pulled.value ? 'taken' : 'missing' };
  } finally {
    for (const lock of locks.reverse()) lock.release();
    // An empty folder is all that is left of a run that was not taken.
    ignoringSystemErrors(() => rmdirSync(directory));
  }
};
