import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from '../../diagnostic/diagnostic.ts';
import type { Plan } from '../../plan/plan.ts';
import { fileNames } from '../../record/run-files.ts';
import { readTrackedRun, type TrackedRun } from '../journal/record.ts';

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

/** The runs of a plan as they are recorded, and why some cannot be read. `refresh` reads those that may have changed. */
export const watchRecords = (runsDirectory: string, planNow: () => Plan) => {
  const records = new Map<string, TrackedRun>();
  /** Runs that the server has whole, with the age of their status then: a failed run may be tried again. */
  const complete = new Map<string, number>();
  const ages = new Map<string, number>();
  const problems = new Map<string, readonly Diagnostic[]>();
  const folder = join(runsDirectory, planNow().experiment);
  const statusAge = (id: string) => changedAt(join(folder, id, fileNames.status));

  const refresh = (): ReadonlyMap<string, TrackedRun> => {
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
      const read = readTrackedRun(join(folder, id));
      if (read.ok) problems.delete(id);
      else problems.set(id, read.errors);
      if (read.ok && read.value) records.set(id, read.value);
    }
    return records;
  };
  const incomplete = (): ReadonlyMap<string, TrackedRun> =>
    new Map([...records].filter(([id]) => !complete.has(id)));
  const markComplete = (id: string) => complete.set(id, ages.get(id) ?? 0);
  return { refresh, incomplete, markComplete, all: records, problems };
};
