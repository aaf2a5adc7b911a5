import { proposedCommand } from '../system/proposed-command.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { createProposer, type Proposer } from '../plan/propose.ts';
import type { Plan, Run, Search } from '../plan/plan.ts';
import { configurationIdOf } from '../plan/run-identity.ts';
import { pruningSteps } from '../plan/search-plan.ts';
import { nextDecision } from '../search/decide.ts';
import { viewOf, type Decision } from '../search/ledger.ts';
import type { RunOutcome } from '../record/events.ts';
import { acquireLock, holderNote } from '../system/lock.ts';
import { valuesAt } from '../record/kept-weights.ts';
import { readMetrics } from '../record/read-metrics.ts';
import { readStatus } from '../record/read-runs.ts';
import { runDirectory } from '../record/run-recorder.ts';
import {
  openSearchJournal,
  resultLine,
  resultOf,
  searchJournalPath,
  withRuns,
  type SearchJournal,
} from '../record/search-journal.ts';
import { frozenPlanPath } from '../record/frozen-plan.ts';
import { createScheduler, type Scheduled, type ScheduleOptions, type Scheduler } from './schedule.ts';
import { isSettled, type Selection } from './select.ts';

/** A point of the search: one configuration, with a run for each seed. */
interface SearchPoint {
  readonly runs: readonly Run[];
  readonly coordinates: readonly (number | null)[] | undefined;
}

interface SearchOptions extends ScheduleOptions {
  readonly selection: Selection;
}

export interface SearchOutcome {
  /** The plan with all points that were proposed. */
  readonly plan: Plan;
  /** Runs of points that are still to be chosen; 0 once the search is over. */
  readonly toChoose: number;
  /** What was trained now. */
  readonly trained: readonly Run[];
  readonly outcomes: Scheduled['outcomes'];
  /** What the command answers for: not what a spent budget left undone. */
  readonly chosen: readonly Run[];
}

/** Ends without a result: the search waits for another start. */
const unfinished: readonly string[] = ['interrupted', 'killed', 'not-started'];

/**
 * Trains a sweep that decides by results: takes the next decision, writes it down, acts on it, writes down what came of
 * it. A recorded decision is never taken again, so a search that was killed at any moment resumes where it was.
 */
export const searchRuns = async (
  { search, ...plan }: Plan & { readonly search: Search },
  options: SearchOptions,
): Promise<SearchOutcome> => {
  const path = frozenPlanPath(options.runsDirectory, plan);
  const lock = acquireLock(`${path}.lock`);
  if ('heldBy' in lock) {
    options.listener(
      note(
        'warning',
        `One process alone decides by results, and this sweep is held by ${holderNote(lock.heldBy)}. Run the command again then.`,
      ),
    );
    return {
      plan: { ...plan, search },
      toChoose: search.points,
      trained: [],
      chosen: plan.runs,
      outcomes: {},
    };
  }
  const journal = openSearchJournal(searchJournalPath(path), { afresh: options.selection.force });
  const scheduler = createScheduler(plan, options);
  try {
    const state = replay({ ...plan, search }, journal);
    return await lead({ ...state, plan: { ...plan, search }, journal, scheduler, options });
  } finally {
    await scheduler.close();
    journal.close();
    lock.release();
  }
};

interface State {
  readonly points: SearchPoint[];
  readonly decisions: Decision[];
  readonly results: (number | undefined)[];
}

/** The state of the search by its journal. */
const replay = (plan: Plan & { readonly search: Search }, { lines }: SearchJournal): State => {
  const configurations = new Map<string, Run[]>();
  const add = (run: Run) => configurations.set(run.cell, [...(configurations.get(run.cell) ?? []), run]);
  const placed = new Map<string, readonly (number | null)[]>();
  const decisions: Decision[] = [];
  const results: (number | undefined)[] = [];
  plan.runs.forEach(add);
  for (const line of lines) {
    if ('result' in line) {
      results[line.decision] = resultOf(line);
      continue;
    }
    const { kind, point, level, runs = [], coordinates } = line;
    decisions[line.decision] = { kind, point, level };
    const [first] = runs;
    if (first && !configurations.has(first.cell)) runs.forEach(add);
    if (first && coordinates) placed.set(first.cell, coordinates);
  }
  const points = [...configurations].map(([id, runs], index) => ({
    runs,
    coordinates: plan.search.sampler?.coordinates[index] ?? placed.get(id),
  }));
  return { points, decisions, results };
};

interface Leading extends State {
  readonly plan: Plan & { readonly search: Search };
  readonly journal: SearchJournal;
  readonly scheduler: Scheduler;
  readonly options: SearchOptions;
}

