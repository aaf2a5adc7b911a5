import { describeCalibration, type CalibrationView } from '../runner/calibration/describe.ts';
import { plannedDataLines } from '../report/data-fields.ts';
import { continuesFrom } from '../plan/origin.ts';
import { estimateTime, type Estimate } from '../runner/estimate.ts';
import { runStandings, selectRuns, withBudget, type RunStanding } from '../runner/select.ts';
import { frozenPlanPath, readFrozenPlan } from '../record/frozen-plan.ts';
import { stepBudget } from '../search/decide.ts';
import type { Execution } from '../language/config.ts';
import type { Plan, Search } from '../plan/plan.ts';
import { pruningSteps } from '../plan/search-plan.ts';
import { grownPlan, journalDamage } from '../record/search-journal.ts';
import { counted, formatDuration, formatValue } from '../terminal/format.ts';
import { fit, renderTable, type TableCell, type Column } from '../terminal/table.ts';
import { listRuns } from '../record/read-runs.ts';
import { runStates } from '../record/run-state.ts';
import type { ExitCode, Terminal } from './command.ts';
import { type StoreOptions, openStoreAt, storeAddress } from '../store/open-address.ts';
import { screen } from './screen.ts';
import { readSelection, type SelectionOptions } from './selection.ts';
import { success, type Result } from '../diagnostic/diagnostic.ts';
import { storeFailure } from '../store/store.ts';

/** More rows than this help no reader; `--json` has them all. */
const shownRuns = 60;

/** Reasons that are printed below the table. */
const shownReasons = 5;

/** What is printed about a plan. */
interface PlanView {
  readonly plan: Plan;
  readonly standings: readonly RunStanding[];
  readonly toTrain: readonly RunStanding[];
  /** What a shared store has finished; it is taken, not trained. */
  readonly elsewhere: ReadonlySet<RunStanding>;
  readonly estimate: Estimate;
  readonly calibration: CalibrationView;
}

/** Prints the runs of a plan with the state of each and what will be trained: a table for people, or JSON. */
export const printPlan = async (
  planned: Plan,
  options: SelectionOptions & StoreOptions,
  { terminal, command }: { readonly terminal: Terminal; readonly command: string },
): Promise<ExitCode> => {
  const path = frozenPlanPath(options.runsDirectory, planned);
  const frozen = readFrozenPlan(path);
  if (!frozen.ok) return terminal.refuse(frozen.errors, options);
  const damage = options.force ? undefined : journalDamage(planned, path);
  if (damage) return terminal.refuse([{ ...damage, severity: 'error' }], options);
  const grown = grownPlan(planned, path);
  const calibration = await describeCalibration(grown, options.runsDirectory);
  const { plan } = calibration;
  const selection = readSelection(plan, options, command);
  if (!selection.ok) return terminal.refuse(selection.errors, options);
  const standings = runStandings(plan, options.runsDirectory);
  const selected = selectRuns(standings, withBudget(selection.value, plan)).toTrain;
  const inStore = await finishedInStore(plan, options);
  if (!inStore.ok) return terminal.refuse(inStore.errors, options);
  if (!options.json) terminal.report(inStore.notices);
  const elsewhere = new Set(
    selection.value.force ? [] : selected.filter(({ run }) => inStore.value.has(run.id)),
  );
  const toTrain = selected.filter((one) => !elsewhere.has(one));
  const recorded = toTrain.length > 0 ? listRuns(options.runsDirectory).runs : [];
  const estimate = estimateTime(toTrain, recorded, plan.execution);
  const view = { plan, standings, toTrain, elsewhere, estimate, calibration };
  if (options.json) terminal.print(JSON.stringify(planToJson(view), null, 2));
  else for (const line of planLines(view)) terminal.print(line);
  return 0;
};

const countStates = (standings: readonly RunStanding[]) =>
  Object.fromEntries(
    runStates.map((state) => [state, standings.filter((one) => one.state === state).length]),
  );

