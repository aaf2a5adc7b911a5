import { createColors } from 'picocolors';
import { counted, formatDuration, formatValue } from '../tracking/console/format.ts';
import { shortNames } from '../tracking/console/run-name.ts';
import { runStates } from '../tracking/run-state.ts';
import type { ComparedCell, ComparedRun, Comparison } from './compare.ts';
import { decimalsFor, fixed } from './decimals.ts';
import { type Cell, type Column, fit, renderTable } from '../tracking/console/table.ts';

export interface TextOptions {
  /** Columns of the terminal. */
  readonly width: number;
  readonly colour: boolean;
}

/** Reasons that are told below the table. */
const namedReasons = 8;

/** The comparison as a table, with a legend and the reasons of runs without a result. */
export const renderComparison = (comparison: Comparison, { width, colour }: TextOptions): string => {
  const pc = createColors(colour);
  const { objective, axes, cells, seeds, counts } = comparison;
  if (cells.length === 0) return 'Nothing to compare yet.';
  const names = shortNames(axes);

  const head =
    `${pc.bold(comparison.experiment)}: ${counted(cells.length, 'cell')}, ${counted(seeds.length, 'seed')}; ` +
    runStates
      .filter((state) => counts[state] > 0)
      .map((state) => `${counts[state]} ${state}`)
      .join(', ');

  const columns = columnsOf(comparison, names);
  const table = renderTable(
    columns,
    cells.map((cell) =>
      columns.map(({ text }): Cell => {
        const paint = cell.best ? pc.green : cell.rank === null ? pc.dim : undefined;
        return { text: text(cell), ...(paint && { paint }) };
      }),
    ),
    { width, title: pc.bold },
  );

  const legend: string[] = [];
  if (cells.some((cell) => cell.best)) {
    legend.push(`★ best: ${objective.goal === 'maximize' ? 'highest' : 'lowest'} ${objective.metric}`);
  }
  if (cells.some((cell) => cell.tied)) {
    legend.push('≈ tied with the best: the 95% interval of the difference holds 0');
  }
  return [
    fit(head, width),
    '',
    ...table,
    ...(legend.length > 0 ? ['', ...legend.map((line) => pc.dim(fit(line, width)))] : []),
    ...reasons(cells, names, colour),
  ].join('\n');
};

/** A pruned run was meant to end early: that is no news. */
const needsReason = ({ value, reason, state }: ComparedRun): boolean =>
  value === null && reason !== '' && state !== 'pruned';

/** Why runs have no result: runs of a cell with the same reason together, two lines each. */
const reasons = (
  cells: readonly ComparedCell[],
  names: ReadonlyMap<string, string>,
  colour: boolean,
): string[] => {
  const pc = createColors(colour);
  const groups = new Map<string, { readonly cell: ComparedCell; readonly runs: ComparedRun[] }>();
  for (const [at, cell] of cells.entries()) {
    for (const run of cell.runs.filter(needsReason)) {
      const key = JSON.stringify([at, run.state, run.reason]);
      const group = groups.get(key);
      if (group) group.runs.push(run);
      else groups.set(key, { cell, runs: [run] });
    }
  }
  const lines = [...groups.values()].slice(0, namedReasons).flatMap(({ cell, runs }) => {
    const [first] = runs;
    if (!first) return [];
    const paint = first.state === 'failed' ? pc.red : pc.yellow;
    const settings = Object.entries(cell.values).map(
      ([path, value]) => `${names.get(path) ?? path} ${formatValue(value)}`,
    );
    const seeds = `seed${runs.length === 1 ? '' : 's'} ${runs.map((run) => run.seed).join(' ')}`;
    const which = [...settings, seeds].join(', ');
    return [`${paint(first.state)} ${first.id.slice(0, 8)}  ${which}`, `  ${first.reason}`];
  });
  const more = groups.size - namedReasons;
  if (more > 0) lines.push(pc.dim(`and ${more} more without a result: \`unroll ls\` shows all`));
  return lines.length > 0 ? ['', ...lines] : [];
};

interface CellColumn extends Column {
  readonly text: (cell: ComparedCell) => string;
}

