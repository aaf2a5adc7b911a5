import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { Plan } from '../plan/plan.ts';
import { damaged } from './parse-run-files.ts';
import { listExperiments } from './read-runs.ts';
import { readPlan } from './search-journal.ts';

/** A sweep's frozen plan, and when it was frozen (milliseconds since 1970). */
export interface RecordedSweep {
  readonly path: string;
  readonly plan: Plan;
  readonly frozenAt: number;
}

/** The frozen plans of an experiment, or of all; the newest first. */
export const listSweeps = (
  runsDirectory: string,
  { experiment }: { readonly experiment?: string } = {},
): { readonly sweeps: readonly RecordedSweep[]; readonly problems: readonly Diagnostic[] } => {
  const sweeps: RecordedSweep[] = [];
  const problems: Diagnostic[] = [];
  for (const name of experiment === undefined ? listExperiments(runsDirectory) : [experiment]) {
    const directory = join(runsDirectory, name, 'sweeps');
    for (const file of jsonFilesIn(directory)) {
      const path = join(directory, file);
      const plan = readPlan(path) as Partial<Plan> | undefined;
      if (Array.isArray(plan?.runs) && Array.isArray(plan.axes) && plan.objective) {
        sweeps.push({ path, plan: plan as Plan, frozenAt: statSync(path).mtimeMs });
      } else {
        problems.push({
          ...damaged(path, 'is not a whole plan'),
          help: 'Delete it and run the spec again: recorded runs are kept and not trained again.',
        });
      }
    }
  }
  sweeps.sort((a, b) => b.frozenAt - a.frozenAt);
  return { sweeps, problems };
};

const jsonFilesIn = (directory: string): string[] => {
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  } catch {
    return [];
  }
};
