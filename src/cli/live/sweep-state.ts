import type { Plan, Run } from '../../plan/plan.ts';
import { scoredKey } from '../../plan/scored-data.ts';
import { type BestConfiguration, bestConfiguration } from '../../record/best-configuration.ts';
import type { Metrics, RunEvent, RunOutcome, TrainerEvent, TrainingHost } from '../../record/events.ts';
import { type RunState, stateOfReason } from '../../record/run-state.ts';
import { withRuns } from '../../record/search-journal.ts';
import { runName, shortNames } from '../../terminal/run-name.ts';

/** What the console knows of a run that is being trained. */
export interface RunningRun {
  readonly run: Run;
  readonly name: string;
  readonly attempt: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  step: number;
  /** 0 until the trainer reports it. */
  totalSteps: number;
  /** The last metrics of a minibatch. */
  metrics: Metrics;
  /** Losses so far, thinned out to at most `keptLosses`. */
  losses: number[];
  /** Steps and times of the last few reports, for the speed. */
  recent: { readonly step: number; readonly time: number }[];
  /** Memory of the run's process; 0 until it is known. */
  residentBytes: number;
}

interface EndedRun {
  readonly run: Run;
  readonly name: string;
  readonly outcome: RunOutcome;
  readonly state: RunState;
}

/** A sweep as the console shows it, brought up to date event by event. */
export interface SweepState {
  /** Grows where the sweep chooses further points. */
  plan: Plan;
  readonly names: ReadonlyMap<string, string>;
  startedAt: number | null;
  /** Runs to train now. */
  toRun: number;
  /** Ids of the runs that ended before this command and are not trained by it. */
  readonly before: Set<string>;
  /** The relative length of each, by id; empty if unknown. */
  work: ReadonlyMap<string, number>;
  concurrency: number;
  /** The hosts that train runs; none where this machine does. */
  hosts: readonly TrainingHost[];
  readonly running: Map<string, RunningRun>;
  /** Runs whose end is final. */
  ended: EndedRun[];
  /** The objective of the runs that are done, by id; of those before this command, too. */
  readonly values: Map<string, number>;
  /** Whether the scores of all runs of the plan can be compared. */
  comparable: boolean;
}

const keptLosses = 240;
const recentReports = 16;

export const createSweepState = (plan: Plan): SweepState => ({
  plan,
  names: shortNames(plan.axes),
  startedAt: null,
  toRun: plan.runs.length,
  before: new Set(),
  work: new Map(),
  concurrency: plan.execution.concurrency,
  hosts: [],
  running: new Map(),
  ended: [],
  values: new Map(),
  comparable: areComparable(plan),
});

const areComparable = ({ runs }: Plan): boolean => new Set(runs.map(scoredKey)).size <= 1;

/** Takes one event into the state. */
export const applyEvent = (state: SweepState, event: RunEvent): void => {
  switch (event.type) {
    case 'sweep-started':
      state.startedAt = event.time;
      state.plan = withRuns(state.plan, event.addedBefore ?? []);
      state.comparable = areComparable(state.plan);
      state.toRun = event.toRun;
      event.endedBefore.forEach((id) => state.before.add(id));
      for (const [id, outcome] of Object.entries(event.outcomesBefore ?? {})) takeValue(state, id, outcome);
      state.concurrency = event.concurrency;
      break;
    case 'work-estimated':
      state.work = new Map(Object.entries(event.work));
      break;
    case 'runs-added':
      state.plan = withRuns(state.plan, event.runs);
      state.toRun += event.runs.length;
      state.comparable = areComparable(state.plan);
      break;
    case 'run-started': {
      const run = state.plan.runs.find((one) => one.id === event.runId);
      if (!run) break;
      // A paused run was promoted.
      if (state.before.delete(run.id)) state.toRun++;
      state.ended = state.ended.filter((one) => one.run.id !== run.id);
      // It is trained again.
      state.values.delete(run.id);
      state.running.set(event.runId, {
        run,
        name: runName(run, state.names),
        attempt: event.attempt,
        startedAt: event.time,
        step: 0,
        totalSteps: 0,
        metrics: {},
        losses: [],
        recent: [],
        residentBytes: 0,
      });
      break;
    }
    case 'run-progressed': {
      const running = state.running.get(event.runId);
      if (!running) break;
      running.residentBytes = event.residentBytes;
      applyProgress(running, event.event);
      break;
    }
    case 'run-ended': {
      state.running.delete(event.runId);
      const run = state.plan.runs.find((one) => one.id === event.runId);
      if (!run || event.willRetry) break;
      const name = runName(run, state.names);
      state.ended.push({ run, name, outcome: event.outcome, state: stateOfReason(event.outcome.reason) });
      takeValue(state, run.id, event.outcome);
      break;
    }
    case 'hosts-changed':
      state.hosts = event.hosts;
      state.concurrency = Math.max(1, sum(event.hosts.filter(isThere).map(({ slots }) => slots)));
      break;
    case 'note':
    case 'sweep-ended':
      break;
  }
};

