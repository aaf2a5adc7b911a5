import { createColors } from 'picocolors';
import { counted, formatDuration, formatValue } from '../terminal/format.ts';
import { shortNames } from '../terminal/run-name.ts';
import { runStates } from '../record/run-state.ts';
import type { ComparedConfiguration, ComparedRun, Comparison } from './compare.ts';
import { decimalsFor, fixed } from './decimals.ts';
import { type TableCell, type Column, fit, renderTable } from '../terminal/table.ts';

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
  const { objective, axes, configurations, seeds, counts } = comparison;
  if (configurations.length === 0) return 'Nothing to compare yet.';
  const names = shortNames(axes);

  const head =
    `${pc.bold(comparison.experiment)}: ${counted(configurations.length, 'configuration')}, ${counted(seeds.length, 'seed')}; ` +
    runStates
      .filter((state) => counts[state] > 0)
      .map((state) => `${counts[state]} ${state}`)
      .join(', ');

  const columns = columnsOf(comparison, names);
  const table = renderTable(
    columns,
    configurations.map((configuration) =>
      columns.map(({ text }): TableCell => {
        const paint = configuration.best ? pc.green : configuration.rank === null ? pc.dim : undefined;
        return { text: text(configuration), ...(paint && { paint }) };
      }),
    ),
    { width, title: pc.bold },
  );

  const legend: string[] = [];
  if (configurations.some((configuration) => configuration.best)) {
    legend.push(`★ best: ${objective.goal === 'maximize' ? 'highest' : 'lowest'} ${objective.metric}`);
  }
  if (configurations.some((configuration) => configuration.tied)) {
    legend.push('≈ tied with the best: the 95% interval of the difference holds 0');
  }
  return [
    fit(head, width),
    '',
    ...table,
    ...(legend.length > 0 ? ['', ...legend.map((line) => pc.dim(fit(line, width)))] : []),
    ...reasons(configurations, names, colour),
  ].join('\n');
};

/** A pruned run was meant to end early: that is no news. */
const needsReason = ({ value, reason, state }: ComparedRun): boolean =>
  value === null && reason !== '' && state !== 'pruned';

/** Why runs have no result: runs of a configuration with the same reason together, two lines each. */
const reasons = (
  configurations: readonly ComparedConfiguration[],
  names: ReadonlyMap<string, string>,
  colour: boolean,
): string[] => {
  const pc = createColors(colour);
  const groups = new Map<
    string,
    { readonly configuration: ComparedConfiguration; readonly runs: ComparedRun[] }
  >();
  for (const [at, configuration] of configurations.entries()) {
    for (const run of configuration.runs.filter(needsReason)) {
      const key = JSON.stringify([at, run.state, run.reason]);
      const group = groups.get(key);
      if (group) group.runs.push(run);
      else groups.set(key, { configuration, runs: [run] });
    }
  }
  const lines = [...groups.values()].slice(0, namedReasons).flatMap(({ configuration, runs }) => {
    const [first] = runs;
    if (!first) return [];
    const paint = first.state === 'failed' ? pc.red : pc.yellow;
    const settings = Object.entries(configuration.values).map(
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

interface ConfigurationColumn extends Column {
  readonly text: (configuration: ComparedConfiguration) => string;
}

const columnsOf = (
  { axes, configurations, grouped, objective }: Comparison,
  names: ReadonlyMap<string, string>,
): ConfigurationColumn[] => {
  const replicated = configurations.some((configuration) => configuration.runs.length > 1);
  const summaries = configurations.flatMap((configuration) => configuration.objective ?? []);
  const decimals = decimalsFor(
    summaries.map((one) => one.mean),
    summaries.flatMap((one) => one.standardDeviation ?? []),
  );
  const show = (value: number | undefined | null) =>
    value === undefined || value === null ? '' : fixed(value, decimals);
  const numeric = (path: string) =>
    configurations.every((configuration) => typeof (configuration.values[path] ?? 0) === 'number');
  const right = (title: string, keep: number, text: ConfigurationColumn['text']): ConfigurationColumn => ({
    title,
    align: 'right',
    keep,
    text,
  });

  const columns: ConfigurationColumn[] = [
    right('#', Infinity, (configuration) =>
      configuration.rank === null
        ? '–'
        : `${configuration.best ? '★ ' : configuration.tied ? '≈ ' : ''}${configuration.rank}`,
    ),
    ...axes.map((path): ConfigurationColumn => ({
      title: names.get(path) ?? path,
      align: numeric(path) ? 'right' : 'left',
      keep: Infinity,
      text: (configuration) => formatValue(configuration.values[path]),
    })),
    right(objective.metric, Infinity, (configuration) =>
      configuration.objective ? show(configuration.objective.mean) : stateOf(configuration),
    ),
  ];
  if (replicated) {
    columns.push(
      right('± std', 9, (configuration) => show(configuration.objective?.standardDeviation)),
      right('95% interval', 8, ({ objective: one }) =>
        one?.interval ? `[${show(one.interval[0])}, ${show(one.interval[1])}]` : '',
      ),
      right('to best', 3, ({ difference: gap }) =>
        gap ? `${gap.mean > 0 ? '+' : ''}${show(gap.mean)}` : '',
      ),
      right(
        grouped ? 'runs' : 'seeds',
        7,
        (configuration) => `${configuration.objective?.count ?? 0}/${configuration.runs.length}`,
      ),
    );
  }
  for (const metric of otherMetrics(configurations)) {
    const means = configurations.flatMap((configuration) => configuration.metrics[metric]?.mean ?? []);
    const places = Math.min(4, decimalsFor(means));
    columns.push(
      right(metric, metric.startsWith('test/') ? 2 : 1, (configuration) => {
        const value = configuration.metrics[metric]?.mean;
        return value === undefined ? '' : fixed(value, places);
      }),
    );
  }
  columns.push(
    right('steps', 4, (configuration) =>
      String(Math.max(...configuration.runs.map((run) => run.step)) || ''),
    ),
    right('time', 5, (configuration) => {
      const times = configuration.runs.map((run) => run.elapsedMs).filter((ms) => ms > 0);
      return times.length > 0 ? formatDuration(times.reduce((a, b) => a + b, 0) / times.length) : '';
    }),
    { title: replicated ? 'best run' : 'run', align: 'left', keep: 6, text: shortIdOfBest(objective.goal) },
  );
  return columns;
};

/** A few letters of the run to look at. */
const shortIdOfBest =
  (goal: 'maximize' | 'minimize') =>
  (configuration: ComparedConfiguration): string =>
    bestRunOf(configuration, goal).id.slice(0, 8);

/** The best run of a configuration, or its first where none has a result. */
export const bestRunOf = ({ runs }: ComparedConfiguration, goal: 'maximize' | 'minimize'): ComparedRun => {
  const worst = goal === 'maximize' ? -Infinity : Infinity;
  const better = (a: number, b: number) => (goal === 'maximize' ? a > b : a < b);
  return runs.reduce((one, other) => (better(other.value ?? worst, one.value ?? worst) ? other : one));
};

/** What a configuration without a result is: the most telling state of its runs. */
const stateOf = ({ runs }: ComparedConfiguration): string => {
  const order = ['failed', 'interrupted', 'running', 'pruned', 'new', 'done'] as const;
  const state = order.find((one) => runs.some((run) => run.state === one)) ?? 'new';
  return state === 'done' ? 'none' : state;
};

const otherMetrics = (configurations: readonly ComparedConfiguration[]): string[] => [
  ...new Set(configurations.flatMap((configuration) => Object.keys(configuration.metrics))),
];
