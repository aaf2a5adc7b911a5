import { join } from 'node:path';
import type { Plan } from '../spec/plan.ts';
import { readJson, writeJson } from '../tracking/files.ts';
import { grownPlan } from '../tracking/search-journal.ts';

/** Where a sweep's frozen plan lies. */
export const frozenPlanPath = (
  runsDirectory: string,
  { experiment, sweepId }: Pick<Plan, 'experiment' | 'sweepId'>,
): string => join(runsDirectory, experiment, 'sweeps', `${sweepId}.json`);

/**
 * Freezes a plan when its sweep starts: from then on neither the spec's edits nor a machine with other cores touch it.
 * A plan that is frozen already keeps the threads a run was promised, because they decide the bits of its numbers.
 */
export const freezePlan = (plan: Plan, runsDirectory: string): Plan => {
  const path = frozenPlanPath(runsDirectory, plan);
  const before = readJson<Plan>(path);
  const { threadsPerRun } = before?.execution ?? plan.execution;
  const concurrency = Math.max(
    1,
    Math.floor((plan.execution.concurrency * plan.execution.threadsPerRun) / threadsPerRun),
  );
  const frozen = { ...plan, execution: { ...plan.execution, threadsPerRun, concurrency } };
  writeJson(path, frozen);
  return grownPlan(frozen, path);
};
