import { failure, success, type Result } from '../diagnostic/diagnostic.ts';
import { filterRuns } from '../report/filter.ts';
import { runStandings, type Selection } from '../runner/select.ts';
import type { Plan } from '../plan/plan.ts';
import { proposedCommand } from '../system/proposed-command.ts';
import { commandLineRange } from './usage.ts';

/** The options of `plan`, `run` and `resume` that choose among the runs of a plan, as commander reads them. */
export interface SelectionOptions {
  readonly runsDirectory: string;
  readonly json?: boolean | undefined;
  readonly force?: boolean | undefined;
  readonly retryFailed?: boolean | undefined;
  readonly only?: readonly string[] | undefined;
  readonly limit?: number | undefined;
}

/** Which runs the command line asks for. */
export const readSelection = (plan: Plan, options: SelectionOptions, command: string): Result<Selection> => {
  const { force = false, retryFailed = false, only, limit, runsDirectory } = options;
  const rest = { force, retryFailed, ...(limit !== undefined && { limit }) };
  if (!only) return success(rest);
  const at = (text: string) => commandLineRange([command, '--only', text], text);
  // What a search chooses next follows from the results of all its points: a part of them would be another search.
  if (plan.search && command !== 'plan') {
    return failure({
      code: 'bad-argument',
      severity: 'error',
      message: 'A search chooses its runs itself, so --only cannot choose among them.',
      at: at(only[0] ?? ''),
      expected: 'a sweep whose runs are all known before it starts',
      help: 'Leave --only out, or use --limit N to train N runs and continue later.',
    });
  }
  const kept = filterRuns(runStandings(plan, runsDirectory), only, { option: '--only', at });
  if (!kept.ok) return kept;
  if (kept.value.length === 0) {
    return failure({
      code: 'bad-argument',
      severity: 'error',
      message: `None of the plan's ${plan.runs.length} runs fits ${only.join(' and ')}.`,
      at: at(only.at(-1) ?? ''),
      expected: 'conditions that at least one run fits',
      help: `\`${proposedCommand(['plan', plan.spec.path], runsDirectory)}\` shows the settings and the state of each run.`,
    });
  }
  return success({ ...rest, only: new Set(kept.value.map(({ run }) => run.id)) });
};
