import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Kills this process right before the n-th call of the file system, of those that are named; of none for 0. Returns how
 * many there were so far. Calls of modules that were imported before count, too.
 */
export const dieAtCall = (
  dieAt: number,
  names: readonly ('mkdir' | 'open' | 'rename' | 'link' | 'rm')[],
): (() => number) => {
  let calls = 0;
  for (const name of names) {
    const call = fs.promises[name] as (...given: unknown[]) => Promise<unknown>;
    Object.assign(fs.promises, {
      [name]: (...given: unknown[]) => {
        if (++calls === dieAt) process.kill(process.pid, 'SIGKILL');
        return call(...given);
      },
    });
  }
  syncBuiltinESMExports();
  return () => calls;
};
