import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan } from '../../plan/plan.ts';
import { fileNames } from '../../record/run-files.ts';
import { readRecord, type RunRecord } from '../journal/record.ts';

const changedAt = (path: string): number => {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return 0;
  }
};

const namesIn = (folder: string): ReadonlySet<string> => {
  try {
    return new Set(readdirSync(folder));
  } catch {
    return new Set();
  }
};

/** Keeps an eye on the runs of a plan: rereads those that may have changed. */
export const watchRecords = (runsDirectory: string, planNow: () => Plan) => {
  const records = new Map<string, RunRecord>();
  /** Runs that the server has whole, with the age of their status then: a failed run may be tried again. */
  const complete = new Map<string, number>();
  const ages = new Map<string, number>();
  const folder = join(runsDirectory, planNow().experiment);
  const statusAge = (id: string) => changedAt(join(folder, id, fileNames.status));

  const refresh = (): ReadonlyMap<string, RunRecord> => {
    const present = namesIn(folder);
    for (const { id } of planNow().runs) {
      if (!present.has(id)) continue;
      const known = complete.get(id);
      if (known !== undefined) {
        if (records.get(id)?.status?.outcome?.reason === 'completed' || known === statusAge(id)) continue;
        complete.delete(id);
      }
      // Taken before: a status that changes while it is read counts as another one.
      ages.set(id, statusAge(id));
      const record = readRecord(join(folder, id));
      if (record) records.set(id, record);
    }
    return records;
  };
  const incomplete = (): ReadonlyMap<string, RunRecord> =>
    new Map([...records].filter(([id]) => !complete.has(id)));
  const markComplete = (id: string) => complete.set(id, ages.get(id) ?? 0);
  return { refresh, incomplete, markComplete, all: records };
};
