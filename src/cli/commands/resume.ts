import type { Execute } from '../command.ts';
import { findSweep } from '../recorded.ts';
import { trainPlan, type TrainOptions } from '../train-plan.ts';

/** `unroll resume [SWEEP]` */
export const execute: Execute = async (words, options, terminal) => {
  const given = options as unknown as TrainOptions;
  const found = findSweep(given.runsDirectory, words[0], 'resume');
  if (!found.ok) {
    terminal.report(found.errors, options);
    return 2;
  }
  return await trainPlan(found.value, given, { terminal, command: 'resume' });
};
