import { runJob } from '../../executor/slurm/job.ts';
import type { Execute } from '../command.ts';

/** `unroll slurm-job FOLDER TASK`, which a job of Slurm starts. */
export const execute: Execute = async ([folder = '', task = ''], _options, terminal) =>
  (await runJob(folder, Number(task), terminal.print)) ? 0 : 1;
