import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { failure, success, type Result } from '../diagnostic/diagnostic.ts';
import { nearest } from '../diagnostic/nearest.ts';
import type { Plan } from '../plan/plan.ts';
import { listExperiments } from '../record/read-runs.ts';
import { listSweeps } from '../record/read-sweeps.ts';
import { resolveRun } from '../record/resolve-run.ts';
import { commandLineRange } from './usage.ts';

const nothingRecorded = (runsDirectory: string): Diagnostic => ({
  code: 'unknown-run',
  severity: 'error',
  message: `No sweep is recorded in ${runsDirectory}.`,
  help: 'unroll run SPEC trains and records one; --runs-directory looks elsewhere.',
});

/** The frozen plan that a person means: a sweep id, the last sweep of an experiment, or the last of all. */
export const findSweep = (
  runsDirectory: string,
  wanted: string | undefined,
  command: string,
): Result<Plan> => {
  const { sweeps } = listSweeps(runsDirectory);
  const [latest] = sweeps;
  if (!latest) return failure(nothingRecorded(runsDirectory));
  if (wanted === undefined) return success(latest.plan);
  const found =
    sweeps.find(({ plan }) => plan.experiment === wanted) ??
    sweeps.find(({ plan }) => plan.sweepId.startsWith(wanted));
  if (found) return success(found.plan);
  return failure(
    unknownExperiment(wanted, { names: listExperiments(runsDirectory), runsDirectory, command }),
  );
};

/** Nothing is recorded under a name that was written on the command line. */
export const unknownExperiment = (
  wanted: string,
  { names, runsDirectory, command }: { names: readonly string[]; runsDirectory: string; command: string },
): Diagnostic => {
  const near = nearest(wanted, names);
  return {
    code: 'unknown-name',
    severity: 'error',
    message: `Nothing is recorded as "${wanted}" in ${runsDirectory}.`,
    at: commandLineRange([command, wanted], wanted),
    expected:
      names.length > 0
        ? `an experiment (${names.join(', ')}) or the id of a sweep`
        : 'a recorded experiment; there is none yet',
    ...(near && { nearest: near }),
    help: 'unroll ls lists what is recorded.',
  };
};

/** The directory of the run that a person means by an id or its first letters. */
export const findRun = (runsDirectory: string, written: string, command: string): Result<string> => {
  const found = resolveRun(runsDirectory, written);
  if (found.ok) return found;
  return failure(
    ...found.errors.map((error) => ({ at: commandLineRange([command, written], written), ...error })),
  );
};