const columnsOf = (
  { axes, cells, grouped, objective }: Comparison,
  names: ReadonlyMap<string, string>,
): CellColumn[] => {
  const replicated = cells.some((cell) => cell.runs.length > 1);
  const summaries = cells.flatMap((cell) => cell.objective ?? []);
  const decimals = decimalsFor(
    summaries.map((one) => one.mean),
    summaries.flatMap((one) => one.standardDeviation ?? []),
  );
  const show = (value: number | undefined | null) =>
    value === undefined || value === null ? '' : fixed(value, decimals);
  const numeric = (path: string) => cells.every((cell) => typeof (cell.values[path] ?? 0) === 'number');
  const right = (title: string, keep: number, text: CellColumn['text']): CellColumn => ({
    title,
    align: 'right',
    keep,
    text,
  });

  const columns: CellColumn[] = [
    right('#', Infinity, (cell) =>
      cell.rank === null ? '–' : `${cell.best ? '★ ' : cell.tied ? '≈ ' : ''}${cell.rank}`,
    ),
    ...axes.map((path): CellColumn => ({
      title: names.get(path) ?? path,
      align: numeric(path) ? 'right' : 'left',
      keep: Infinity,
      text: (cell) => formatValue(cell.values[path]),
    })),
    right(objective.metric, Infinity, (cell) => (cell.objective ? show(cell.objective.mean) : stateOf(cell))),
  ];
  if (replicated) {
    columns.push(
      right('± std', 9, (cell) => show(cell.objective?.standardDeviation)),
      right('95% interval', 8, ({ objective: one }) =>
        one?.interval ? `[${show(one.interval[0])}, ${show(one.interval[1])}]` : '',
      ),
      right('to best', 3, ({ difference: gap }) =>
        gap ? `${gap.mean > 0 ? '+' : ''}${show(gap.mean)}` : '',
      ),
      right(grouped ? 'runs' : 'seeds', 7, (cell) => `${cell.objective?.count ?? 0}/${cell.runs.length}`),
    );
  }
  for (const metric of otherMetrics(cells)) {
    const means = cells.flatMap((cell) => cell.metrics[metric]?.mean ?? []);
    const places = Math.min(4, decimalsFor(means));
    columns.push(
      right(metric, metric.startsWith('test/') ? 2 : 1, (cell) => {
        const value = cell.metrics[metric]?.mean;
        return value === undefined ? '' : fixed(value, places);
      }),
    );
  }
  columns.push(
    right('steps', 4, (cell) => String(Math.max(...cell.runs.map((run) => run.step)) || '')),
    right('time', 5, (cell) => {
      const times = cell.runs.map((run) => run.elapsedMs).filter((ms) => ms > 0);
      return times.length > 0 ? formatDuration(times.reduce((a, b) => a + b, 0) / times.length) : '';
    }),
    { title: replicated ? 'best run' : 'run', align: 'left', keep: 6, text: shortIdOfBest(objective.goal) },
  );
  return columns;
};

/** A few letters of the run to look at. */
const shortIdOfBest =
  (goal: 'maximize' | 'minimize') =>
  (cell: ComparedCell): string =>
    bestRunOf(cell, goal).id.slice(0, 8);

/** The best run of a cell, or its first where none has a result. */
export const bestRunOf = ({ runs }: ComparedCell, goal: 'maximize' | 'minimize'): ComparedRun => {
  const worst = goal === 'maximize' ? -Infinity : Infinity;
  const better = (a: number, b: number) => (goal === 'maximize' ? a > b : a < b);
  return runs.reduce((one, other) => (better(other.value ?? worst, one.value ?? worst) ? other : one));
};

/** What a cell without a result is: the most telling state of its runs. */
const stateOf = ({ runs }: ComparedCell): string => {
  const order = ['failed', 'interrupted', 'running', 'pruned', 'new', 'done'] as const;
  const state = order.find((one) => runs.some((run) => run.state === one)) ?? 'new';
  return state === 'done' ? 'none' : state;
};

const otherMetrics = (cells: readonly ComparedCell[]): string[] => [
  ...new Set(cells.flatMap((cell) => Object.keys(cell.metrics))),
];
