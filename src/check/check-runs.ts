import { join } from 'node:path';
import type { Plan, Run } from '../plan/plan.ts';
import type { ReadProgress } from '../data/dataset.ts';
import { sizeOf } from '../record/removal.ts';
import { listExperiments, listRunIds } from '../record/read-runs.ts';
import { proposedCommand } from '../system/proposed-command.ts';
import { systemErrorOf } from '../system/system-error.ts';
import { checkRun, type CheckedRun, type Expected } from './check-run.ts';
import { type CheckedSweeps, checkSweeps } from './check-sweeps.ts';
import { leftoversIn } from './leftovers.ts';
import { type Problem, reported } from './problem.ts';

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
  const problems: Problem[] = [];
  const attempt = <T>(path: string, otherwise: T, read: () => T): T => {
    try {
      return read();
    } catch (error) {
      problems.push(unreadable(path, error));
      return otherwise;
    }
  };
  const all = experiments.map((name) => {
    const directory = join(runsDirectory, name);
    const ids = attempt(directory, [], () => listRunIds(runsDirectory, name));
    return { directory, ids: ids.filter((id) => scope.run === undefined || id === scope.run) };
  });
  const sizes = new Map(
    all.flatMap(({ directory, ids }) => ids.map((id) => [id, readableBytes(join(directory, id))])),
  );
  const totalBytes = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  let [runs, sweeps, training, readBytes] = [0, 0, 0, 0];
  for (const { directory, ids } of all) {
    const found = attempt(directory, noSweeps, () => checkSweeps(directory, runsDirectory));
    if (scope.run === undefined) {
      sweeps += found.count;
      problems.push(...found.problems, ...attempt(directory, [], () => leftoversIn(directory)));
    }
    const expected = expectedRuns(found.plans, runsDirectory);
    for (const id of ids) {
      const checked = await checkAny(join(directory, id), expected(id));
      readBytes += sizes.get(id) ?? 0;
      reading({ activity: 'checking', name: runsDirectory, readBytes, totalBytes });
      if (checked.state === 'running') training++;
      runs++;
      problems.push(...checked.problems);
    }
  }
  return { runs, sweeps, training, problems: withoutRepeated(problems) };
};

const noSweeps: CheckedSweeps = { plans: [], count: 0, problems: [] };

/** A folder that cannot be read is met by each part of the check. */
const withoutRepeated = (problems: readonly Problem[]): readonly Problem[] => [
  ...new Map(problems.map((one) => [one.message, one])).values(),
];

/** What a folder takes; 0 if it cannot be read, which is reported when it is checked. */
const readableBytes = (path: string): number => {
  try {
    return sizeOf(path) ?? 0;
  } catch (error) {
    if (!systemErrorOf(error)) throw error;
    return 0;
  }
};

const unreadable = (path: string, error: unknown): Problem => {
  const trouble = systemErrorOf(error);
  if (!trouble) throw error;
  return reported(path, `${trouble.message}.`, { next: trouble.advice });
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
    return { state: undefined, problems: [unreadable(directory, error)] };
  }
};
