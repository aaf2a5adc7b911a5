import { join } from 'node:path';
import type { Diagnostic } from '../../diagnostic/diagnostic.ts';
import type { Plan } from '../../plan/plan.ts';
import { listRunIds } from '../../record/read-runs.ts';
import { listSweeps } from '../../record/read-sweeps.ts';
import { readTrackedRun, type TrackedRun } from './record.ts';

/** Where a sweep's outbox and its own files lie: beside its frozen plan. */
export const sweepDirectory = (runsDirectory: string, plan: Pick<Plan, 'experiment' | 'sweepId'>): string =>
  join(runsDirectory, plan.experiment, 'sweeps', plan.sweepId);

/** What belongs together on the server: a sweep's runs under their parent, or runs without one. */
export interface RecordedGroup {
  readonly plan: Plan | undefined;
  /** Records of begun runs that belong to this group, by run id. */
  readonly own: ReadonlyMap<string, TrackedRun>;
  /** Records of all begun runs of the plan: a run that two sweeps share belongs to the later one. */
  readonly all: ReadonlyMap<string, TrackedRun>;
}

/** Everything that an experiment has recorded, and what of it cannot be read. */
export const recordedGroups = (
  runsDirectory: string,
  experiment: string,
): { readonly groups: readonly RecordedGroup[]; readonly problems: readonly Diagnostic[] } => {
  const records = new Map<string, TrackedRun>();
  const { sweeps, problems: damagedSweeps } = listSweeps(runsDirectory, { experiment });
  const problems = [...damagedSweeps];
  for (const id of listRunIds(runsDirectory, experiment)) {
    const read = readTrackedRun(join(runsDirectory, experiment, id));
    if (!read.ok) problems.push(...read.errors);
    else if (read.value) records.set(id, read.value);
  }
  const left = new Map(records);
  const groups: RecordedGroup[] = sweeps.map(({ plan }) => {
    const pick = (from: ReadonlyMap<string, TrackedRun>) =>
      new Map(
        plan.runs.flatMap(({ id }) => (from.has(id) ? [[id, from.get(id) as TrackedRun] as const] : [])),
      );
    const group = { plan, own: pick(left), all: pick(records) };
    for (const id of group.own.keys()) left.delete(id);
    return group;
  });
  if (left.size > 0) groups.push({ plan: undefined, own: left, all: left });
  return { groups, problems };
};
