import { failed, failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import { readRun } from '../record/read-runs.ts';
import { bestPrefix, resolveRun } from '../record/resolve-run.ts';
import type { RecordedRun } from '../record/run-state.ts';
import { proposedCommand } from '../system/proposed-command.ts';
import { chooseSweeps, compareSweeps, runsOfSweeps } from './chosen-sweeps.ts';
import { bestRunOf } from './render-compare.ts';

/** The best run of the best configuration of an experiment's latest sweep, as `unroll compare` ranks them. */
export const bestRun = (runsDirectory: string, experiment: string): Result<RecordedRun> => {
  const chosen = chooseSweeps(runsDirectory, { names: [experiment] });
  if (!chosen.ok) return chosen;
  const comparison = compareSweeps(chosen.value, runsOfSweeps(chosen.value, runsDirectory).runs);
  const best = comparison.configurations.find((one) => one.best);
  const { directory } = (best && bestRunOf(best, comparison.objective.goal)) ?? {};
  if (directory !== undefined && directory !== null) return readRun(directory);
  const metric = comparison.objective.metric;
  return failure({
    code: 'unknown-run',
    severity: 'error',
    message: `No run of the latest sweep of ${experiment} is done with a ${metric}, so none is the best.`,
    expected: 'an experiment with a finished run',
    got: experiment,
    help: `\`${proposedCommand(['compare', experiment], runsDirectory)}\` shows its runs; \`${proposedCommand(['resume', experiment], runsDirectory)}\` trains what is left.`,
  });
};

/** The directory of the run that a reference names: the beginning of its id, its directory, or `best:EXPERIMENT`. */
export const referredDirectory = (from: string, runsDirectory: string): Result<string> => {
  if (!from.startsWith(bestPrefix)) return resolveRun(runsDirectory, from);
  const best = bestRun(runsDirectory, from.slice(bestPrefix.length));
  return best.ok ? success(best.value.directory) : failed(best.errors.map(withPrefix));
};

/** The run that a reference names. */
export const referredRun = (from: string, runsDirectory: string): Result<RecordedRun> => {
  const directory = referredDirectory(from, runsDirectory);
  return directory.ok ? readRun(directory.value) : directory;
};

const withPrefix = (error: Diagnostic): Diagnostic =>
  error.nearest === undefined
    ? error
    : {
        ...error,
        nearest: `${bestPrefix}${error.nearest}`,
        help: `Did you mean ${bestPrefix}${error.nearest}?`,
      };
