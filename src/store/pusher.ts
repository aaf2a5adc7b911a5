import PQueue from 'p-queue';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { storeFailure, type Store } from './store.ts';

/** Sends runs to a store while others are trained. */
export interface Pusher {
  readonly add: (directory: string) => void;
  /** Waits for what is being sent, but not longer than this many milliseconds. */
  readonly finish: (graceMs: number) => Promise<PushOutcome>;
}

export interface PushOutcome {
  /** How many runs the store has now. */
  readonly pushed: number;
  /** The directories of those that it does not have yet. */
  readonly left: readonly string[];
  /** Why the store could not be used. */
  readonly trouble: Diagnostic | undefined;
}

export const createPusher = (store: Store, onBadRun: (errors: readonly Diagnostic[]) => void): Pusher => {
  const queue = new PQueue({ concurrency: 2 });
  const left = new Set<string>();
  let pushed = 0;
  let trouble: Diagnostic | undefined;
  const send = async (directory: string) => {
    if (trouble) return;
    try {
      const result = await store.push(directory);
      left.delete(directory);
      if (!result.ok) onBadRun(result.errors);
      else if (result.value === 'pushed') pushed++;
    } catch (error) {
      trouble = storeFailure(error);
    }
  };
  return {
    add: (directory) => {
      if (left.has(directory)) return;
      left.add(directory);
      void queue.add(() => send(directory));
    },
    finish: async (graceMs) => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, graceMs)));
      await Promise.race([queue.onIdle(), late]);
      clearTimeout(timer);
      queue.clear();
      return { pushed, left: [...left], trouble };
    },
  };
};
