import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Frees what is no longer used. V8 does so only when a process allocates more, and a command that waits for its training
 * processes allocates nothing.
 */
export const freeMemory = (): void => {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
};