const planToJson = ({ plan, standings, toTrain, elsewhere, estimate, calibration }: PlanView) => {
  const { experiment, sweepId, axes, objective, execution, data = [] } = plan;
  const now = new Set(toTrain);
  return {
    experiment,
    sweepId,
    axes,
    objective,
    execution,
    data,
    threadsToMeasure: calibration.threadsToMeasure,
    kernels: calibration.kernels,
    counts: countStates(standings),
    ...(plan.search && { search: searchToJson(plan, plan.search) }),
    estimate,
    runs: standings.map((standing) => {
      const {
        run: { id, cell, seed, config, varying, start, continues },
        state,
        reason,
      } = standing;
      return {
        id,
        cell,
        seed,
        state,
        reason,
        toTrain: now.has(standing),
        ...(elsewhere.has(standing) && { inStore: true }),
        varying,
        config,
        ...(start && { start }),
        ...(continues && { continues }),
      };
    }),
  };
};

const planLines = ({ plan, standings, toTrain, elsewhere, estimate, calibration }: PlanView): string[] => {
  const { axes, execution, data = [] } = plan;
  const { width } = screen(process.stdout);
  const columns: Column[] = [
    { title: 'run', align: 'left', keep: Infinity },
    { title: 'state', align: 'left', keep: Infinity },
    ...axes.map((title): Column => ({ title, align: 'right', keep: 1 })),
  ];
  const rows = standings
    .slice(0, shownRuns)
    .map((standing) => [standing.run, standing.state, elsewhere.has(standing)] as const)
    .map(([run, state, isElsewhere]): TableCell[] => [
      { text: run.id },
      { text: isElsewhere ? 'done elsewhere' : state },
      ...axes.map((path) => ({ text: formatValue(path === 'seed' ? run.seed : run.varying[path]) })),
    ]);
  const here = standings.filter((one) => !elsewhere.has(one));
  const counts = Object.entries({ ...countStates(here), 'done elsewhere': elsewhere.size }).filter(
    ([, count]) => count > 0,
  );
  const more = standings.length - rows.length;
  return [
    `${plan.experiment}: ${counted(plan.runs.length, 'run')} (${counts.map(([state, count]) => `${count} ${state}`).join(', ')})`,
    axes.length > 0 ? `varying: ${axes.join(', ')}` : 'nothing varies',
    `${execution.concurrency} at a time, ${counted(execution.threadsPerRun, 'thread')} each${coresNote(execution)}${threadsNote(calibration)}`,
    ...kernelLines(calibration),
    estimateLine(toTrain.length, estimate),
    ...searchLines(plan),
    ...plannedDataLines(data, axes),
    '',
    ...renderTable(columns, rows, { width }),
    ...(more > 0 ? [`and ${more} more; --json prints all`] : []),
    ...reasonLines(here, width),
    ...continuationLines(toTrain),
  ];
};

const coresNote = ({ concurrency, threadsPerRun, cores = 0 }: Execution): string => {
  const lent = cores - concurrency * threadsPerRun;
  return lent > 0 ? `, ${counted(lent, 'core')} more lent to them` : '';
};

const threadsNote = ({ threadsToMeasure }: CalibrationView): string =>
  threadsToMeasure.length === 0
    ? ''
    : `; when the sweep begins, a measurement chooses from ${threadsToMeasure.join(', ')} threads`;

const kernelWords: Readonly<Record<CalibrationView['kernels'][number]['how'], string>> = {
  frozen: 'frozen with the plan',
  kept: 'the fastest when it was measured',
  'only-one': 'the only one here',
  default: 'the default: too little work for a measurement',
  measure: 'measured when the sweep begins',
};

/** The kernels of the runs, each with how it was chosen. */
const kernelLines = ({ kernels }: CalibrationView): string[] => {
  const lines = new Map<string, number>();
  for (const choice of kernels) {
    const name = choice.how === 'measure' ? choice.kernels.join(' or ') : choice.kernel;
    const line = `${name} (${kernelWords[choice.how]})`;
    lines.set(line, (lines.get(line) ?? 0) + choice.runs);
  }
  const isOne = lines.size === 1;
  return [...lines].map(([line, runs]) => `kernel ${line}${isOne ? '' : `: ${counted(runs, 'run')}`}`);
};

