import { dirname, resolve } from 'node:path';
import type { Plan, Run } from '../spec/plan.ts';
import type { RunListener, RunOutcome } from '../tracking/events.ts';
import { captureEnvironment } from './environment.ts';
import { freezePlan } from './frozen-plan.ts';
import { scheduleRuns } from './schedule.ts';
import { runStandings, selectRuns, withBudget, type Selection } from './select.ts';

/**
 * The way of the data:
 *
 *     text ─ load ─▶ document ─ validate ─▶ spec ─ unroll ─▶ plan ─ freeze ─▶ plan ─ select ─▶ runs
 *          └──────────── src/spec ───────────────────────┘
 *     runs ─ schedule ─▶ train (child processes) ─▶ events ─▶ record (run directories, console, MLflow) ─▶ compare
 *                                                                                          └─ src/report ─┘
 *
 * `src/spec/plan-experiment.ts` is the first line, this file the second.
 */
export interface ExperimentOptions {
  readonly runsDirectory: string;
  readonly selection: Selection;
  readonly commandLine: string;
  /** The folder that `loadPlanCode` answers. */
  readonly bundle: string | undefined;
  readonly listener: RunListener;
  /** First Ctrl-C: running runs end in order. */
  readonly stop: AbortSignal;
  /** Second Ctrl-C: everything ends at once. */
  readonly kill: AbortSignal;
}

/** How a sweep ended: each run's outcome, those recorded before included. */
export interface ExperimentOutcome {
  readonly plan: Plan;
  /** What the command answers for. */
  readonly chosen: readonly Run[];
  /** What was trained now. */
  readonly trained: readonly Run[];
  readonly outcomes: Readonly<Record<string, RunOutcome>>;
}

/** Trains what is missing of a plan, and says how every run of it stands. */
export const runExperiment = async (
  planned: Plan,
  options: ExperimentOptions,
): Promise<ExperimentOutcome> => {
  const { runsDirectory, listener, stop, kill } = options;
  const specDirectory = dirname(resolve(planned.spec.path));

  const plan = freezePlan(planned, runsDirectory);
  const standings = runStandings(plan, runsDirectory);
  const { toTrain, chosen } = selectRuns(standings, withBudget(options.selection, plan));

  const environment = await captureEnvironment(specDirectory, options.commandLine);
  const { concurrency, threadsPerRun } = plan.execution;
  const time = Date.now();
  listener({
    type: 'sweep-started',
    time,
    runCount: plan.runs.length,
    toRun: toTrain.length,
    concurrency,
    threadsPerRun,
  });

  const fresh = await scheduleRuns(plan, toTrain, {
    runsDirectory,
    environment,
    baseDirectory: specDirectory,
    bundle: options.bundle,
    fromTheStart: options.selection.force,
    listener,
    stop,
    kill,
  });
  const outOfTime = (id: string) => fresh.outOfTime.has(id);
  const recorded = standings.flatMap(({ run, outcome }) => (outcome ? [[run.id, outcome] as const] : []));
  const outcomes = { ...Object.fromEntries(recorded), ...fresh.outcomes };

  listener({ type: 'sweep-ended', time: Date.now(), outcomes });
  return {
    plan,
    chosen: chosen.filter(({ id }) => !outOfTime(id)),
    trained: toTrain.map(({ run }) => run),
    outcomes,
  };
};
