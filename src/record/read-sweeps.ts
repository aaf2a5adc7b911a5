import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Diagnostic, type Result, success } from '../diagnostic/diagnostic.ts';
import type { Plan } from '../plan/plan.ts';
import { readFrozenPlan } from './frozen-plan.ts';
import { interruptionOf } from '../system/system-error.ts';
import { listExperiments, unlessUnreadable, type RunList } from './read-runs.ts';
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
    const files = unlessUnreadable(directory, () => success(jsonFilesIn(directory)));
    if (!files.ok) problems.push(...files.errors.map(asWarning));
    for (const file of files.ok ? files.value : []) {
      const path = join(directory, file);
      const read = unlessUnreadable(path, () => readSweep(path));
      if (!read.ok) problems.push(...read.errors.map(asWarning));
      else if (read.value) {
        sweeps.push(read.value.sweep);
        if (read.value.damage) problems.push(read.value.damage);
      }
    }
  }
  sweeps.sort((a, b) => b.frozenAt - a.frozenAt);
  return { sweeps, problems };
};

/** Why runs and sweeps cannot be read, each once: below a folder that cannot be read nothing can be. */
export const allProblems = (
  { damaged }: Pick<RunList, 'damaged'>,
  ofSweeps: readonly Diagnostic[],
): readonly Diagnostic[] => [
  ...damaged.values(),
  ...ofSweeps.filter(({ message }) => ![...damaged.keys()].some((path) => message.startsWith(`${path}/`))),
];

const asWarning = (problem: Diagnostic): Diagnostic => ({ ...problem, severity: 'warning' });

const readSweep = (
  path: string,
): Result<{ readonly sweep: RecordedSweep; readonly damage: Diagnostic | undefined } | undefined> => {
  const read = readFrozenPlan(path);
  if (!read.ok) return read;
  const plan = read.value;
  if (!plan) return success(undefined);
  const damage = journalDamage(plan, path);
  return success({
    sweep: { path, plan: grownPlan(plan, path), frozenAt: statSync(path).mtimeMs },
    damage,
  });
};

const jsonFilesIn = (directory: string): string[] => {
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  } catch (error) {
    if (interruptionOf(error)) throw error;
    return [];
  }
};