/** Runs that are still to be chosen, and the steps that pruning lets the sweep cost. */
const searchToJson = (plan: Plan, { points, lookahead, pruning }: Search) => {
  const known = new Map(plan.runs.map((run) => [run.cell, run]));
  const seeds = plan.runs.length / known.size;
  const steps = [...known.values()].map(({ config }) => pruningSteps(config.train, pruning));
  // Of a point that is not known it is known only that it is one of this space.
  const longest = [...steps].sort((a, b) => (b.at(-1) ?? 0) - (a.at(-1) ?? 0))[0] ?? [];
  const all = [...steps, ...Array.from({ length: Math.max(0, points - known.size) }, () => longest)];
  const perSeed = pruning && stepBudget(all, pruning);
  return {
    points,
    known: known.size,
    lookahead,
    pruning,
    trainingSteps: perSeed && {
      most: perSeed.most * seeds,
      usual: perSeed.usual === null ? null : perSeed.usual * seeds,
      unpruned: perSeed.unpruned * seeds,
    },
  };
};

const searchLines = (plan: Plan): string[] => {
  if (!plan.search) return [];
  const { points, known, lookahead, trainingSteps } = searchToJson(plan, plan.search);
  const rest = points - known;
  const number = (value: number) => value.toLocaleString('en');
  const lines: string[] = [];
  if (rest > 0) {
    lines.push(
      `${counted(points, 'point')} in all: these ${known}, and ${rest} that are chosen by the results of those before (${lookahead} under way at most)`,
    );
  }
  if (trainingSteps) {
    const { most, usual, unpruned } = trainingSteps;
    const about = usual === null ? 'how many depends on the results' : `usually about ${number(usual)}`;
    lines.push(`training steps: at most ${number(most)}, ${about}; ${number(unpruned)} without pruning`);
  }
  return lines;
};

const estimateLine = (count: number, { ms, runs, unknown }: Estimate): string => {
  if (count === 0) return 'nothing to train';
  const head = `${count} to train`;
  if (ms === null) return `${head}; no estimate: no comparable run on record`;
  const known = `${head}; about ${formatDuration(ms)}`;
  return unknown === 0 ? known : `${known} for ${runs} of them; no estimate for the other ${unknown}`;
};

/** Which runs take over the steps of shorter ones. */
const continuationLines = (toTrain: readonly RunStanding[]): string[] => {
  const lines = toTrain.flatMap(({ run: { id, continues } }) =>
    continues ? [`${id.slice(0, 8)} ${continuesFrom(continues)}`] : [],
  );
  const more = lines.length - shownReasons;
  return [
    ...(lines.length > 0 ? ['', ...lines.slice(0, shownReasons)] : []),
    ...(more > 0 ? [`and ${more} more continue a run; --json has all`] : []),
  ];
};

/** Why runs are stale, failed or interrupted: each reason once. */
const reasonLines = (standings: readonly RunStanding[], width: number): string[] => {
  const explained = standings.filter(({ state, reason }) => reason !== '' && state !== 'done');
  const lines = [...new Map(explained.map((one) => [`${one.state} ${one.reason}`, one])).values()].map(
    ({ run, state, reason }) => fit(`${state} ${run.id.slice(0, 8)}: ${reason}`, width),
  );
  const more = lines.length - shownReasons;
  const shown = lines.slice(0, shownReasons);
  return [
    ...(shown.length > 0 ? ['', ...shown] : []),
    ...(more > 0 ? [`and ${more} more reasons; --json has all`] : []),
  ];
};

/** The runs of a plan that the store has finished. A store that cannot be used has none, and is reported. */
const finishedInStore = async (
  { experiment }: Plan,
  options: StoreOptions,
): Promise<Result<ReadonlySet<string>>> => {
  const address = storeAddress(options);
  if (!address.ok) return address;
  if (!address.value) return success(new Set());
  const opened = await openStoreAt(address.value);
  if (!opened.ok)
    return success(
      new Set(),
      opened.errors.map((error) => ({ ...error, severity: 'warning' as const })),
    );
  try {
    return success(await opened.value.finished(experiment));
  } catch (error) {
    return success(new Set(), [{ ...storeFailure(error), severity: 'warning' }]);
  } finally {
    await opened.value.close();
  }
};
