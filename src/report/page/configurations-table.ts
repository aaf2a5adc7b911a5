import type { ComparedConfiguration, Comparison, ComparisonGroup } from '../compare.ts';
import { element, section } from './dom.ts';
import {
  bestRun,
  configurationKey,
  configurationName,
  groupName,
  showNumber,
  showValue,
  type ViewState,
} from './view-state.ts';
import { majorityText } from '../majority-text.ts';

interface TableColumn {
  readonly title: string;
  readonly numeric: boolean;
  /** What a row is sorted by; undefined goes last. */
  readonly key: (configuration: ComparedConfiguration) => number | string | undefined;
  readonly text: (configuration: ComparedConfiguration) => string;
}

const columnsOf = ({ data }: ViewState): TableColumn[] => {
  const { axes, configurations, experiments, groups, sweeps } = data.comparison;
  const metrics = new Set(groups.map(({ objective }) => objective.metric));
  const replicated = configurations.some((configuration) => configuration.runs.length > 1);
  const number = (
    title: string,
    key: (configuration: ComparedConfiguration) => number | undefined,
    show = showNumber,
  ): TableColumn => ({
    title,
    numeric: true,
    key,
    text: (configuration) => {
      const value = key(configuration);
      return value === undefined ? '' : show(value);
    },
  });
  const others = [
    ...new Set(configurations.flatMap((configuration) => Object.keys(configuration.metrics))),
  ].filter((name) => name.startsWith('test/'));
  return [
    {
      title: 'Rank',
      numeric: false,
      // Ranks of a group stay together.
      key: ({ group, rank }) => (rank === null ? undefined : group * 1e6 + rank),
      text: rankText,
    },
    ...(groups.length > 1 ? [named('Group', ({ group }) => groupTitleOf(groups[group]))] : []),
    ...(experiments.length > 1 ? [named('Experiment', ({ experiment }) => experiment)] : []),
    ...(sweeps.length > 1 ? [named('Sweep', (one) => one.sweeps.map((id) => id.slice(0, 8)).join(' '))] : []),
    ...axes.map((path): TableColumn => ({
      title: data.names[path] ?? path,
      numeric: configurations.every((configuration) => typeof (configuration.values[path] ?? 0) === 'number'),
      key: (configuration) => {
        const value = configuration.values[path];
        return typeof value === 'number' ? value : value === undefined ? undefined : showValue(value);
      },
      text: (configuration) => showValue(configuration.values[path]),
    })),
    number(
      metrics.size > 1 ? 'Objective' : ([...metrics][0] ?? ''),
      (configuration) => configuration.objective?.mean,
    ),
    ...(replicated
      ? [
          number('± std', (configuration) => configuration.objective?.standardDeviation ?? undefined),
          {
            title: '95% interval',
            numeric: true,
            key: (configuration: ComparedConfiguration) => configuration.objective?.interval?.[0],
            text: ({ objective: one }: ComparedConfiguration) =>
              one?.interval ? `${showNumber(one.interval[0])} to ${showNumber(one.interval[1])}` : '',
          },
          number('To best', (configuration) => configuration.difference?.mean),
        ]
      : []),
    ...others.map((metric) => number(metric, (configuration) => configuration.metrics[metric]?.mean)),
    number(
      'Seconds',
      (configuration) => {
        const times = configuration.runs.map((run) => run.elapsedMs / 1000).filter((seconds) => seconds > 0);
        return times.length > 0 ? times.reduce((a, b) => a + b, 0) / times.length : undefined;
      },
      (seconds) => seconds.toFixed(1),
    ),
    { title: 'Runs', numeric: false, key: (configuration) => runsText(configuration), text: runsText },
  ];
};

const named = (title: string, text: (configuration: ComparedConfiguration) => string): TableColumn => ({
  title,
  numeric: false,
  key: text,
  text,
});

/** A group by what sets it apart, or else by its objective. */
const groupTitleOf = (group: ComparisonGroup | undefined): string =>
  group ? groupName(group) || group.objective.metric : '';

const rankText = ({ rank, best, verdict }: ComparedConfiguration): string => {
  if (rank === null) return '–';
  const marks = { separated: '', tied: ' ≈ tied', unclear: ' ? unclear' };
  return `${rank}${best ? ' ★ best' : verdict ? marks[verdict] : ''}`;
};

