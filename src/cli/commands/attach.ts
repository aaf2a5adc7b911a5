import type { Execute } from '../command.ts';
import type { TrainOptions } from '../train-plan.ts';
import { execute as resume } from './resume.ts';

/** `unroll attach [SWEEP]`: resumes where the runs are queued, which collects what has ended there meanwhile. */
export const execute: Execute<TrainOptions> = (words, options, terminal) =>
  resume(words, { ...options, executor: options.executor ?? 'slurm' }, terminal);
