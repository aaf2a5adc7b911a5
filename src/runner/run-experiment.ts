import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Plan, Run } from '../plan/plan.ts';
import type { RunListener } from '../record/events.ts';
import { grownPlan } from '../record/search-journal.ts';
import type { FindWeights } from '../plan/starting-weights.ts';
import { captureEnvironment } from '../record/environment.ts';
import type { HostEnvironment } from '../record/run-files.ts';
import { calibrate } from './calibration/calibrate.ts';
import { kernelFinder } from './calibration/frozen-kernels.ts';
import { freezePlan, frozenPlanPath } from '../record/frozen-plan.ts';
import type { Executor } from '../executor/executor.ts';
import { createPool } from '../executor/local/pool.ts';
import { scheduleRuns, type ScheduleOptions } from './schedule.ts';
import { searchRuns, type SearchOutcome } from './search-runs.ts';
import {
  runStandings,
  selectRuns,
  withBudget,
  hasEnded,
  type RunStanding,
  type Selected,
  type Selection,
} from './select.ts';

/**
 * Data flow:
 *
 *     text ─ load ─▶ document ─ validate ─▶ spec ─ unroll ─▶ plan ─ calibrate, freeze ─▶ plan ─ select ─▶ runs
 *          └──────────── src/language ───────────────────────┘
 *     runs ─ schedule ─▶ train (child processes) ─▶ events ─▶ record (run directories, console, MLflow) ─▶ compare
 *                                                                                          └─ src/report ─┘
 *
 * `src/plan/plan-experiment.ts` is the first line, this file the second.
 */
export interface ExperimentOptions {
  readonly runsDirectory: string;
  readonly selection: Selection;
  readonly commandLine: string;
  /** The folder that `loadPlanCode` answers. */
  readonly bundle: string | undefined;
  /** Whether each run records where its time went. */
  readonly profile: boolean;
  readonly listener: RunListener;
  /** Opens the executor of other machines; where absent, this machine trains. */
  readonly openExecutor?: (listener: RunListener) => Promise<Executor>;
  /** Whether this machine may measure kernels before anything is trained; true where absent. */
  readonly mayMeasure?: boolean | undefined;
  /** Brings a finished run from elsewhere into its directory, whose lock is held; returns whether it did. */
  readonly take?: ((run: Run) => Promise<boolean>) | undefined;
  /** Finds the weights that `train.from` names, for points that a search chooses. */
  readonly findWeights?: FindWeights;
  /** First Ctrl-C: running runs end in order. */
  readonly stop: AbortSignal;
  /** Second Ctrl-C: everything ends at once. */
  readonly kill: AbortSignal;
}

/** How a sweep ended: the outcomes include those recorded before. */
export type ExperimentOutcome = SearchOutcome;

/** Trains what is missing of a plan, and returns the state of each of its runs. */
export const runExperiment = async (
  planned: Plan,
  options: ExperimentOptions,
): Promise<ExperimentOutcome> => {
  const { runsDirectory } = options;
  const specDirectory = dirname(resolve(planned.spec.path));

  const grown = grownPlan(planned, frozenPlanPath(runsDirectory, planned));
  const standings = runStandings(grown, runsDirectory);
  const selection = withBudget(options.selection, planned);
  const selected = selectRuns(standings, selection);

  const environment = captureEnvironment(specDirectory, options.commandLine);
  const toTrain = selected.toTrain.length;
  const { plan: calibrated, pool: measured } = await calibrate(planned, {
    ...options,
    toTrain,
    trainsHere: options.openExecutor === undefined,
    mayMeasure: options.mayMeasure ?? true,
  });
  let pool = measured;
  let executor: Executor | undefined;
  try {
    const frozen = await freezePlan(calibrated, runsDirectory);
    const { threadsPerRun } = frozen.execution;
    if (threadsPerRun !== calibrated.execution.threadsPerRun) {
      // Another process has frozen the plan meanwhile, with other threads.
      await pool.close();
      pool = createPool({ threads: threadsPerRun, ownCode: options.bundle !== undefined });
    }
    executor = await options.openExecutor?.(options.listener);
    const outcome = await trainFrozen(frozen, {
      ...options,
      standings,
      selection,
      selected,
      environment,
      executor: executor ?? pool,
    });
    // Without the runs that a search has added: its journal has them.
    await keepFrozen({ ...calibrated, execution: frozen.execution }, options);
    return outcome;
  } finally {
    // Processes wait for runs that a full disk or another process has kept from beginning.
    await pool.close();
    await executor?.close();
  }
};