/** What the marks mean, for each group. */
const notes = ({ groups }: Comparison): string[] => [
  '≈ tied: seeds do not separate it from the best (t-test at the 5% level, corrected by Holm’s method for the number of comparisons). ' +
    '? unclear: too few seeds to tell.',
  ...groups.flatMap((group) => {
    if (group.seedsToSeparate === null) return [];
    const name = groups.length > 1 ? groupTitleOf(group) : '';
    const count = `About ${group.seedsToSeparate} seeds would separate the first two with a chance of 80%`;
    return [`${count}${name ? ` (${name})` : ''}.`];
  }),
  ...groups.flatMap((group) => {
    if (!group.majority) return [];
    const name = groups.length > 1 ? ` (${groupTitleOf(group)})` : '';
    return [`Baseline: ${majorityText(group.majority, showNumber)}${name}.`];
  }),
  ...(groups.length > 1
    ? ['Scores of different groups cannot be compared, so each group has its own ranks and its own best.']
    : []),
];

const runsText = ({ runs }: ComparedConfiguration): string => {
  const states = [...new Set(runs.map((run) => run.state))];
  return states.map((state) => `${runs.filter((run) => run.state === state).length} ${state}`).join(', ');
};

/** The comparison as a table that sorts by any column; its checkboxes choose the curves, its buttons the run shown. */
export const configurationsSection = (state: ViewState): HTMLElement => {
  const { configurations } = state.data.comparison;
  const columns = columnsOf(state);
  const body = element('tbody');
  const rows = new Map(
    configurations.map((configuration) => [configuration, rowOf(configuration, columns, state)]),
  );
  let sorted = { column: 0, ascending: true };

  const sort = () => {
    const key = columns[sorted.column]?.key ?? (() => undefined);
    const sign = sorted.ascending ? 1 : -1;
    const order = [...configurations].sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
      return (
        sign * (typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y)))
      );
    });
    body.replaceChildren(...order.flatMap((configuration) => rows.get(configuration) ?? []));
    for (const [at, head] of heads.entries()) {
      head.setAttribute(
        'aria-sort',
        at === sorted.column ? (sorted.ascending ? 'ascending' : 'descending') : 'none',
      );
    }
  };
  const heads = columns.map((column, at) =>
    element(
      'th',
      { scope: 'col', class: column.numeric ? 'numeric' : null },
      element(
        'button',
        {
          type: 'button',
          onclick: () => {
            sorted = { column: at, ascending: sorted.column === at ? !sorted.ascending : true };
            sort();
          },
        },
        // A long name breaks behind its part of the data.
        ...column.title.split(/(?<=\/)/).flatMap((part, index) => [index > 0 && element('wbr'), part]),
      ),
    ),
  );
  sort();
  const caption = 'Configurations of the sweep; a heading sorts by its column';
  return section(
    'configurations',
    'Comparison',
    element(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
      element(
        'table',
        { class: 'configurations' },
        element('caption', { class: 'hidden' }, caption),
        element('thead', {}, element('tr', {}, element('th', { scope: 'col' }, 'Curve, run'), ...heads)),
        body,
      ),
    ),
    ...notes(state.data.comparison).map((note) => element('p', { class: 'note' }, note)),
  );
};

const rowOf = (
  configuration: ComparedConfiguration,
  columns: readonly TableColumn[],
  state: ViewState,
): HTMLTableRowElement => {
  const name = configurationName(state.data, configuration);
  const key = configurationKey(configuration);
  const box = element('input', {
    type: 'checkbox',
    checked: state.drawn.has(key),
    'aria-label': `Draw the curve of ${name}`,
    onchange: () => {
      if (box.checked) state.drawn.add(key);
      else state.drawn.delete(key);
      state.changed();
    },
  });
  const look = element(
    'button',
    {
      type: 'button',
      'aria-label': `Show the best run of ${name}`,
      onclick: () => {
        state.runId = bestRun(state.data, configuration);
        state.changed();
        document.getElementById('run')?.scrollIntoView();
        document.getElementById('run-title')?.focus();
      },
    },
    'Show',
  );
  return element(
    'tr',
    { class: configuration.best ? 'best' : configuration.rank === null ? 'without' : null },
    element('td', {}, box, ' ', look),
    ...columns.map((column) =>
      element('td', { class: column.numeric ? 'numeric' : null }, column.text(configuration)),
    ),
  );
};
