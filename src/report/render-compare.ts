import { dirname } from 'node:path';
import { proposedCommand } from '../system/proposed-command.ts';
import { createColours } from '../terminal/colours.ts';
import { counted, formatDuration, formatMetric, formatTime, formatValue } from '../terminal/format.ts';
import { shortNames } from '../terminal/run-name.ts';
import { isShown } from '../metrics/metrics.ts';
import { runStates } from '../record/run-state.ts';
import type {
  ComparedConfiguration,
  ComparedRun,
  ComparedSweep,
  Comparison,
  ComparisonGroup,
} from './compare.ts';
import { majorityText } from './majority-text.ts';
import { fit, renderTable, type TableCell, type Column } from '../terminal/table.ts';

export interface TextOptions {
  /** Columns of the terminal. */
  readonly width: number;
  readonly colour: boolean;
}

/** Reasons that are printed below the table. */
const namedReasons = 8;

/** The comparison as a table for each group, with a legend and the reasons of runs without a result. */
export const renderComparison = (comparison: Comparison, { width, colour }: TextOptions): string => {
  const pc = createColours(colour);
  const { axes, configurations, groups, seeds, folds, counts } = comparison;
  if (configurations.length === 0) return ['Nothing to compare yet.', ...sweepLines(comparison)].join('\n');
  const names = shortNames(axes);

  const head =
    `${pc.bold(comparison.experiment)}: ${counted(configurations.length, 'configuration')}, ${folds.length > 0 ? `${counted(folds.length, 'fold')}, ` : ''}${counted(seeds.length, 'seed')}; ` +
    runStates
      .filter((state) => counts[state] > 0)
      .map((state) => `${counts[state]} ${state}`)
      .join(', ');

  const tables = groups.flatMap((group, index) => {
    const members = configurations.filter((one) => one.group === index);
    const columns = columnsOf({ ...comparison, objective: group.objective, configurations: members }, names);
    const table = renderTable(
      columns,
      members.map((configuration) =>
        columns.map(({ text }): TableCell => {
          const paint = configuration.best ? pc.green : configuration.rank === null ? pc.dim : undefined;
          return { text: text(configuration), ...(paint && { paint }) };
        }),
      ),
      { width, title: pc.bold },
    );
    const title = groups.length > 1 ? [pc.bold(fit(groupTitle(group), width))] : [];
    return ['', ...title, ...table, ...legendOf(group, members, { width, colour })];
  });
  const apart = 'Scores in different tables cannot be compared, so each has its own best.';
  return [
    fit(head, width),
    ...sweepLines(comparison).map((line) => pc.dim(fit(line, width))),
    ...tables,
    ...(groups.length > 1 ? ['', pc.dim(fit(apart, width))] : []),
    ...originLines(configurations).map((line) => fit(line, width)),
    ...reasons(configurations, names, colour),
  ].join('\n');
};

/** Runs whose origin is named one by one. */
const namedOrigins = 8;

/** What runs build on: other runs, or files of weights. */
const originLines = (configurations: readonly ComparedConfiguration[]): string[] => {
  const lines = configurations.flatMap(({ runs }) =>
    runs.flatMap(({ id, origin = [] }) =>
      origin.length > 0 ? [`${id.slice(0, 8)} ${origin.join('; ')}`] : [],
    ),
  );
  const more = lines.length - namedOrigins;
  return [
    ...(lines.length > 0 ? ['', ...lines.slice(0, namedOrigins)] : []),
    ...(more > 0 ? [`and ${counted(more, 'more run')} that build on others`] : []),
  ];
};

/** Sweeps that are named one by one. */
const namedSweeps = 6;

/** Which sweeps are shown, and how to see others. */
const sweepLines = ({ sweeps, otherSweeps, experiments }: Comparison): string[] => {
  const [only] = sweeps;
  if (!only) return [];
  const when = ({ frozenAt }: ComparedSweep) => (frozenAt === null ? '' : ` of ${formatTime(frozenAt)}`);
  const others =
    otherSweeps === 0
      ? ''
      : `; ${counted(otherSweeps, 'more sweep')} recorded: choose with --sweep ID, or --all`;
  if (sweeps.length === 1) return [`sweep ${only.id}${when(only)}${others}`];
  const lines = sweeps
    .slice(0, namedSweeps)
    .map((one) => `sweep ${one.id}${when(one)}${experiments.length > 1 ? ` (${one.experiment})` : ''}`);
  const more = sweeps.length - namedSweeps;
  return [
    ...lines,
    ...(more > 0 ? [`and ${counted(more, 'older sweep')}`] : []),
    ...(others ? [others.slice(2)] : []),
  ];
};

