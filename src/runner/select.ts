import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { unreachable } from '../diagnostic/diagnostic.ts';
import type { Plan, Run } from '../spec/plan.ts';
import type { OutcomeReason, RunOutcome } from '../tracking/events.ts';
import { readJson } from '../tracking/files.ts';
import { fileNames, type StatusFile } from '../tracking/run-files.ts';
import { runDirectory } from '../tracking/run-recorder.ts';
import { stateOf, type RunState } from '../tracking/run-state.ts';

/** A run of a plan with how it stands on disk. */
export interface RunStanding {
  readonly run: Run;
  readonly state: RunState;
  /** How it ended last, where it did. */
  readonly outcome: RunOutcome | null;
}

/** How each run of a plan stands in a runs directory. */
export const runStandings = (plan: Plan, runsDirectory: string): readonly RunStanding[] => {
  const known = existsSync(join(runsDirectory, plan.experiment));
  return plan.runs.map((run) => {
    const path = join(runDirectory(runsDirectory, run), fileNames.status);
    const status = (known && readJson<StatusFile>(path)) || null;
    return { run, state: stateOf(status), outcome: status?.outcome ?? null };
  });
};

/** Failures that would come out the same again: they are repeated only when asked for. */
const comesBack: ReadonlySet<OutcomeReason> = new Set<OutcomeReason>(['diverged', 'failed']);

export interface Selection {
  /** Also what is done or failed, from the start. */
  readonly force: boolean;
  /** Also what failed by itself. */
  readonly retryFailed: boolean;
}

/** Whether a run is to be trained now. */
export const isMissing = ({ state, outcome }: RunStanding, { force, retryFailed }: Selection): boolean => {
  switch (state) {
    case 'new':
    case 'interrupted':
      return true;
    case 'failed':
      return force || retryFailed || !outcome || !comesBack.has(outcome.reason);
    case 'done':
      return force;
    case 'running':
      return false;
    default:
      return unreachable(state);
  }
};

/** Removes what is recorded of runs that are to be trained from the start. */
export const forgetRuns = (runs: readonly Run[], runsDirectory: string): void => {
  for (const run of runs) rmSync(runDirectory(runsDirectory, run), { recursive: true, force: true });
};
