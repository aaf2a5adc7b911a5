import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readRegularText } from '../../system/files.ts';
import { inBatch } from './folder.ts';

/** What helps a run that needed more memory than its job got. */
export const moreMemory = 'set a larger run.slurm.memory';

/** What Slurm writes into the log of a job that it ends for its memory. Its state is only FAILED then. */
const memoryWords = /exceeded (?:\w+ )?memory limit|out[- ]of[- ]memory|oom[-_ ]?kill/i;

/** Whether the last lines of a task's log show that it was ended for its memory. */
export const wasEndedForMemory = (folder: string, task: number): boolean => {
  const log = join(folder, inBatch.log(task));
  const lines = existsSync(log) ? readRegularText(log).trim().split('\n') : [];
  return memoryWords.test(lines.slice(-5).join('\n'));
};