/** Without its plan, what is recorded of a sweep can neither be compared nor resumed. */
const keepFrozen = async (frozen: Plan, { runsDirectory, listener }: ExperimentOptions): Promise<void> => {
  const path = frozenPlanPath(runsDirectory, frozen);
  if (existsSync(path)) return;
  await freezePlan(frozen, runsDirectory);
  const message = `${path} was removed while the sweep ran; it is written again. Runs that were removed with it must be trained again.`;
  listener({ type: 'note', level: 'warning', message });
};

interface Ready extends ExperimentOptions {
  readonly standings: readonly RunStanding[];
  readonly selected: Selected;
  readonly environment: Promise<HostEnvironment>;
  readonly executor: Executor;
}

const trainFrozen = async (frozen: Plan, ready: Ready): Promise<ExperimentOutcome> => {
  const { runsDirectory, standings, selection, selected, environment, executor, listener, stop, kill } =
    ready;
  const { concurrency, threadsPerRun } = frozen.execution;
  const time = Date.now();
  const endedBefore = endedRuns(frozen, ready);
  const wasEnded = new Set(endedBefore);
  listener({
    type: 'sweep-started',
    time,
    runCount: frozen.runs.length,
    toRun: selected.toTrain.filter(({ run }) => !wasEnded.has(run.id)).length,
    endedBefore,
    // Whoever listens has the plan as it was before its journal was read.
    addedBefore: frozen.search?.sampler ? frozen.runs : [],
    outcomesBefore: Object.fromEntries(
      standings.flatMap(({ run, outcome }) => (outcome && wasEnded.has(run.id) ? [[run.id, outcome]] : [])),
    ),
    concurrency: executor.slots?.() ?? concurrency,
    threadsPerRun,
  });

  const schedule = {
    runsDirectory,
    environment,
    executor,
    kernelOf: kernelFinder(frozen),
    baseDirectory: dirname(resolve(frozen.spec.path)),
    bundle: ready.bundle,
    profile: ready.profile,
    fromTheStart: selection.force,
    listener,
    take: ready.take,
    findWeights: ready.findWeights,
    stop,
    kill,
  };
  const {
    plan,
    chosen,
    toChoose,
    trained,
    outcomes: fresh,
  } = frozen.search
    ? await searchRuns({ ...frozen, search: frozen.search }, { ...schedule, selection })
    : await trainAll(frozen, selected, schedule);
  const recorded = standings.flatMap(({ run, outcome }) => (outcome ? [[run.id, outcome] as const] : []));
  const outcomes = { ...Object.fromEntries(recorded), ...fresh };

  listener({ type: 'sweep-ended', time: Date.now(), outcomes });
  return { plan, chosen, toChoose, trained, outcomes };
};

/** The runs that stay as they are. What a search has paused is one of them until it is promoted. */
const endedRuns = (
  { search }: Plan,
  { standings, selection, selected }: Pick<Ready, 'standings' | 'selection' | 'selected'>,
): readonly string[] => {
  const toTrain = new Set(selected.toTrain);
  const isPaused = ({ state }: RunStanding) =>
    state === 'pruned' && search?.pruning !== undefined && !selection.force;
  return standings
    .filter((one) => isPaused(one) || (hasEnded(one) && !toTrain.has(one)))
    .map(({ run }) => run.id);
};

/** A sweep whose runs are all known, each trained to its end. */
const trainAll = async (
  plan: Plan,
  { toTrain, chosen }: Selected,
  schedule: ScheduleOptions,
): Promise<SearchOutcome> => {
  const { outcomes, outOfTime } = await scheduleRuns(plan, toTrain, schedule);
  return {
    plan,
    toChoose: 0,
    chosen: chosen.filter(({ id }) => !outOfTime.has(id)),
    trained: toTrain.map(({ run }) => run),
    outcomes,
  };
};
