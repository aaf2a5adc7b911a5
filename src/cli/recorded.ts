import { type Diagnostic, failure, type Result, success } from '../diagnostic/diagnostic.ts';
import type { Plan } from '../plan/plan.ts';
import { referredDirectory } from '../report/best-run.ts';
import {
  type Choice,
  type ChosenSweeps,
  chooseSweeps,
  nothingRecorded,
  unknownExperiment,
} from '../report/chosen-sweeps.ts';
import { commandLineRange } from './usage.ts';

/** The frozen plan that you mean: a sweep id, the last sweep of an experiment, or the last of all. */
export const findSweep = (
  runsDirectory: string,
  wanted: string | undefined,
  command: string,
): Result<Plan> => {
  const chosen = readSweeps(runsDirectory, {
    command,
    names: wanted === undefined ? [] : [wanted],
    sweepIds: [],
    all: false,
  });
  if (!chosen.ok) return chosen;
  const [sweep] = chosen.value.sweeps;
  return sweep ? success(sweep.plan) : failure(nothingRecorded(runsDirectory));
};

/** The sweeps that a command line names; a diagnostic underlines the word that is wrong. */
export const readSweeps = (
  runsDirectory: string,
  { command, ...choice }: Required<Choice> & { readonly command: string },
): Result<ChosenSweeps> => {
  const chosen = chooseSweeps(runsDirectory, choice);
  if (chosen.ok) return chosen;
  const argv = [command, ...choice.names, ...choice.sweepIds.map((id) => `--sweep=${id}`)];
  return failure(...chosen.errors.map((error) => underlined(error, argv)));
};

/** Underlines the word that is wrong instead of repeating it. */
export const underlined = ({ got, ...error }: Diagnostic, argv: readonly string[]): Diagnostic =>
  got === undefined ? error : { at: commandLineRange(argv, got), ...error };

/** Nothing is recorded under a name that was written on the command line. */
export const unknownOnCommandLine = (
  wanted: string,
  { names, runsDirectory, command }: { names: readonly string[]; runsDirectory: string; command: string },
): Diagnostic => underlined(unknownExperiment(wanted, { names, runsDirectory }), [command, wanted]);

/** The directory of the run by an id, its first letters, or `best:EXPERIMENT`. */
export const findRun = (runsDirectory: string, written: string, command: string): Result<string> => {
  const found = referredDirectory(written, runsDirectory);
  if (found.ok) return found;
  return failure(
    ...found.errors.map((error) => ({ at: commandLineRange([command, written], written), ...error })),
  );
};