const lead = async (leading: Leading): Promise<SearchOutcome> => {
  const { plan, points, decisions, results, scheduler, options } = leading;
  const outcomes: Record<string, RunOutcome> = {};
  const trained = new Map<string, Run>();
  const running = new Map<number, Promise<void>>();
  let { points: total } = plan.search;
  let proposer: Proposer | undefined;
  let spent = false;
  const { limit = Infinity, budget = Infinity } = options.selection;
  const begun = () => decisions.filter(({ level }) => level === 0).length * (points[0]?.runs.length ?? 1);
  const isOpen = () => !scheduler.noMore.aborted && trained.size < limit;

  const act = (index: number, before?: Promise<void>) => {
    const train = () => trainPoint(leading, index, { outcomes, trained });
    const acted = (before ? before.then(train) : train()).then((result) => {
      running.delete(index);
      if (result !== undefined && results[index] === undefined) {
        leading.journal.append(resultLine(index, result));
        results[index] = result;
      }
    });
    running.set(index, acted);
    return acted;
  };
  // What was decided and has no result yet; with --retry-failed also what failed, whose result stays as it is.
  // A run whose record was removed pauses again where it did, because a pause is evaluated.
  const removed = new Set([...points.keys()].filter((point) => isRemoved(leading, point)));
  const again = new Map<number, Promise<void>>();
  for (const [index, { kind, point }] of decisions.entries()) {
    if (kind !== 'train') continue;
    if (removed.has(point)) again.set(point, act(index, again.get(point)));
    else if (results[index] === undefined || needsRetry(leading, index)) void act(index);
  }
  for (;;) {
    if (!isOpen()) break;
    const next = nextDecision({ ...plan.search, points: total }, { decisions, results }, (point) =>
      levelsOf(leading, point),
    );
    if (next.kind === 'over') break;
    if (next.kind === 'wait') {
      if (running.size === 0) break;
      await Promise.race(running.values());
      continue;
    }
    const { decision, known } = next;
    const index = decisions.length;
    if (decision.level === 0 && begun() >= budget) {
      spent = true;
      break;
    }
    if (decision.point < points.length) {
      leading.journal.append({ decision: index, ...decision });
    } else {
      if (!proposer) {
        const created = await createProposer(plan, options.baseDirectory, options.findWeights);
        if (!created.ok) {
          options.listener(note('warning', cannotPropose(plan, options.runsDirectory, created.errors)));
          break;
        }
        proposer = created.value;
      }
      const proposal = await proposer.propose(triedBefore(leading, known));
      if (!proposal) {
        total = points.length;
        options.listener(
          note('info', `The space has only ${total} different points, and all of them are taken.`),
        );
        continue;
      }
      leading.journal.append({ decision: index, ...decision, ...proposal });
      points.push(proposal);
      options.listener({ type: 'runs-added', time: Date.now(), runs: proposal.runs });
    }
    decisions.push(decision);
    if (decision.kind === 'prune') {
      leading.journal.append(resultLine(index, -Infinity));
      results[index] = -Infinity;
    } else void act(index);
  }
  await Promise.all(running.values());
  const runs = points.flatMap((point) => point.runs);
  const left = (total - points.length) * (points[0]?.runs.length ?? 1);
  const short = spent || scheduler.spent.aborted || trained.size >= limit;
  return {
    plan: withRuns(plan, runs),
    toChoose: short ? 0 : left,
    trained: [...trained.values()],
    chosen: short ? runs.filter(({ id }) => outcomes[id] && !unfinished.includes(outcomes[id].reason)) : runs,
    outcomes,
  };
};

const cannotPropose = (
  { spec: { path }, sweepId }: Plan,
  runsDirectory: string,
  [first]: readonly Diagnostic[],
): string =>
  `The frozen plan of ${path} does not fit this version of Unroll, so it gets no further points: ${first?.message ?? ''} ` +
  `${first?.help ?? ''} Correct ${path}, and start a sweep by it with: ${proposedCommand(['resume', sweepId, '--updated'], runsDirectory)}`;

const note = (level: 'info' | 'warning', message: string) => ({ type: 'note', level, message }) as const;

const pausesOf = ({ plan, points }: Leading, point: number): readonly number[] => {
  const [run] = points[point]?.runs ?? [];
  return run ? pruningSteps(run.config.train, plan.search.pruning) : [];
};

const levelsOf = (leading: Leading, point: number): number => pausesOf(leading, point).length;