const isThere = ({ isLost }: TrainingHost): boolean => !isLost;

const takeValue = ({ plan, values }: SweepState, id: string, { reason, metrics }: RunOutcome): void => {
  const value = metrics[plan.objective.metric];
  if (reason === 'completed' && value !== undefined) values.set(id, value);
};

/**
 * The best configuration so far; undefined, too, where runs are of different data, so that none is the best. Goes through all
 * runs: for who shows it, not for each event.
 */
export const bestOf = ({ plan, values, comparable }: SweepState): BestConfiguration | undefined =>
  comparable ? bestConfiguration(plan.runs, ({ id }) => values.get(id), plan.objective) : undefined;

/** The name of the best configuration: without fold and seed where it is a mean over them. */
export const nameOfBest = ({ names }: SweepState, { run, count }: BestConfiguration): string => {
  if (count === 1) return runName(run, names);
  const settings = Object.entries(run.varying).filter(([path]) => path !== 'fold' && path !== 'seed');
  return runName({ ...run, varying: Object.fromEntries(settings) }, names);
};

const applyProgress = (running: RunningRun, event: TrainerEvent): void => {
  switch (event.type) {
    case 'training-started':
      running.totalSteps = event.totalSteps;
      running.step = event.fromStep;
      running.recent = [{ step: event.fromStep, time: event.time }];
      break;
    case 'record-distrusted':
      break;
    case 'step-logged': {
      running.step = event.step;
      running.metrics = event.metrics;
      running.recent.push({ step: event.step, time: event.time });
      if (running.recent.length > recentReports) running.recent.shift();
      const loss = event.metrics['train/loss'];
      if (loss !== undefined) running.losses.push(loss);
      if (running.losses.length > keptLosses) {
        running.losses = running.losses.filter((_, i) => i % 2 === 1);
      }
      break;
    }
    case 'evaluated':
    case 'checkpoint-written':
    case 'training-ended':
      running.step = Math.max(
        running.step,
        event.type === 'training-ended' ? event.outcome.step : event.step,
      );
      break;
  }
};

/** Steps a second over the last reports; NaN before there are two. */
export const speedOf = ({ recent }: RunningRun): number => {
  const first = recent[0];
  const last = recent.at(-1);
  if (!first || !last || last.time <= first.time) return NaN;
  return ((last.step - first.step) * 1000) / (last.time - first.time);
};

/** Milliseconds until the run's last step; NaN while it is unknown. */
export const remainingOf = (running: RunningRun): number =>
  running.totalSteps > 0 ? ((running.totalSteps - running.step) * 1000) / speedOf(running) : NaN;

/**
 * Milliseconds until the sweep's end: what the running runs still need, and what the waiting ones will by their work and
 * the time of those that ended (or will end), shared by the runs side by side. NaN while it is unknown.
 */
export const remainingOfSweep = (state: SweepState, now: number): number => {
  const running = [...state.running.values()].map((one) => ({ ...one, left: remainingOf(one) }));
  const known = running.filter(({ left }) => Number.isFinite(left));
  const timed = [
    ...state.ended
      .filter((one) => one.state === 'done')
      .map(({ run, outcome }) => ({ run, ms: outcome.elapsedMs })),
    ...known.map(({ run, left, startedAt }) => ({ run, ms: now - startedAt + left })),
  ];
  const workOf = ({ run }: { readonly run: Run }): number => state.work.get(run.id) ?? 1;
  const total = state.work.size > 0 ? sum([...state.work.values()]) : state.toRun;
  const untold = Math.max(0, total - sum([...state.ended, ...known].map(workOf)));
  const msPerWork = sum(timed.map(({ ms }) => ms)) / sum(timed.map(workOf));
  const left = sum(known.map((one) => one.left)) + (untold > 0 ? untold * msPerWork : 0);
  return Math.max(left / Math.max(1, state.concurrency), ...known.map((one) => one.left), 0);
};

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);
