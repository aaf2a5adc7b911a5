import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { batchesDirectory } from '../executor/slurm/folder.ts';
import type { Plan } from '../plan/plan.ts';

/** Which of the other places has the runs of a sweep: Slurm's batches are beside the runs. */
export const executorOfSweep = (runsDirectory: string, plan: Plan): 'bullmq' | 'slurm' =>
  existsSync(resolve(batchesDirectory(runsDirectory, plan))) ? 'slurm' : 'bullmq';
