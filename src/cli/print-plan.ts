import { runStandings, type RunStanding } from '../runner/select.ts';
import type { Plan } from '../spec/plan.ts';
import { counted, formatValue } from '../tracking/console/format.ts';
import { renderTable, type Cell, type Column } from '../tracking/console/table.ts';
import { runStates } from '../tracking/run-state.ts';
import type { Terminal } from './command.ts';
import { screen } from './screen.ts';

/** More rows than this say nothing to a reader; `--json` has them all. */
const shownRuns = 60;

/** Prints the runs of a plan with how each stands: a table for people, an object for programs. */
export const printPlan = (
  plan: Plan,
  options: Readonly<Record<string, unknown>>,
  terminal: Terminal,
): void => {
  const runsDirectory = typeof options['runsDirectory'] === 'string' ? options['runsDirectory'] : 'runs';
  const standings = runStandings(plan, runsDirectory);
  if (options['json']) terminal.print(JSON.stringify(planToJson(plan, standings), null, 2));
  else for (const line of planLines(plan, standings)) terminal.print(line);
};

const countStates = (standings: readonly RunStanding[]) =>
  Object.fromEntries(
    runStates.map((state) => [state, standings.filter((one) => one.state === state).length]),
  );

const planToJson = (
  { experiment, sweepId, axes, objective, execution }: Plan,
  standings: readonly RunStanding[],
) => ({
  experiment,
  sweepId,
  axes,
  objective,
  execution,
  counts: countStates(standings),
  runs: standings.map(({ run: { id, cell, seed, config, varying }, state }) => ({
    id,
    cell,
    seed,
    state,
    varying,
    config,
  })),
});

const planLines = (plan: Plan, standings: readonly RunStanding[]): string[] => {
  const { axes, execution } = plan;
  const columns: Column[] = [
    { title: 'run', align: 'left', keep: Infinity },
    { title: 'state', align: 'left', keep: Infinity },
    ...axes.map((title): Column => ({ title, align: 'right', keep: 1 })),
  ];
  const rows = standings
    .slice(0, shownRuns)
    .map(({ run, state }): Cell[] => [
      { text: run.id },
      { text: state },
      ...axes.map((path) => ({ text: formatValue(path === 'seed' ? run.seed : run.varying[path]) })),
    ]);
  const counts = Object.entries(countStates(standings)).filter(([, count]) => count > 0);
  const more = standings.length - rows.length;
  return [
    `${plan.experiment}: ${counted(plan.runs.length, 'run')} (${counts.map(([state, count]) => `${count} ${state}`).join(', ')})`,
    axes.length > 0 ? `varying: ${axes.join(', ')}` : 'nothing varies',
    `${execution.concurrency} at a time, ${counted(execution.threadsPerRun, 'thread')} each`,
    '',
    ...renderTable(columns, rows, { width: screen(process.stdout).width }),
    ...(more > 0 ? [`and ${more} more; --json prints all`] : []),
  ];
};
