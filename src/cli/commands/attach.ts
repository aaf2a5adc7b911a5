import type { Execute } from '../command.ts';
import { executorOfSweep } from '../sweep-executor.ts';
import { findSweep } from '../recorded.ts';
import type { TrainOptions } from '../train-plan.ts';
import { execute as resume } from './resume.ts';

/** `unroll attach [SWEEP]`: resumes where the runs are queued, which collects what has ended there meanwhile. */
export const execute: Execute<TrainOptions> = (words, options, terminal) => {
  const found = findSweep(options.runsDirectory, words[0], 'resume');
  const executor =
    options.executor ?? (found.ok ? executorOfSweep(options.runsDirectory, found.value) : 'bullmq');
  return resume(words, { ...options, executor }, terminal);
};
