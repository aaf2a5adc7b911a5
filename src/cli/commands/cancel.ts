import { resolve } from 'node:path';
import { cancelBatches } from '../../executor/slurm/cancel.ts';
import { batchesDirectory } from '../../executor/slurm/folder.ts';
import { counted } from '../../terminal/format.ts';
import type { Execute } from '../command.ts';
import { findSweep } from '../recorded.ts';

interface Options {
  readonly runsDirectory: string;
  readonly json?: boolean | undefined;
}

/** `unroll cancel [SWEEP]` */
export const execute: Execute<Options> = async (words, options, terminal) => {
  const found = findSweep(options.runsDirectory, words[0], 'resume');
  if (!found.ok) {
    terminal.report(found.errors, options);
    return 2;
  }
  const { sweepId } = found.value;
  const cancelled = await cancelBatches(resolve(batchesDirectory(options.runsDirectory, found.value)));
  if (!cancelled.ok) {
    terminal.report(cancelled.errors, options);
    return 2;
  }
  const { tasks } = cancelled.value;
  if (options.json) terminal.print(JSON.stringify({ sweepId, tasks }, null, 2));
  else if (tasks === 0) terminal.print(`No job of the sweep ${sweepId} is queued or running.`);
  else
    terminal.print(
      `Cancelled ${counted(tasks, 'job')} of the sweep ${sweepId}. Recorded steps are kept, and running runs have written a checkpoint.`,
    );
  return 0;
};
