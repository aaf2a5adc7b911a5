import { readRegularText } from '../system/files.ts';
import type { RunOutcome } from '../record/events.ts';
import { interruptionOf } from '../system/system-error.ts';
import type { Exited } from './executor.ts';

/** Processes that Linux has killed for memory since the machine started; undefined where that is not known. */
const memoryKills = (): number | undefined => {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readRegularText('/proc/vmstat'))?.[1]);
  } catch {
    return undefined;
  }
};

const memoryKillsAtStart = memoryKills();

/** What a process prints when an allocation failed. */
const outOfMemoryWords = /std::bad_alloc|heap out of memory|Allocation failed|OOM when allocating/;

const lastLine = (text: string): string =>
  text
    .split('\n')
    .filter((line) => line.trim())
    .at(-1)
    ?.trim() ?? '';

/** Why a process exited without reporting a result. */
export const outcomeOfExit = (
  exit: Exited,
  { killedByUser, timeoutMs }: { killedByUser: boolean; timeoutMs: number | null },
): Pick<RunOutcome, 'reason' | 'message' | 'systemError'> => {
  const trouble = interruptionOf(exit.error);
  if (trouble)
    return {
      reason: 'interrupted',
      message: `${trouble.message}. ${trouble.advice}`,
      systemError: trouble.code,
    };
  if (exit.refused !== undefined) return { reason: 'interrupted', message: exit.refused };
  if (killedByUser) return { reason: 'killed', message: 'killed by the second Ctrl-C' };
  if (exit.killedByUs) {
    return timeoutMs === null
      ? { reason: 'killed', message: 'killed because it did not stop in time' }
      : { reason: 'timed-out', message: `killed after its time limit of ${Math.round(timeoutMs / 1000)} s` };
  }
  if (outOfMemoryWords.test(exit.lastWords)) {
    return { reason: 'out-of-memory', message: `the process ran out of memory: ${lastLine(exit.lastWords)}` };
  }
  const kills = memoryKills();
  if (exit.signal === 'SIGKILL' && kills !== undefined && kills > (memoryKillsAtStart ?? 0)) {
    return { reason: 'out-of-memory', message: 'the system killed the process because memory ran out' };
  }
  const how = exit.signal ? `was ended by ${exit.signal}` : `ended with exit code ${exit.code ?? 'unknown'}`;
  const words = lastLine(exit.lastWords);
  return { reason: 'crashed', message: `the process ${how}${words && `: ${words}`}` };
};
