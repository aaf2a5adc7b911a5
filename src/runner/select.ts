import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { unreachable } from '../diagnostic/diagnostic.ts';
import type { Plan, Run } from '../spec/plan.ts';
import type { OutcomeReason, RunOutcome } from '../tracking/events.ts';
import { readJson } from '../tracking/files.ts';
import { isAlive } from '../tracking/process-identity.ts';
import { fileNames, type StatusFile } from '../tracking/run-files.ts';
import { runDirectory } from '../tracking/run-recorder.ts';

/** What is to be done with a run of the plan, and why. */
export type Standing =
  /** Never begun. */
  | 'new'
  /** Its end evaluation is recorded: it is never trained again, unless forced. */
  | 'done'
  /** A living process has it. */
  | 'running'
  /** It would end the same way again (NaN loss, wrong data): repeated only when asked for. */
  | 'failed'
  /** It was cut off from outside: goes on from its checkpoint. */
  | 'interrupted';

export const standings = ['new', 'interrupted', 'running', 'failed', 'done'] as const satisfies Standing[];

const standingOfReason = (reason: OutcomeReason): Standing => {
  switch (reason) {
    case 'completed':
      return 'done';
    case 'diverged':
    case 'failed':
      return 'failed';
    case 'crashed':
    case 'out-of-memory':
    case 'timed-out':
    case 'interrupted':
    case 'killed':
      return 'interrupted';
    case 'not-started':
      return 'new';
    default:
      return unreachable(reason);
  }
};

/** A run with how it stands on disk. */
export interface RunStanding {
  readonly run: Run;
  readonly standing: Standing;
  /** How it ended last, where it did. */
  readonly outcome: RunOutcome | null;
}

/** How each run of a plan stands in a runs directory. */
export const runStandings = (plan: Plan, runsDirectory: string): readonly RunStanding[] => {
  const known = existsSync(join(runsDirectory, plan.experiment));
  return plan.runs.map((run) => {
    const status = known
      ? readJson<StatusFile>(join(runDirectory(runsDirectory, run), fileNames.status))
      : undefined;
    if (!status) return { run, standing: 'new', outcome: null };
    if (status.state === 'running') {
      const alive = status.holder !== null && isAlive(status.holder);
      return { run, standing: alive ? 'running' : 'interrupted', outcome: null };
    }
    return {
      run,
      standing: status.outcome ? standingOfReason(status.outcome.reason) : 'interrupted',
      outcome: status.outcome,
    };
  });
};

/** The runs that are to be trained now. */
export const selectRuns = (
  all: readonly RunStanding[],
  { force, retryFailed }: { readonly force: boolean; readonly retryFailed: boolean },
): readonly Run[] =>
  all
    .filter(({ standing }) => {
      switch (standing) {
        case 'new':
        case 'interrupted':
          return true;
        case 'failed':
          return force || retryFailed;
        case 'done':
          return force;
        case 'running':
          return false;
        default:
          return unreachable(standing);
      }
    })
    .map(({ run }) => run);

/** Removes what is recorded of runs that are to be trained from the start. */
export const forgetRuns = (runs: readonly Run[], runsDirectory: string): void => {
  for (const run of runs) rmSync(runDirectory(runsDirectory, run), { recursive: true, force: true });
};
