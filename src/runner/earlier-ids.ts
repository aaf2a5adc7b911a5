import { namesFiles, runIdOf } from '../plan/run-identity.ts';
import type { Plan, Run } from '../plan/plan.ts';
import { sweepIdOf } from '../plan/unroll-spec.ts';
import { listRuns } from '../record/read-runs.ts';

/**
 * A plan in which runs keep the ids they were recorded by. Up to version 0.1 the path of a data file was part of an id, so
 * a recorded run may have another id than the same run planned today; its record, its sweep and its frozen plan are found
 * by the old one.
 */
export const withEarlierIds = (plan: Plan, runsDirectory: string): Plan => {
  if (!plan.runs.some(namesFiles)) return plan;
  const recorded = listRuns(runsDirectory, { experiment: plan.experiment }).runs.map(({ run }) => run);
  const ids = new Set(recorded.map(({ id }) => id));
  const earlier = new Map<string, Run>();
  for (const run of recorded) {
    const id = runIdOf(run);
    // The last begun comes first.
    if (id !== run.id && !ids.has(id) && !earlier.has(id)) earlier.set(id, run);
  }
  if (earlier.size === 0) return plan;
  const cells = new Map<string, string>();
  for (const { id, cell } of plan.runs) {
    const known = earlier.get(id);
    if (known) cells.set(cell, known.cell);
  }
  const runs = plan.runs.map((run) => ({
    ...run,
    id: earlier.get(run.id)?.id ?? run.id,
    cell: cells.get(run.cell) ?? run.cell,
  }));
  return { ...plan, runs, sweepId: sweepIdOf(runs, plan.search) };
};