/** What the sampler knows: the points begun so far, with the results that the decision may know. */
const triedBefore = (leading: Leading, known: number) => {
  const view = viewOf(leading, known, (point) => levelsOf(leading, point));
  return leading.points.map(({ runs, coordinates = [] }, point) => {
    const values = [...(view?.results.get(point) ?? [])];
    const [level = 0, value = null] = values.at(-1) ?? [];
    const isEnd = level === levelsOf(leading, point) - 1;
    const [run] = runs;
    return {
      configuration: run ? configurationIdOf(run) : '',
      coordinates,
      value,
      level: isEnd ? Infinity : level,
    };
  });
};

/** Whether a point's runs have ends that the command asks to try again. */
const needsRetry = ({ points, decisions, options }: Leading, index: number): boolean => {
  const decision = decisions[index];
  const later = decisions.some((one, other) => other > index && one.point === decision?.point);
  if (!decision || later) return false;
  return (points[decision.point]?.runs ?? []).some((run) => {
    const directory = runDirectory(options.runsDirectory, run);
    const status = readStatus(directory);
    if (!status?.outcome || ['completed', 'pruned'].includes(status.outcome.reason)) return false;
    return options.selection.retryFailed || !isSettled(status, directory);
  });
};

interface Progress {
  readonly outcomes: Record<string, RunOutcome>;
  readonly trained: Map<string, Run>;
}

/** Whether a run of a point has no record: it never began, or it was removed and is trained again as far as was decided. */
const isRemoved = ({ points, options }: Leading, point: number): boolean =>
  (points[point]?.runs ?? []).some((run) => !readStatus(runDirectory(options.runsDirectory, run)));

/** Trains a point as far as a decision asks, and returns its result: the mean over its seeds, larger is better. */
const trainPoint = async (
  leading: Leading,
  index: number,
  { outcomes, trained }: Progress,
): Promise<number | undefined> => {
  const { plan, points, decisions, scheduler, options } = leading;
  const { point, level } = decisions[index] ?? { point: 0, level: 0 };
  const steps = pausesOf(leading, point);
  const pauseAt = level === steps.length - 1 ? null : (steps[level] ?? null);
  const values = await Promise.all(
    (points[point]?.runs ?? []).map(async (run) => {
      const directory = runDirectory(options.runsDirectory, run);
      const status = level === 0 && options.selection.force ? undefined : readStatus(directory);
      let outcome = status?.outcome ?? undefined;
      const failedBefore = outcome && !['completed', 'pruned'].includes(outcome.reason);
      const confirmed =
        status &&
        outcome &&
        (failedBefore
          ? isSettled(status, directory) && !options.selection.retryFailed
          : reached(outcome, pauseAt));
      if (!confirmed) {
        trained.set(run.id, run);
        const attempt = status?.attempt ?? 0;
        const ended = await scheduler.train(
          { run, state: 'new', reason: '', outcome: null, attempt },
          { pauseAt, fromTheStart: options.selection.force && level === 0 },
        );
        if ('heldBy' in ended) {
          options.listener(
            note('warning', `Process ${ended.heldBy.pid} on ${ended.heldBy.host} trains run ${run.id}.`),
          );
          return undefined;
        }
        outcome = ended;
      }
      if (!outcome) return undefined;
      outcomes[run.id] = outcome;
      return unfinished.includes(outcome.reason)
        ? undefined
        : await valueOf(plan, { outcome, directory, pauseAt });
    }),
  );
  return values.includes(undefined) ? undefined : mean(values as number[]);
};

const reached = ({ reason, step }: RunOutcome, pauseAt: number | null): boolean =>
  reason === 'completed' || (pauseAt !== null && step >= pauseAt);

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * What a run was measured at: the pruning metric at a step, or the objective at its end. A run that ended before the step
 * counts there with the weights that it keeps. The worst value if there is no number.
 */
const valueOf = async (
  { objective, search: { pruning } }: Leading['plan'],
  { outcome, directory, pauseAt }: { outcome: RunOutcome; directory: string; pauseAt: number | null },
): Promise<number> => {
  if (!['completed', 'pruned'].includes(outcome.reason)) return -Infinity;
  const { metric, goal } = pauseAt === null || !pruning ? objective : pruning;
  const isOver = pauseAt === null || (outcome.reason === 'completed' && outcome.step <= pauseAt);
  const values = isOver ? outcome.metrics : valuesAt((await readMetrics(directory)).series, pauseAt);
  const value = values[metric] ?? NaN;
  return Number.isNaN(value) ? -Infinity : goal === 'maximize' ? value : -value;
};
