import { unreachable } from '../diagnostic/diagnostic.ts';
import type { Plan, Run } from '../plan/plan.ts';
import type { OutcomeReason, RunOutcome } from '../record/events.ts';
import { listRuns } from '../record/read-runs.ts';
import type { StatusFile } from '../record/run-files.ts';
import { runDirectory } from '../record/run-recorder.ts';
import { type RecordedRun, stateOf, type RunState } from '../record/run-state.ts';
import { changesSince, sentence, settingsKey } from './staleness.ts';

/** A run of a plan with its state on disk. */
export interface RunStanding {
  readonly run: Run;
  readonly state: RunState;
  /** Why it is in that state; empty when there is nothing to add. */
  readonly reason: string;
  /** How it ended last, where it did. */
  readonly outcome: RunOutcome | null;
  /** How often it was begun. */
  readonly attempt: number;
}

/** Steps that need not be trained again: a checkpoint has them. */
export const stepsDone = ({ run, outcome }: RunStanding): number =>
  outcome?.reason === 'interrupted' || outcome?.reason === 'pruned'
    ? outcome.step
    : (run.continues?.step ?? 0);

/**
 * The state of each run of a plan in a runs directory. `stale`: nothing is recorded of the run itself, but a finished run
 * of the same settings is, made with other data or other code.
 */
export const runStandings = (plan: Plan, runsDirectory: string): readonly RunStanding[] => {
  const { runs: recorded, damaged } = listRuns(runsDirectory, { experiment: plan.experiment });
  const byId = new Map(recorded.map((one) => [one.run.id, one]));
  const earlierOf = finishedElsewhere(plan, recorded);
  return plan.runs.map((run): RunStanding => {
    const known = byId.get(run.id);
    if (known && known.state !== 'new') {
      const { state, reason, status } = known;
      return { run, state, reason, outcome: status?.outcome ?? null, attempt: status?.attempt ?? 0 };
    }
    const lost = damaged.get(runDirectory(runsDirectory, run));
    const earlier = lost ? undefined : earlierOf(run);
    if (!earlier) return { run, state: 'new', reason: lost?.message ?? '', outcome: null, attempt: 0 };
    const reason = `${sentence(changesSince(earlier, run))} Finished before as ${earlier.id}.`;
    return { run, state: 'stale', reason, outcome: null, attempt: 0 };
  });
};

/** Finds the last finished run outside of the plan that has a planned run's settings. */
const finishedElsewhere = (plan: Plan, recorded: readonly RecordedRun[]) => {
  const planned = new Set(plan.runs.map(({ id }) => id));
  const earlier = new Map<string, Run>();
  for (const { run, state } of recorded) {
    if (state !== 'done' || planned.has(run.id)) continue;
    const key = settingsKey(run);
    // The last begun comes first.
    if (!earlier.has(key)) earlier.set(key, run);
  }
  return (run: Run): Run | undefined => (earlier.size > 0 ? earlier.get(settingsKey(run)) : undefined);
};

/** Failures that would come out the same again: they are repeated only when asked for. */
const comesBack: ReadonlySet<OutcomeReason> = new Set<OutcomeReason>(['diverged', 'failed']);

/** Which runs of a plan a command is about. */
export interface Selection {
  /** Also what is done or failed, from the start. */
  readonly force: boolean;
  /** Also what failed by itself. */
  readonly retryFailed: boolean;
  /** Ids of the runs that may be trained; all where absent. */
  readonly only?: ReadonlySet<string>;
  /** How many are trained at most. */
  readonly limit?: number;
  /** How many of the plan may ever be begun. */
  readonly budget?: number;
}

/** A selection within the budget of a plan. */
export const withBudget = (selection: Selection, { execution: { budget } }: Plan): Selection =>
  budget && budget.runs !== null ? { ...selection, budget: budget.runs } : selection;

/** What a selection makes of a plan, in its order. */
export interface Selected {
  /** What must be trained now. */
  readonly toTrain: readonly RunStanding[];
  /** What the command is responsible for: what must be trained, and what is settled already. */
  readonly chosen: readonly Run[];
}

export const selectRuns = (standings: readonly RunStanding[], selection: Selection): Selected => {
  const { only, limit = Infinity, budget = Infinity } = selection;
  const begun = standings.filter(({ attempt }) => attempt > 0).length;
  let left = Math.max(0, budget - begun);
  const affordable = ({ attempt }: RunStanding) => attempt > 0 || left-- > 0;
  const allowed = standings.filter(({ run }) => !only || only.has(run.id));
  const missing = allowed.filter((one) => isMissing(one, selection));
  const toTrain = missing.filter(affordable).slice(0, limit);
  const now = new Set(toTrain);
  return {
    toTrain,
    chosen: allowed.filter((one) => now.has(one) || !isMissing(one, selection)).map(({ run }) => run),
  };
};

/** Whether a run with this status has a final end, unless the user asks for another try. */
export const isSettled = (status: StatusFile, directory: string): boolean =>
  !isMissing(
    { state: stateOf(status, directory), outcome: status.outcome },
    { force: false, retryFailed: false },
  );

/** Whether a run has an end that counts, good or bad. */
export const hasEnded = (standing: Pick<RunStanding, 'state' | 'outcome'>): boolean =>
  standing.state === 'pruned' || !isMissing(standing, { force: false, retryFailed: false });

/** Whether a run must be trained now. */
const isMissing = (
  { state, outcome }: Pick<RunStanding, 'state' | 'outcome'>,
  { force, retryFailed }: Pick<Selection, 'force' | 'retryFailed'>,
): boolean => {
  switch (state) {
    case 'new':
    case 'stale':
    case 'interrupted':
    // Who trains it may give it up undone; until then the scheduler leaves it alone.
    case 'running':
    // Without its sweep's pruning it is a run like any other, and resumes from its checkpoint.
    case 'pruned':
      return true;
    case 'failed':
      return force || retryFailed || !outcome || !comesBack.has(outcome.reason);
    case 'done':
      return force;
    default:
      return unreachable(state);
  }
};
