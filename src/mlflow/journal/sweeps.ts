import { join } from 'node:path';
import type { Plan } from '../../plan/plan.ts';
import { listRunIds } from '../../record/read-runs.ts';
import { listSweeps } from '../../record/read-sweeps.ts';
import { readRecord, type RunRecord } from './record.ts';

/** Where a sweep's outbox and its own files lie: beside its frozen plan. */
export const sweepDirectory = (runsDirectory: string, plan: Pick<Plan, 'experiment' | 'sweepId'>): string =>
  join(runsDirectory, plan.experiment, 'sweeps', plan.sweepId);

/** What stands together on the server: a sweep's runs under their parent, or runs without one. */
export interface RecordedGroup {
  readonly plan: Plan | undefined;
  /** Records of begun runs that belong to this group, by run id. */
  readonly own: ReadonlyMap<string, RunRecord>;
  /** Records of all begun runs of the plan: a run that two sweeps share belongs to the later one. */
  readonly all: ReadonlyMap<string, RunRecord>;
}

/** Everything that an experiment has recorded. */
export const recordedGroups = (runsDirectory: string, experiment: string): readonly RecordedGroup[] => {
  const records = new Map<string, RunRecord>();
  for (const id of listRunIds(runsDirectory, experiment)) {
    const record = readRecord(join(runsDirectory, experiment, id));
    if (record) records.set(id, record);
  }
  const left = new Map(records);
  const groups: RecordedGroup[] = listSweeps(runsDirectory, { experiment }).sweeps.map(({ plan }) => {
    const pick = (from: ReadonlyMap<string, RunRecord>) =>
      new Map(
        plan.runs.flatMap(({ id }) => (from.has(id) ? [[id, from.get(id) as RunRecord] as const] : [])),
      );
    const group = { plan, own: pick(left), all: pick(records) };
    for (const id of group.own.keys()) left.delete(id);
    return group;
  });
  return left.size > 0 ? [...groups, { plan: undefined, own: left, all: left }] : groups;
};
