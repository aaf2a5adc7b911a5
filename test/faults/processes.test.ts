import { join } from 'node:path';
import { describe, test } from 'vitest';
import { until } from '../support/until.ts';
import { callAtEach, oneFor } from './cases.ts';
import {
  completed,
  judge,
  numbersOf,
  processesOf,
  runWithFault,
  runWords,
  signal,
  type Started,
  startUnroll,
  stoppedIn,
  tryAll,
  undisturbedSweep,
  unlessEnded,
} from './harness.ts';

/** Faults of the processes of a sweep: the command and its training processes are stopped and killed. */
const { shim, calm } = undisturbedSweep();

/** Short, so that a stopped process loses its locks at once. */
const shortLease = { UNROLL_LEASE_MS: '1000' };

/** What happens to a stopped process. `overtake`: another command completes the sweep before it wakes up. */
const sequels = ['continue', 'kill', 'kill the command', 'overtake'] as const;

/** Lets another command complete the sweep while a process is stopped, then continues it: it must not write any more. */
const overtake = async (folder: string, started: Started, stopped: number): Promise<string[]> => {
  // A command that lives waits for its stopped training process.
  if (stopped !== started.pid) signal(started.pid, 'SIGKILL');
  const other = await startUnroll(folder, runWords, shortLease).ended;
  const before = JSON.stringify(numbersOf(folder));
  signal(stopped, 'SIGCONT');
  await started.ended;
  await until(() => processesOf(folder).length === 0);
  return [
    ...completed('the other command', other),
    ...(JSON.stringify(numbersOf(folder)) === before ? [] : ['it wrote after it had lost its run']),
  ];
};

describe.skipIf(shim === undefined)('with gcc, which compiles what stops processes at a system call', () => {
  test('a process that is stopped at any moment loses nothing, whatever becomes of it', () => {
    const all = callAtEach(calm().calls, 'stop').map((call) => ({
      call,
      sequel: oneFor(`sequel ${call.place}`, sequels),
    }));
    return tryAll(
      all,
      25,
      ({ call, sequel }) => `${call.place}: stopped, then: ${sequel}`,
      async ({ call, sequel }, folder) => {
        const fault = { at: call.number, kind: call.kind, action: 'stop' } as const;
        const started = runWithFault(shim ?? '', folder, fault, shortLease);
        const stopped = await unlessEnded(started, () => stoppedIn(folder));
        const found: string[] = [];
        if (stopped !== undefined) {
          switch (sequel) {
            case 'continue':
              signal(stopped, 'SIGCONT');
              found.push(...completed('the continued command', await started.ended));
              break;
            case 'kill':
              signal(stopped, 'SIGKILL');
              break;
            case 'kill the command':
              signal(started.pid, 'SIGKILL');
              signal(stopped, 'SIGCONT');
              break;
            case 'overtake':
              found.push(...(await overtake(folder, started, stopped)));
          }
        }
        return [...found, ...(await judge(folder, await started.ended, calm().numbers))];
      },
    );
  });

  test('a process that is stopped while it looks at its own lock has lost it when it wakes up', () =>
    tryAll(
      Object.keys(calm().numbers).slice(0, 1),
      1,
      (id) => `stopped at the second look at the lock of ${id}`,
      async (id, folder) => {
        const fault = { at: 4, kind: 'read', action: 'stop', program: 'child.js' } as const;
        const lock = join(folder, 'runs', 'trial', id, 'writer');
        const environment = { ...shortLease, FAULT_PREFIX: lock };
        const started = runWithFault(shim ?? '', folder, fault, environment);
        const stopped = await unlessEnded(started, () => stoppedIn(folder));
        const found =
          stopped === undefined ? ['it was not stopped'] : await overtake(folder, started, stopped);
        return [...found, ...(await judge(folder, await started.ended, calm().numbers))];
      },
    ));
});
