import { join } from 'node:path';
import type { Execution } from '../language/config.ts';
import type { Plan } from '../plan/plan.ts';
import { readJson, writeJson } from '../system/files.ts';
import { grownPlan } from './search-journal.ts';

/** Where a sweep's frozen plan lies. */
export const frozenPlanPath = (
  runsDirectory: string,
  { experiment, sweepId }: Pick<Plan, 'experiment' | 'sweepId'>,
): string => join(runsDirectory, experiment, 'sweeps', `${sweepId}.json`);

/**
 * Freezes a plan when its sweep starts: from then on neither the spec's edits nor a machine with other cores touch it.
 * A plan that is frozen already keeps the threads and kernels a run was promised, because they decide the bits of its
 * numbers.
 */
export const freezePlan = (plan: Plan, runsDirectory: string): Plan => {
  const path = frozenPlanPath(runsDirectory, plan);
  const before = readJson<Plan>(path)?.execution;
  const execution = withThreads(plan.execution, before?.threadsPerRun ?? plan.execution.threadsPerRun);
  const kernels = { ...execution.kernels, ...before?.kernels };
  const frozen = { ...plan, execution: { ...execution, kernels } };
  writeJson(path, frozen);
  return grownPlan(frozen, path);
};

/** An execution with other threads for each run, within the same cores. */
export const withThreads = (execution: Execution, threadsPerRun: number): Execution => {
  const rest = { ...execution };
  delete rest.automatic;
  if (threadsPerRun === rest.threadsPerRun) return rest;
  // Fewer were chosen because more of them get less done.
  if (threadsPerRun < rest.threadsPerRun) delete rest.cores;
  const threads = rest.concurrency * rest.threadsPerRun;
  return { ...rest, threadsPerRun, concurrency: Math.max(1, Math.floor(threads / threadsPerRun)) };
};
