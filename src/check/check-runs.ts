import { join } from 'node:path';
import type { Plan, Run } from '../plan/plan.ts';
import type { ReadProgress } from '../data/dataset.ts';
import { sizeOf } from '../record/removal.ts';
import { listExperiments, listRunIds } from '../record/read-runs.ts';
import { proposedCommand } from '../system/proposed-command.ts';
import { checkRun, type CheckedRun, type Expected } from './check-run.ts';
import { checkSweeps } from './check-sweeps.ts';
import { leftoversIn } from './leftovers.ts';
import { damage, type Problem } from './problem.ts';

/** What is checked: a runs directory, and in it one experiment or one run if not everything. */
export interface Scope {
  readonly runsDirectory: string;
  readonly experiment?: string;
  readonly run?: string;
}

export interface Checked {
  readonly runs: number;
  readonly sweeps: number;
  /** Runs that are being trained, which are not read. */
  readonly training: number;
  readonly problems: readonly Problem[];
}

/** Reads everything that is recorded, and returns what is not as it should be. Changes nothing. */
export const checkRuns = async (
  scope: Scope,
  reading: (progress: ReadProgress) => void = () => undefined,
): Promise<Checked> => {
  const { runsDirectory } = scope;
  const experiments = scope.experiment === undefined ? listExperiments(runsDirectory) : [scope.experiment];
  const all = experiments.map((name) => ({
    directory: join(runsDirectory, name),
    ids: listRunIds(runsDirectory, name).filter((id) => scope.run === undefined || id === scope.run),
  }));
  const sizes = new Map(
    all.flatMap(({ directory, ids }) =>
      ids.map((id) => [join(directory, id), sizeOf(join(directory, id)) ?? 0]),
    ),
  );
  const totalBytes = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  const problems: Problem[] = [];
  let [runs, sweeps, training, readBytes] = [0, 0, 0, 0];
  for (const { directory, ids } of all) {
    const found = checkSweeps(directory, runsDirectory);
    if (scope.run === undefined) {
      sweeps += found.count;
      problems.push(...found.problems, ...leftoversIn(directory));
    }
    const expected = expectedRuns(found.plans, runsDirectory);
    for (const id of ids) {
      const checked = await checkAny(join(directory, id), expected(id));
      readBytes += sizes.get(join(directory, id)) ?? 0;
      reading({ activity: 'checking', name: runsDirectory, readBytes, totalBytes });
      if (checked.state === 'running') training++;
      runs++;
      problems.push(...checked.problems);
    }
  }
  return { runs, sweeps, training, problems };
};

/** Finds what a run should be by the plans of its experiment, of which the last one that has it counts. */
const expectedRuns = (plans: readonly Plan[], runsDirectory: string): ((id: string) => Expected) => {
  const planned = new Map<string, { readonly run: Run; readonly sweepId: string }>();
  for (const { runs, sweepId } of plans) for (const run of runs) planned.set(run.id, { run, sweepId });
  return (id) => {
    const known = planned.get(id);
    return {
      planned: known?.run,
      training: known
        ? proposedCommand(['resume', known.sweepId], runsDirectory)
        : `Run its spec again, or delete it: ${proposedCommand(['rm', id, '--yes'], runsDirectory)}`,
    };
  };
};

const checkAny = async (directory: string, expected: Expected): Promise<CheckedRun> => {
  try {
    return await checkRun(directory, expected);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const unreadable = damage(directory, `cannot be read: ${message}`, {
      next: 'Make it readable, and check again.',
    });
    return { state: undefined, problems: [unreadable] };
  }
};