/** What a group of configurations has in common that the other groups have not. */
const groupTitle = ({ values, objective }: ComparisonGroup): string => {
  const names = shortNames(Object.keys(values));
  const settings = Object.entries(values).map(
    ([path, value]) => `${names.get(path) ?? path} ${formatValue(value)}`,
  );
  return [...settings, `by ${objective.metric}`].join(', ');
};

const legendOf = (
  group: ComparisonGroup,
  members: readonly ComparedConfiguration[],
  { width, colour }: TextOptions,
): string[] => {
  if (!members.some((one) => one.best)) return [];
  const pc = createColours(colour);
  const lines = [...verdictLines(group, members), ...majorityLines(group)];
  return ['', ...lines.map((line) => pc.dim(fit(line, width)))];
};

/** What the marks before the ranks mean, and what it would take to separate the first two. */
export const verdictLines = (
  { objective, seedsToSeparate }: ComparisonGroup,
  members: readonly ComparedConfiguration[],
): string[] => {
  const lines = [
    `★ best: ${objective.goal === 'maximize' ? 'highest' : 'lowest'} ${objective.metric}`,
    ...skillLine(members, objective.metric),
  ];
  const tested = members.filter((one) => one.correctedPValue !== null).length;
  const comparisons = counted(tested, 'comparison');
  if (members.some((one) => one.verdict === 'tied')) {
    lines.push(`≈ tied with the best: not separated at the 5% level (${comparisons}, Holm)`);
  }
  if (members.some((one) => one.verdict === 'unclear')) {
    lines.push(
      tested > 0
        ? '? too few seeds to tell whether the best is better'
        : 'A single seed is too few to tell whether the best is better.',
    );
  }
  if (seedsToSeparate !== null) lines.push(seedsLine(seedsToSeparate));
  return lines;
};

/** Of forecasts: how many configurations beat every baseline on average. */
const skillLine = (members: readonly ComparedConfiguration[], objective: string): string[] => {
  const skills = members.flatMap((one) => {
    const skill = objective === 'test/skill' ? one.objective : one.metrics['test/skill'];
    return skill ? [skill.mean] : [];
  });
  if (skills.length === 0) return [];
  const beating = skills.filter((skill) => skill > 0).length;
  const which =
    skills.length === 1
      ? beating === 1
        ? 'It beats'
        : 'It does not beat'
      : `${beating} of ${counted(skills.length, 'configuration')} ${beating === 1 ? 'beats' : 'beat'}`;
  return [`${which} the best baseline on the test part (test/skill above 0).`];
};

/** What a result has to be held against, where the task has classes. */
const majorityLines = ({ majority }: ComparisonGroup): string[] =>
  majority ? [`baseline: ${majorityText(majority, formatMetric)}`] : [];

const seedsLine = (seeds: number): string => {
  if (seeds === Infinity) return 'The first two are so close that 10,000 seeds would not separate them.';
  return `About ${counted(seeds, 'seed')} would separate the first two, with a chance of 80%.`;
};

/** A pruned run ended early on purpose, so this needs no note. */
const needsReason = ({ value, reason, state }: ComparedRun): boolean =>
  value === null && reason !== '' && state !== 'pruned';

/** Why runs have no result: runs of a configuration with the same reason together, two lines each. */
const reasons = (
  configurations: readonly ComparedConfiguration[],
  names: ReadonlyMap<string, string>,
  colour: boolean,
): string[] => {
  const pc = createColours(colour);
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
    const which = [...settings, replicatesOf(runs)].join(', ');
    return [`${paint(first.state)} ${first.id.slice(0, 8)}  ${which}`, `  ${first.reason}`];
  });
  const more = groups.size - namedReasons;
  const [directory] = [...groups.values()].flatMap(({ runs }) => runs.flatMap((run) => run.directory ?? []));
  const listed = proposedCommand(['ls'], directory && dirname(dirname(directory)));
  if (more > 0) lines.push(pc.dim(`and ${more} more without a result: \`${listed}\` shows all`));
  return lines.length > 0 ? ['', ...lines] : [];
};

/** `seeds 1 2`, or `folds 1 2, seed 1`. */
const replicatesOf = (runs: readonly ComparedRun[]): string =>
  (['fold', 'seed'] as const)
    .map((key) => [key, [...new Set(runs.flatMap((run) => run[key] ?? []))]] as const)
    .filter(([, values]) => values.length > 0)
    .map(([key, values]) => `${key}${values.length === 1 ? '' : 's'} ${values.join(' ')}`)
    .join(', ');

interface ConfigurationColumn extends Column {
  readonly text: (configuration: ComparedConfiguration) => string;
}

