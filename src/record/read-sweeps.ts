import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { Plan } from '../plan/plan.ts';
import { readFrozenPlan } from './frozen-plan.ts';
import { listExperiments } from './read-runs.ts';
import { grownPlan, journalDamage } from './search-journal.ts';

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
      const read = readFrozenPlan(path);
      if (!read.ok)
        problems.push(...read.errors.map((error) => ({ ...error, severity: 'warning' as const })));
      else if (read.value) {
        const damage = journalDamage(read.value, path);
        if (damage) problems.push(damage);
        sweeps.push({ path, plan: grownPlan(read.value, path), frozenAt: statSync(path).mtimeMs });
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
