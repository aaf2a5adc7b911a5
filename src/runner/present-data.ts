import { dirname, resolve } from 'node:path';
import { findRow, registry } from '../registry/rows.ts';
import type { Run } from '../plan/plan.ts';
import type { RecordedRun } from '../record/read-runs.ts';
import { listSweeps } from '../record/read-sweeps.ts';
import { markStale } from './staleness.ts';

/** Marks the runs that would not be trained the same way today, by the data and the code as they are now. */
export const markStaleNow = async (
  runs: readonly RecordedRun[],
  runsDirectory: string,
): Promise<RecordedRun[]> => {
  const folders = new Map<string, string>();
  for (const { plan } of listSweeps(runsDirectory).sweeps) {
    const folder = dirname(resolve(plan.spec.path));
    for (const run of plan.runs) if (!folders.has(keyOf(run))) folders.set(keyOf(run), folder);
  }
  const digests = new Map<string, string | undefined>();
  const dataOf = (run: Run) => JSON.stringify([run.config.dataset, folders.get(keyOf(run))]);
  for (const { run, state } of runs) {
    const data = dataOf(run);
    const folder = folders.get(keyOf(run));
    if (state !== 'done' || folder === undefined || digests.has(data)) continue;
    digests.set(data, await digestOf(run, folder));
  }
  return markStale(runs, (run) => digests.get(dataOf(run)));
};

const keyOf = ({ experiment, id }: Run): string => `${experiment}/${id}`;

/** The digest of a run's data as it is now; undefined if it cannot be read, or if the dataset is not one of Unroll's. */
const digestOf = async ({ config: { dataset } }: Run, baseDirectory: string): Promise<string | undefined> => {
  try {
    return await findRow(registry.dataset, dataset.name)?.digest(dataset, { baseDirectory });
  } catch {
    return undefined;
  }
};