const columnsOf = (
  { axes, configurations, experiments, folds, grouped, objective, sweeps }: Comparison,
  names: ReadonlyMap<string, string>,
): ConfigurationColumn[] => {
  const tested = configurations.some((one) => one.correctedPValue !== null);
  const replicated = configurations.some((configuration) => configuration.runs.length > 1);
  const summaries = configurations.flatMap((configuration) => configuration.objective ?? []);
  const decimals = decimalsFor(
    summaries.map((one) => one.mean),
    summaries.flatMap((one) => one.standardDeviation ?? []),
  );
  const show = (value: number | undefined | null, digits = 4) =>
    value === undefined || value === null ? '' : fixed(value, decimals, digits);
  const numeric = (path: string) =>
    configurations.every((configuration) => typeof (configuration.values[path] ?? 0) === 'number');
  const right = (title: string, keep: number, text: ConfigurationColumn['text']): ConfigurationColumn => ({
    title,
    align: 'right',
    keep,
    text,
  });

  const left = (title: string, keep: number, text: ConfigurationColumn['text']): ConfigurationColumn => ({
    title,
    align: 'left',
    keep,
    text,
  });

  const columns: ConfigurationColumn[] = [
    right('#', Infinity, (configuration) =>
      configuration.rank === null ? '–' : `${markOf(configuration, tested)}${configuration.rank}`,
    ),
    ...(experiments.length > 1
      ? [left('experiment', Infinity, (configuration) => configuration.experiment)]
      : []),
    ...(sweeps.length > 1 ? [left('sweep', 13, sweepText)] : []),
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
      right('± std', 9, (configuration) => show(configuration.objective?.standardDeviation, 2)),
      right('95% interval', 8, ({ objective: one }) =>
        one?.interval ? `[${show(one.interval[0])}, ${show(one.interval[1])}]` : '',
      ),
      right('to best', 3, ({ difference: gap }) =>
        gap ? `${gap.mean > 0 ? '+' : ''}${show(gap.mean, 2)}` : '',
      ),
      right(
        grouped || folds.length > 0 ? 'runs' : 'seeds',
        11,
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
    left(replicated ? 'best run' : 'run', 12, shortIdOfBest(objective.goal)),
  );
  return columns;
};

/** The mark before a rank. A table of single seeds is unclear throughout, which its legend explains once. */
const markOf = ({ best, verdict }: ComparedConfiguration, tested: boolean): string => {
  if (best) return '★ ';
  if (verdict === 'tied') return '≈ ';
  return verdict === 'unclear' && tested ? '? ' : '';
};

/** The first letters of the newest of the sweeps that contain something, and how many more do. */
export const sweepText = ({
  sweeps: [newest = '', ...older],
}: Pick<ComparedConfiguration, 'sweeps'>): string =>
  newest.slice(0, 8) + (older.length > 0 ? ` +${older.length}` : '');

/** The first letters of the id of the run to look at. */
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
  ...new Set(configurations.flatMap(({ metrics }) => Object.keys(metrics).filter(isShown))),
];

/**
 * How many decimals numbers of one column are shown with: enough to distinguish the nearest two, and two digits of the
 * smallest spread, between 0 and 6; fewer for large numbers.
 */
const decimalsFor = (values: readonly number[], spreads: readonly number[] = []): number => {
  const finite = values.filter(Number.isFinite);
  const largest = finite.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
  if (finite.every(Number.isInteger) && spreads.every(Number.isInteger)) return 0;
  const most = largest >= 1000 ? 1 : largest >= 10 ? 3 : 6;
  const sorted = [...finite].sort((a, b) => a - b);
  const gaps = sorted.slice(1).map((value, i) => value - (sorted[i] ?? 0));
  // Rounding makes a gap of 0.0001 a little smaller, which must not cost a decimal.
  const place = (numbers: readonly number[]) =>
    -Math.floor(Math.log10(numbers.reduce((a, b) => (b > 0 ? Math.min(a, b) : a), Infinity)) + 1e-6);
  const wanted = Math.max(...[place(gaps), place(spreads) + 1].filter(Number.isFinite));
  return Math.min(most, Math.max(largest >= 10 ? 2 : 4, wanted));
};

/**
 * A number with fixed decimals, or with more where it would keep fewer significant digits than wanted (four); very small and very
 * large ones with an exponent.
 */
export const fixed = (value: number, decimals: number, digits = 4): string => {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1e7 || (size > 0 && size < 1e-4)) return value.toExponential(3);
  if (Number.isInteger(value)) return value.toFixed(decimals);
  return value.toFixed(Math.max(decimals, digits - 1 - Math.floor(Math.log10(size))));
};
